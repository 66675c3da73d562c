"""Compare the runs of two poolings: the difference, its interval, and the outcome.

The rules are those of ``assets/results/ANALYSIS.md``, which was written before the runs.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from hybridpool.training.records import Run
from hybridpool.training.values import Measure, Value

MIN_SEEDS = 3
LEVEL = 0.05
POWER = 0.8
RESAMPLES = 2000
_QUANTILES = 100
#: Accuracies are shares of so few pictures that a spread below this is none.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """The mean of one side minus that of the other.

    Attributes:
        mean: The difference, as a share of 1.
        low: Lower end of the 95 % interval; the mean itself where a side has one run.
        high: Upper end.
        inner: The 90 % interval: inside a margin, two one-sided tests at 5 % say equivalent.
        p: The p value of a difference from 0.
        error: The standard error, from the pooled spread of both sides.
        freedom: Degrees of freedom of that spread.
        counts: How many runs each side has; for a paired difference, the number of pairs twice.
        pictures: How many pictures count as a sample besides the seeds; 0 if only the seeds do.
        welch: Whether the test is Welch's, which does not take the spreads of the sides for equal.
    """

    mean: float
    low: float
    high: float
    inner: tuple[float, float]
    p: float
    error: float
    freedom: float
    counts: tuple[int, int]
    pictures: int = 0
    welch: bool = False

    def visible(self, level: float = LEVEL) -> float:
        """The smallest difference that the test at this level sees with 80 % power.

        The true spread is taken to be the one that was found, and equal on both sides.

        Example:
            >>> found = Difference(0, 0, 0, (0, 0), 1, error=0.1, freedom=8, counts=(5, 5))
            >>> round(found.visible(), 3)  # 3.2 standard errors
            0.32
        """
        if not self.freedom:
            return math.inf
        if self.welch:
            return _seen_by_welch(self.counts, level) * self.error
        critical = float(stats.t.isf(level / 2, self.freedom))
        size = brentq(
            lambda shift: stats.nct.sf(critical, self.freedom, shift) - POWER, 0, 2 * critical + 2
        )
        return float(size) * self.error


@dataclass(frozen=True)
class Comparison:
    """One pooling against another under one condition.

    Attributes:
        condition: What both have in common, for example a network or a number of pictures.
        arm: The pooling that is judged.
        baseline: The pooling that it is compared with.
        measure: What is compared: ``"accuracy"`` or ``"gap"``.
        difference: The arm minus the baseline.
        outcome: ``"ahead"`` or ``"behind"`` after Holm's correction in its family, else
            ``"equivalent"`` within the margin or ``"undecided"``; ``"few"`` with fewer than
            `MIN_SEEDS` seeds.
        margin: Differences within it count as equivalent.
        visible: The difference that would be seen with 80 % power at the family's strictest step.
    """

    condition: str
    arm: str
    baseline: str
    measure: str
    difference: Difference
    outcome: str
    margin: float
    visible: float

    @property
    def within(self) -> bool:
        """Whether the 90 % interval lies inside the margin, which an outcome may hide."""
        low, high = self.difference.inner
        return self.outcome != "few" and -self.margin < low and high < self.margin


class Pair(NamedTuple):
    """One comparison of a `family`: the runs of two sides, their measure, and their names."""

    condition: str
    arm: str
    baseline: str
    ours: Sequence[Run]
    theirs: Sequence[Run]
    by: Measure
    measure: str = "accuracy"


def family(pairs: Iterable[Pair]) -> tuple[Comparison, ...]:
    """Compare each pair, with Holm's correction over all; pairs without runs are left out.

    Example:
        >>> family([])
        ()
    """
    known = [
        (pair, delta) for pair in pairs if (delta := difference(pair.ours, pair.theirs, pair.by))
    ]
    judged = [place for place, (_, delta) in enumerate(known) if min(delta.counts) >= MIN_SEEDS]
    significant = {judged[place] for place in holm([known[place][1].p for place in judged], LEVEL)}
    return tuple(
        Comparison(
            condition=pair.condition,
            arm=pair.arm,
            baseline=pair.baseline,
            measure=pair.measure,
            difference=delta,
            outcome=_outcome(delta, pair.by.margin, place in significant),
            margin=pair.by.margin,
            visible=delta.visible(LEVEL / max(1, len(judged))),
        )
        for place, (pair, delta) in enumerate(known)
    )


def holm(values: Sequence[float], level: float) -> set[int]:
    """The places of the p values that are significant after Holm's correction.

    Example:
        >>> sorted(holm([0.03, 0.01, 0.2], 0.05))  # 0.01 < 0.05 / 3, but 0.03 > 0.05 / 2
        [1]
    """
    significant: set[int] = set()
    for place in sorted(range(len(values)), key=values.__getitem__):
        if values[place] > level / (len(values) - len(significant)):
            break
        significant.add(place)
    return significant


def difference(ours: Iterable[Run], theirs: Iterable[Run], by: Measure) -> Difference | None:
    """The mean of a measure over some runs minus that over others; None where a side is empty.

    Without pairs the test is Welch's. With pairs it is over the seeds that both sides have; where
    every run says which pictures were right, it is over seeds and pictures at once.

    Example:
        >>> from hybridpool.training.records import _example
        >>> from hybridpool.training.values import CLEAN
        >>> ours = [_example("hybrid", seed, 0.7 + seed / 100) for seed in range(3)]
        >>> theirs = [_example("max", seed, 0.6 + seed / 100) for seed in range(3)]
        >>> found = difference(ours, theirs, CLEAN)
        >>> round(found.mean, 3), round(found.high - found.mean, 4)  # 2.776 * 0.01 * sqrt(2 / 3)
        (0.1, 0.0227)
    """
    first, second = by_seed(ours, by.value), by_seed(theirs, by.value)
    if by.paired:
        shared = sorted(first.keys() & second.keys())
        first = {seed: first[seed] for seed in shared}
        second = {seed: second[seed] for seed in shared}
    if not first or not second:
        return None
    a = np.array([value for _, value in first.values()])
    b = np.array([value for _, value in second.values()])
    if min(len(a), len(b)) == 1:
        return _from_student(float(a.mean() - b.mean()), math.inf, 0, (len(a), len(b)))
    if not by.paired:
        return _welch(a, b)
    table = _pictures(first, second, by)
    return _crossed(table) if table is not None else _paired(a, b)


def by_seed(runs: Iterable[Run], value: Value) -> dict[int, tuple[Run, float]]:
    """The run and the value of each seed whose value is known.

    Example:
        >>> by_seed([], lambda run: 1.0)
        {}
    """
    return {run.settings.seed: (run, number) for run in runs if (number := value(run)) is not None}


@lru_cache(maxsize=256)
def _seen_by_welch(counts: tuple[int, int], level: float) -> float:
    """How many standard errors Welch's test sees with 80 % power where both spreads are equal.

    Its degrees of freedom follow the spreads of the samples, so its power is the mean over these:
    here over a grid of their quantiles.
    """
    quantiles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    first, second = np.meshgrid(
        *(stats.chi2.ppf(quantiles, count - 1) / (count - 1) / count for count in counts)
    )
    freedom = (first + second) ** 2 / (first**2 / (counts[0] - 1) + second**2 / (counts[1] - 1))
    error = math.sqrt(1 / counts[0] + 1 / counts[1])
    critical = stats.t.isf(level / 2, freedom) * np.sqrt(first + second) / error

    def power(shift: float) -> float:
        return float((stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift)).mean())

    return float(brentq(lambda shift: power(shift) - POWER, 0, float(critical.max()) + 2))


def _outcome(delta: Difference, margin: float, significant: bool) -> str:
    if min(delta.counts) < MIN_SEEDS:
        return "few"
    if significant:
        return "ahead" if delta.mean > 0 else "behind"
    return "equivalent" if -margin < delta.inner[0] and delta.inner[1] < margin else "undecided"


def _from_student(
    mean: float, error: float, freedom: float, counts: tuple[int, int], pictures: int = 0
) -> Difference:
    """A difference with a known standard error: one run has none, equal runs have 0."""
    if not freedom or error < _ROUNDING:
        p = float(not freedom or not mean)
        return Difference(mean, mean, mean, (mean, mean), p, error, freedom, counts, pictures)
    low, high = stats.t.interval(1 - LEVEL, freedom, mean, error)
    inner = stats.t.interval(1 - 2 * LEVEL, freedom, mean, error)
    return Difference(
        mean,
        float(low),
        float(high),
        (float(inner[0]), float(inner[1])),
        float(2 * stats.t.sf(abs(mean) / error, freedom)),
        error,
        freedom,
        counts,
        pictures,
    )


def _welch(a: NDArray[np.float64], b: NDArray[np.float64]) -> Difference:
    counts = (len(a), len(b))
    freedom = len(a) + len(b) - 2
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom
    error = math.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    mean = float(a.mean() - b.mean())
    if error < _ROUNDING:
        return _from_student(mean, 0.0, freedom, counts)
    with warnings.catch_warnings():
        # Runs of one pooling may all come to the same accuracy, which is no loss of precision.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        test = stats.ttest_ind(a, b, equal_var=False)
    return _of_test(test, mean, error, freedom, counts, welch=True)


def _paired(a: NDArray[np.float64], b: NDArray[np.float64]) -> Difference:
    error = float(stats.sem(a - b))
    mean, counts = float((a - b).mean()), (len(a), len(b))
    if error < _ROUNDING:
        return _from_student(mean, 0.0, len(a) - 1, counts)
    return _of_test(stats.ttest_rel(a, b), mean, error, len(a) - 1, counts)


def _of_test(
    test: Any,
    mean: float,
    error: float,
    freedom: int,
    counts: tuple[int, int],
    *,
    welch: bool = False,
) -> Difference:
    """The difference that one of scipy's t tests finds."""
    outer, inner = (test.confidence_interval(level) for level in (1 - LEVEL, 1 - 2 * LEVEL))
    return Difference(
        mean,
        float(outer.low),
        float(outer.high),
        (float(inner.low), float(inner.high)),
        float(test.pvalue),
        error,
        freedom,
        counts,
        welch=welch,
    )


