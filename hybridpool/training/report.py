"""What several runs say, as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from hybridpool.training.results import (
    Run,
    Summary,
    comparable,
    paired_difference,
    summarise_seeds,
)

_BASELINE = "max"
_COLUMNS: dict[str, Callable[[Run], float]] = {
    "clean": lambda run: run.measures.clean,
    "train": lambda run: run.measures.train,
    "corrupted": lambda run: fmean(
        value for values in run.measures.corruptions.values() for value in values
    ),
    "occluded": lambda run: fmean(
        value for place in run.measures.occlusions for value in place.test
    ),
    "shifted": lambda run: run.measures.shift_consistency,
}


def report(runs: Sequence[Run]) -> str:
    """Tables of accuracy by arm, and of the differences to max pooling, seed by seed.

    Example:
        >>> report([])
        ''
    """
    parts = []
    for (data, settings), group in comparable(runs).items():
        arms = list(dict.fromkeys(run.settings.arm for run in group))
        measured = bool(group[0].measures.corruptions)
        columns = {
            name: value
            for name, value in _COLUMNS.items()
            if measured or name in ("clean", "train")
        }
        parts.append(
            f"{settings.network}, {settings.train_pictures} pictures of {data}, "
            f"{settings.epochs} epochs; mean ± standard deviation over seeds in %\n"
        )
        parts.append(_line("arm", [*columns, "seeds"]))
        for arm in arms:
            found = [run for run in group if run.settings.arm == arm]
            cells = [
                _mean(summarise_seeds([value(run) for run in found])) for value in columns.values()
            ]
            parts.append(_line(arm, [*cells, str(len(found))]))
        parts.append(f"\ndifference to {_BASELINE} in points, 95 % interval over paired seeds\n")
        for arm in arms:
            differences = [
                paired_difference(group, arm, _BASELINE, value) for value in columns.values()
            ]
            if arm != _BASELINE and all(differences):
                parts.append(_line(arm, [_interval(found) for found in differences if found]))
        parts.append("\n")
    return "".join(parts)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:12}" + "".join(f"{cell:>24}" for cell in cells) + "\n"


def _mean(found: Summary) -> str:
    return f"{found.mean * 100:.2f} ± {found.deviation * 100:.2f}"


def _interval(found: Summary) -> str:
    low, high = found.low * 100, found.high * 100
    return f"{found.mean * 100:+.2f} ({low:+.2f} to {high:+.2f})"
