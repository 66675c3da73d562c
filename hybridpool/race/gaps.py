"""The gap between training and test accuracy against the number of training pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hybridpool.race.race import PICTURES, Race, RaceSettings

#: The arms that are compared: one blend weight, one for each channel, and computed ones.
ARMS = ("start_half", "channels", "attention")


@dataclass(frozen=True)
class Gaps:
    """Accuracies after the last step; NaN where the race has not been run.

    Args:
        pictures: The numbers of training pictures.
        seeds: The seeds.
        train: On the training pictures (pictures, arms, seeds), arms as in `ARMS`.
        test: On the test set, likewise.
        runs: How many races have been run.
    """

    pictures: tuple[int, ...]
    seeds: tuple[int, ...]
    train: Tensor
    test: Tensor
    runs: int

    @property
    def gap(self) -> Tensor:
        """Training minus test accuracy (pictures, arms, seeds)."""
        return self.train - self.test

    @property
    def total(self) -> int:
        """How many races there are."""
        return len(self.pictures) * len(self.seeds)


def overfitting(
    settings: RaceSettings, pictures: Sequence[int] = PICTURES, seeds: Sequence[int] = range(5)
) -> Iterator[Gaps]:
    """Run a race for each seed and number of pictures, and yield what is known after each.

    The first seed is run for every number of pictures, then the next seed, so that the whole curve
    is there early and grows more certain. Races of one seed differ in the number of pictures only.

    Args:
        settings: The settings of the races; seed, pictures and arms in it are ignored.
        pictures: The numbers of training pictures.
        seeds: The seeds.

    Example:
        >>> first = next(overfitting(RaceSettings(steps=100), pictures=(20, 50), seeds=(0, 1)))
        >>> first.runs, first.total, first.gap.shape
        (1, 4, torch.Size([2, 3, 2]))
    """
    numbers, seeds = tuple(pictures), tuple(seeds)
    train = torch.full((len(numbers), len(ARMS), len(seeds)), math.nan)
    test = train.clone()
    runs = 0
    for column, seed in enumerate(seeds):
        for row, number in enumerate(numbers):
            race = Race(replace(settings, seed=seed, pictures=number, arms=ARMS), every=None)
            *_before, last = race.advance(race.settings.steps)
            for values, measured in ((train, last.train_accuracy), (test, last.test_accuracy)):
                assert measured is not None
                values[row, :, column] = measured
            runs += 1
            yield Gaps(numbers, seeds, train.clone(), test.clone(), runs)