def _pictures(
    first: dict[int, tuple[Run, float]], second: dict[int, tuple[Run, float]], by: Measure
) -> NDArray[np.float64] | None:
    """The difference for each seed and picture; None where a run does not say."""
    if by.right is None:
        return None
    rows = []
    for seed in first:
        ours, theirs = by.right(first[seed][0]), by.right(second[seed][0])
        if ours is None or theirs is None or len(ours) != len(theirs):
            return None
        rows.append(ours - theirs)
    return np.stack(rows) if len({len(row) for row in rows}) == 1 else None


def _crossed(table: NDArray[np.float64]) -> Difference:
    """Resample seeds and pictures at once; the plan says why this gives only the error."""
    seeds, pictures = table.shape
    by_seeds, by_pictures = _resamples(seeds, pictures)
    means = (by_seeds * (by_pictures @ table.T.astype(np.float32))).sum(1) / table.size
    error = float(means.std(ddof=1)) * math.sqrt(seeds / (seeds - 1))
    return _from_student(float(table.mean()), error, seeds - 1, (seeds, seeds), pictures)


@lru_cache(maxsize=4)
def _resamples(seeds: int, pictures: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How often each seed and each picture is drawn in every resample, from seed 0."""
    generator = np.random.default_rng(0)
    drawn = [
        generator.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float32)
        for count in (seeds, pictures)
    ]
    return drawn[0], drawn[1]
