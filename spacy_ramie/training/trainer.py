"""transformers' Trainer with a loss on completions only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Sampler
from transformers import Trainer, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from ..engine.prefix import prefix_reach, read_prefix
from .collator import IGNORED
from .config import fill_arguments
from .features import Feature
from .sampler import TaskGroupedSampler


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


class CompletionTrainer(Trainer):
    """A Trainer whose loss is the mean over the learnt tokens."""

    # The loss takes num_items_in_batch, so that accumulated steps weigh every
    # token the same.
    model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        """Put examples of similar length into a batch, in random order.

        Examples of one task too, where a step is made of several batches: a step
        of one task alone would undo what the one before it learnt of another.
        """
        arguments, features = self.args, self.train_dataset.features
        if arguments.gradient_accumulation_steps > 1:
            return TaskGroupedSampler(
                features, arguments.train_batch_size, arguments.seed
            )
        sampler: Sampler[int] = LengthGroupedSampler(
            arguments.train_batch_size,
            lengths=[len(feature.ids) for feature in features],
            generator=torch.Generator().manual_seed(arguments.seed),
        )
        return sampler

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Give the mean negative log-probability of the labels, in nats a token.

        With weights: of what each label counts.
        """
        # The logits at a column speak of the token in the next one.
        labels = inputs["labels"][:, 1:]
        columns = (labels != IGNORED).any(dim=0).nonzero().squeeze(1)
        labels, weights = labels[:, columns], inputs["weights"][:, 1:][:, columns]
        outputs = model(**self._read_prefix(model, inputs), logits_to_keep=columns)
        logits = outputs.logits.float().flatten(0, 1)
        losses = cross_entropy(logits, labels.flatten(), reduction="none")
        loss = losses @ weights.flatten() + self.further_loss(model, outputs, inputs)
        if num_items_in_batch is None:
            loss = loss / (labels != IGNORED).sum()
        else:
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                # The tokens of all processes were counted, and the gradients of
                # all processes will be averaged.
                loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def further_loss(self, model: Any, outputs: Any, inputs: dict[str, Any]) -> Any:
        """Give what is learnt beside the labels, summed: here nothing.

        model (Any): The model.
        outputs (Any): What it gave.
        inputs (dict): The batch.
        RETURNS (Any): A number, or a tensor without dimensions.
        """
        return 0.0

    def _read_prefix(self, model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Read what all rows begin with once; gradients flow through it.

        RETURNS (dict): Arguments for the model that reads the rest.
        """
        read = ("input_ids", "attention_mask", "position_ids")
        rest = {key: inputs[key] for key in read}
        prefix = inputs["prefix"]
        if not prefix.shape[1]:
            return {**rest, "use_cache": False}
        cache = read_prefix(model, prefix)
        cache.batch_repeat_interleave(len(inputs["input_ids"]))
        return {**rest, "past_key_values": cache, "use_cache": True}

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


def training_reach(model: Any, arguments: TrainingArguments) -> int:
    """Give the widest batch, in tokens, whose beginning can be put aside in training.

    model (Any): A model of transformers.
    arguments (TrainingArguments): Of the run.
    RETURNS (int): Tokens; none where activations are checkpointed, since the cache
        is switched off then.
    """
    checkpointed = arguments.gradient_checkpointing or any(
        getattr(module, "gradient_checkpointing", False) for module in model.modules()
    )
    return 0 if checkpointed else prefix_reach(model)


def make_arguments(output: Path, settings: dict[str, Any]) -> TrainingArguments:
    """Make the arguments of a training run.

    output (Path): Where checkpoints go.
    settings (dict): Fields of `transformers.TrainingArguments`, from the config.
    RETURNS (TrainingArguments): With what this package needs and the device that
        spaCy was told to use.
    """
    defaults = {
        "average_tokens_across_devices": True,
        # A model reads a batch in one pass or in two; its buffers never change.
        "ddp_broadcast_buffers": False,
    }
    arguments: TrainingArguments = fill_arguments(
        TrainingArguments,
        "ramie.training or ramie.pretraining",
        output,
        {**defaults, **settings},
        remove_unused_columns=False,
        label_names=["labels"],
    )
    if arguments.n_gpu > 1:
        # Several GPUs are for `accelerate launch`: DataParallel would cut prefix
        # and columns in pieces.
        arguments._n_gpu = 1
    return arguments


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
