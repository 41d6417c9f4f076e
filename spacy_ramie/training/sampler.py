"""The order in which training examples are seen."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from torch.utils.data import Sampler

from .features import Feature

# So many batches' worth of examples are drawn before they are sorted by length.
POOL = 20


class TaskGroupedSampler(Sampler[int]):
    """Puts examples of one task and of similar length next to each other.

    A batch then shares its instruction, and has little padding. Which examples
    meet, and the order of the batches, are random and differ in every epoch.

    features (Sequence[Feature]): The examples.
    batch (int): Examples of a batch.
    seed (int): Source of chance.
    """

    def __init__(self, features: Sequence[Feature], batch: int, seed: int) -> None:
        self.features = features
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Shuffle in another way; transformers' Trainer calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator[int]:
        random = Random(f"{self.seed}/{self.epoch}")
        kinds: dict[str, list[int]] = defaultdict(list)
        for i, feature in enumerate(self.features):
            kinds[feature.kind].append(i)
        batches, leftovers = [], []
        for members in kinds.values():
            random.shuffle(members)
            for at in range(0, len(members), POOL * self.batch):
                pool = members[at : at + POOL * self.batch]
                pool.sort(key=lambda i: len(self.features[i].ids))
                cut = [
                    pool[i : i + self.batch] for i in range(0, len(pool), self.batch)
                ]
                if len(cut[-1]) < self.batch:
                    leftovers += cut.pop()
                batches += cut
        random.shuffle(batches)
        # The rest of each kind comes last, so that the others stay whole batches.
        yield from (i for batch in [*batches, leftovers] for i in batch)
