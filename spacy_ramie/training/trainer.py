"""transformers' Trainer with a loss on completions only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from ..errors import ConfigError, Errors
from .features import Feature

IGNORED = -100
# Widths are rounded up to this: fewer shapes for the kernels to prepare for.
MULTIPLE = 16


class Features(Dataset[Feature]):
    """Training examples as a dataset.

    features (Sequence[Feature]): The examples.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, i: int) -> Feature:
        return self.features[i]


class CompletionCollator:
    """Pads examples on the left, so that all completions end in the same column.

    The language model's head and the loss then run on the last columns alone:
    a prompt is ten times as long as its answer.

    whole (bool): Learn the prompts too, as a base model does.
    """

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Make a batch.

        features (Sequence[Feature]): Its examples.
        RETURNS (dict): `input_ids`, `attention_mask` and `position_ids` of shape
            (examples, width), and `labels` of shape (examples, k + 1) for the last
            k columns and the one before them, where what is not learnt is -100:
            always the first column, which Trainer does not count.
        """
        longest = max(len(feature.ids) for feature in features)
        width = -(-longest // MULTIPLE) * MULTIPLE
        ids = torch.zeros(len(features), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, IGNORED)
        learnt = [len(f.ids) - 1 if self.whole else f.completion for f in features]
        for row, (feature, n) in enumerate(zip(features, learnt, strict=True)):
            ids[row, width - len(feature.ids) :] = torch.tensor(feature.ids)
            mask[row, width - len(feature.ids) :] = 1
            labels[row, width - n :] = ids[row, width - n :]
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "position_ids": (mask.cumsum(dim=-1) - 1).clamp(min=0),
            "labels": labels[:, width - max(learnt) - 1 :],
        }


class CompletionTrainer(Trainer):
    """A Trainer whose loss is the mean over the learnt tokens."""

    # The loss takes num_items_in_batch, so that accumulated steps weigh every
    # token the same.
    model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        """Put examples of similar length into a batch, in random order."""
        arguments = self.args
        return LengthGroupedSampler(
            arguments.train_batch_size * arguments.gradient_accumulation_steps,
            lengths=[len(feature.ids) for feature in self.train_dataset.features],
            generator=torch.Generator().manual_seed(arguments.seed),
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Give the mean negative log-probability of the labels, in nats a token."""
        labels = inputs["labels"]
        rest = {key: value for key, value in inputs.items() if key != "labels"}
        outputs = model(**rest, logits_to_keep=labels.shape[1], use_cache=False)
        # The logits at a column speak of the token in the next one.
        logits, labels = outputs.logits[:, :-1].float(), labels[:, 1:]
        reduction = "mean" if num_items_in_batch is None else "sum"
        loss = cross_entropy(
            logits.flatten(0, 1), labels.flatten(), reduction=reduction
        )
        if num_items_in_batch is not None:
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                # The tokens of all processes were counted, and the gradients of
                # all processes will be averaged.
                loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def save_model(
        self, output_dir: str | None = None, _internal_call: bool = False
    ) -> None:
        """Save the model; no process goes on before it is there.

        Each looks for the best checkpoint, and would wait for the others only if
        it had found one.
        """
        super().save_model(output_dir, _internal_call)
        self.accelerator.wait_for_everyone()

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: Any = None,
    ) -> tuple[torch.Tensor, None, None]:
        """Evaluate by loss alone: the logits of a batch are large and not needed."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, inputs)
        return loss.detach(), None, None


def make_arguments(output: Path, settings: dict[str, Any]) -> TrainingArguments:
    """Make the arguments of a training run.

    output (Path): Where checkpoints go.
    settings (dict): Fields of `transformers.TrainingArguments`, from the config.
    RETURNS (TrainingArguments): With what this package needs and the device that
        spaCy was told to use.
    """
    from thinc.util import get_torch_default_device

    try:
        return TrainingArguments(
            output_dir=str(output),
            use_cpu=get_torch_default_device().type == "cpu",
            remove_unused_columns=False,
            label_names=["labels"],
            report_to=[],
            **{"average_tokens_across_devices": True, **settings},
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(
            Errors.R013.format(
                section="ramie.training or ramie.pretraining",
                owner="transformers.TrainingArguments",
                problem=error,
            )
        ) from error


def run_training(trainer: Trainer) -> Any:
    """Train, from the last checkpoint where there is one.

    trainer (Trainer): The trainer.
    RETURNS (Any): What `Trainer.train` gives: steps, loss, metrics.
    """
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    return trainer.train(
        resume_from_checkpoint=None if checkpoint is None else str(checkpoint)
    )


def last_checkpoint(folder: Path) -> Path | None:
    """Find the last checkpoint that was written to its end.

    folder (Path): Where checkpoints go.
    RETURNS (Path | None): The checkpoint, if there is one.
    """
    # The state of the trainer is the last file that is written.
    whole = [file.parent for file in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)
