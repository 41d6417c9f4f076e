"""transformers' Trainer with a loss on completions only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint

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
            (examples, width), and `labels` of shape (examples, k) for the last k
            columns, where what is not learnt is -100.
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
            "labels": labels[:, width - max(learnt) :],
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
        # The logits at a column speak of the token in the next one.
        keep = labels.shape[1] + 1
        outputs = model(**rest, logits_to_keep=keep, use_cache=False)
        logits = outputs.logits[:, :-1].float()
        reduction = "mean" if num_items_in_batch is None else "sum"
        loss = cross_entropy(
            logits.flatten(0, 1), labels.flatten(), reduction=reduction
        )
        if num_items_in_batch is not None:
            # Trainer averages over processes, so each counts its own share.
            loss = loss * self.accelerator.num_processes / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

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

    return TrainingArguments(
        output_dir=str(output),
        use_cpu=get_torch_default_device().type == "cpu",
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
        **settings,
    )


def run_training(trainer: Trainer) -> Any:
    """Train, from the last checkpoint where there is one.

    trainer (Trainer): The trainer.
    RETURNS (Any): What `Trainer.train` gives: steps, loss, metrics.
    """
    folder = Path(trainer.args.output_dir)
    checkpoint = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    return trainer.train(resume_from_checkpoint=checkpoint)
