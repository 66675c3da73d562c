"""The values of one run: accuracies and gaps, and which of its pictures were right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from hybridpool.training.records import Occlusion, Run
from hybridpool.training.results import right_of

Value = Callable[[Run], float | None]
"""A number of a run, None where it was not measured."""

Right = Callable[[Run], NDArray[np.float64] | None]
"""For each test picture how often it was right, from 0 to 1; None where a run does not say."""

MARGIN = 0.003
"""Two accuracies on unchanged pictures that are closer than this are equivalent."""

WIDE_MARGIN = 0.01
"""The same for every other measure."""


@dataclass(frozen=True)
class Measure:
    """The quantity in which two poolings are compared.

    Attributes:
        value: Returns the number of a run.
        right: Returns which pictures were right; None if pictures do not count as a sample.
        paired: Whether runs of the same seed are compared with each other.
        margin: The largest difference that counts as equivalent.
    """

    value: Value
    right: Right | None = None
    paired: bool = True
    margin: float = WIDE_MARGIN


def clean(run: Run) -> float | None:
    """Accuracy on all test pictures.

    Example:
        >>> from hybridpool.training.records import _example
        >>> clean(_example("max", 0, 0.7))
        0.7
    """
    return run.measures.clean


CLEAN = Measure(clean, paired=False, margin=MARGIN)
"""Accuracy as the experiment judges it after training on all pictures: unpaired."""

CLEAN_OF_FEW = Measure(clean)
"""The same after training on few pictures: paired, with a wider margin."""


def gap(run: Run) -> float | None:
    """Training accuracy minus test accuracy.

    Example:
        >>> from hybridpool.training.records import _example
        >>> gap(_example("max", 0, 0.7))
        0.0
    """
    return run.measures.train - run.measures.clean


def noises(runs: Iterable[Run]) -> list[str]:
    """The kinds of noise that runs were measured under, in the order of the first.

    Example:
        >>> noises([])
        []
    """
    return [name for name in corruptions(runs) if name.endswith("_noise")]


def corruptions(runs: Iterable[Run]) -> list[str]:
    """Every corruption that runs were measured under, in the order of the first.

    Example:
        >>> corruptions([])
        []
    """
    return list(dict.fromkeys(name for run in runs for name in run.measures.corruptions))


def occluders(runs: Iterable[Run]) -> list[str]:
    """The occluders behind which runs were measured, each as shape and fill.

    Example:
        >>> occluders([])
        []
    """
    return list(dict.fromkeys(name for run in runs for name in _by_occluder(run)))


def _by_occluder(run: Run) -> dict[str, Occlusion]:
    return {f"{each.shape} {each.fill}": each for each in run.measures.occlusions}


def bands(runs: Iterable[Run], side: str) -> list[str]:
    """The bands of frequencies on which runs were measured, each as side and radius.

    Example:
        >>> bands([], "low")
        []
    """
    names = dict.fromkeys(name for run in runs for name in run.measures.frequencies)
    return [name for name in names if name.partition(" ")[0] == side]


def under(names: Sequence[str]) -> Measure:
    """Accuracy under some corruptions, the mean over them and their severities.

    Example:
        >>> from hybridpool.training.records import _example
        >>> under(["shot_noise"]).value(_example("max", 0, 0.7)) is None
        True
    """

    def keys(run: Run) -> list[str]:
        return [
            f"{name} {severity}"
            for name in names
            for severity in range(1, len(run.measures.corruptions.get(name, ())) + 1)
        ]

    return Measure(_mean_over(names, lambda run: run.measures.corruptions), _right(keys))


def behind(names: Sequence[str]) -> Measure:
    """Accuracy behind some occluders, the mean over them and their sizes.

    Example:
        >>> from hybridpool.training.records import _example
        >>> behind(["block grey"]).value(_example("max", 0, 0.7)) is None
        True
    """

    def keys(run: Run) -> list[str]:
        found = _by_occluder(run)
        return [f"{name} {side}" for name in names if name in found for side in found[name].sides]

    def shares(run: Run) -> dict[str, tuple[float, ...]]:
        return {name: occlusion.test for name, occlusion in _by_occluder(run).items()}

    return Measure(_mean_over(names, shares), _right(keys))


def keeping(names: Sequence[str]) -> Measure:
    """Accuracy on pictures with some frequencies alone, the mean over them.

    Example:
        >>> from hybridpool.training.records import _example
        >>> keeping(["low 4"]).value(_example("max", 0, 0.7)) is None
        True
    """

    def shares(run: Run) -> dict[str, tuple[float, ...]]:
        return {name: (share,) for name, share in run.measures.frequencies.items()}

    return Measure(_mean_over(names, shares), _right(lambda run: list(names)))


def consistency(run: Run) -> float | None:
    """The share of pictures whose class a shift does not change; None if it was not measured.

    Example:
        >>> from hybridpool.training.records import _example
        >>> consistency(_example("max", 0, 0.7)) is None  # measured on no picture
        True
    """
    return run.measures.shift_consistency if run.measures.pictures else None


def loss_of(changed: Measure) -> Measure:
    """The loss of accuracy against the same pictures unchanged.

    Example:
        >>> from hybridpool.training.records import _example
        >>> round(loss_of(Measure(lambda run: 0.5)).value(_example("max", 0, 0.7)), 3)
        0.2
    """

    def lost(run: Run) -> float | None:
        after = changed.value(run)
        return None if after is None else run.measures.clean_of_these - after

    def right(run: Run) -> NDArray[np.float64] | None:
        before = right_of(run, "clean")
        after = changed.right(run) if changed.right else None
        return None if before is None or after is None else before[: len(after)] - after

    return Measure(lost, right)


def iocclusion(names: Sequence[str]) -> Value:
    """iOcclusion, the mean over some occluders and their sizes.

    It divides by the gap between training and test accuracy on unchanged pictures. Where that is
    not more than two standard errors from 0, the ratio says nothing and is None.

    Example:
        >>> from hybridpool.training.records import _example
        >>> iocclusion(["block grey"])(_example("max", 0, 0.7)) is None
        True
    """

    def value(run: Run) -> float | None:
        if not _gap_is_clear(run):
            return None
        ratios = [
            ratio
            for occlusion in run.measures.occlusions
            if f"{occlusion.shape} {occlusion.fill}" in names
            for ratio in occlusion.iocclusion
            if ratio is not None
        ]
        return fmean(ratios) if ratios else None

    return value


def _gap_is_clear(run: Run) -> bool:
    """Whether the gap on the measured pictures is more than two standard errors from 0."""
    measures, count = run.measures, run.measures.pictures
    if not count:
        return False
    shares = (measures.train_of_these, measures.clean_of_these)
    error = math.sqrt(sum(share * (1 - share) / count for share in shares))
    return abs(measures.train_of_these - measures.clean_of_these) > 2 * error


def _mean_over(
    names: Sequence[str], parts: Callable[[Run], Mapping[str, Sequence[float]]]
) -> Value:
    """The mean over all numbers of the parts with these names; None where one is missing."""

    def value(run: Run) -> float | None:
        found = parts(run)
        known = [found[name] for name in names if found.get(name)]
        if not known or len(known) < len(names):
            return None
        return fmean(number for part in known for number in part)

    return value


def _right(keys: Callable[[Run], Sequence[str]]) -> Right:
    """For each picture, the share of some trials in which it was right."""

    def right(run: Run) -> NDArray[np.float64] | None:
        marks = [right_of(run, key) for key in keys(run)]
        known = [one for one in marks if one is not None]
        if not known or len(known) < len(marks) or len({len(one) for one in known}) > 1:
            return None
        share: NDArray[np.float64] = np.mean(known, axis=0, dtype=np.float64)
        return share

    return right


SHIFTED = Measure(consistency, _right(lambda run: ["shift"]))
"""Consistency under shifts, with the pictures whose class stayed."""
