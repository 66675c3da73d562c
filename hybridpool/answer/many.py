"""From one picture to many: how often the same networks were right in the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hybridpool.answer.change import Change
from hybridpool.answer.networks import SIDE
from hybridpool.pictures.corruptions import CIFAR10C_STYLE
from hybridpool.sensitivity.perturbation import WHOLE
from hybridpool.training.records import Run
from hybridpool.training.summary import Summary, summarise_seeds

CORRUPTIONS = {
    "gaussian": "gaussian_noise",
    "speckle": "speckle_noise",
    "poisson": "shot_noise",
    "salt_and_pepper": "impulse_noise",
}
"""The corruption of the experiment that is the same noise."""

FILLS = {"noise": "noise"}
"""The occluder of the experiment with the same fill; of the others grey is the nearest."""


@dataclass(frozen=True)
class Measured:
    """What the experiment measured that is nearest to a change.

    Attributes:
        what: The corruption, ``"block grey"``, ``"block noise"``, or ``"shift"``.
        at: Its parameter or its side; None for shifts, which are drawn.
        pictures: How many test pictures.
        shares: For each pooling the mean over networks and its interval; for shifts the share
            that keeps its class, else the share that is right.
    """

    what: str
    at: float | None
    pictures: int
    shares: Mapping[str, Summary]


def measured(runs: Mapping[str, Sequence[Run]], change: Change) -> Measured | None:
    """What the experiment says of the networks that are shown; None where nothing of it is like it.

    Args:
        runs: For each pooling the runs that left its networks behind.
        change: What is done to the picture.

    Example:
        >>> measured({}, Change()) is None
        True
    """
    if change.nothing:
        return None
    every = [run for ones in runs.values() for run in ones]
    pictures = {run.measures.pictures for run in every}
    if len(pictures) != 1 or 0 in pictures:
        return None
    nearest = {"noise": _noise, "occlusion": _occluder, "shift": _shift}[change.action]
    found = nearest(every, change)
    if found is None:
        return None
    what, at, value = found
    shares = {arm: summarise_seeds([value(run) for run in ones]) for arm, ones in runs.items()}
    return Measured(what, at, pictures.pop(), shares)


_Nearest = tuple[str, float | None, Callable[[Run], float]]


def _shift(runs: Sequence[Run], change: Change) -> _Nearest | None:
    return "shift", None, lambda run: run.measures.shift_consistency


def _noise(runs: Sequence[Run], change: Change) -> _Nearest | None:
    name = CORRUPTIONS.get(change.done.noise)
    if name is None:
        return None
    severities, level = CIFAR10C_STYLE[name].severities, change.done.level
    step = min(range(len(severities)), key=lambda place: abs(severities[place] - level))
    if not all(len(run.measures.corruptions.get(name, ())) > step for run in runs):
        return None
    return name, severities[step], lambda run: run.measures.corruptions[name][step]


def _occluder(runs: Sequence[Run], change: Change) -> _Nearest | None:
    fill = FILLS.get(change.done.fill, "grey")
    kept = [_accuracies(run, fill) for run in runs]
    sides = set(kept[0]).intersection(*kept)
    if not sides:
        return None
    size = (change.done.height * change.done.width) ** 0.5 * SIDE / WHOLE
    side = min(sides, key=lambda each: abs(each - size))
    return f"block {fill}", float(side), lambda run: _accuracies(run, fill)[side]


def _accuracies(run: Run, fill: str) -> dict[int, float]:
    """Accuracy behind a square of this fill, by its side."""
    return {
        side: right
        for each in run.measures.occlusions
        if (each.shape, each.fill) == ("block", fill)
        for side, right in zip(each.sides, each.test, strict=True)
    }
