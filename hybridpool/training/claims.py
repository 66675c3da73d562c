"""The article's claims against what networks did: numbers, intervals, and a verdict by rule.

A claim is judged by comparisons. Each is the difference between two poolings, paired over seeds,
with a confidence interval: the claim holds there if the interval lies wholly on its side. Hybrid
pooling has to be ahead of max *and* of average pooling, which is a test of the better of the two
without choosing it first; so no correction is made for there being two. Where a claim is looked at
under several conditions, each interval is widened (Bonferroni) so that for either of the two
poolings all of them hold together with 95 % certainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeVar

from hybridpool.training.results import Run, Summary, comparable, paired_difference

CLAIMS = ("accuracy", "noise", "occlusion", "frequency", "start", "cost", "small_data", "size")
"""In the order of the page."""

SINGLE = ("max", "average")
"""The single poolings: a claim has to hold against both."""

BLENDS = ("hybrid", "channel", "attention")
"""The arms that are hybrid pooling: a blend weight a layer, one a channel, one from the picture."""

COMPLEX = ("channel", "attention")
"""The arms with more than one blend weight a layer."""

MIN_SEEDS = 3
SMALL_DATA = 5000
SMALL_COST = 0.05
ARTICLE_GAIN = 0.012
ARTICLE_NETWORK = "resnet18"

Value = Callable[[Run], float | None]
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Comparison:
    """One pooling against another under one condition.

    Attributes:
        condition: What both were put to, for example a kind of noise.
        arm: The pooling that is judged.
        baseline: The one that it is held against.
        difference: Paired over seeds; for costs the relative one.
        outcome: ``"for"`` the claim if the interval lies wholly on its side, ``"against"`` if
            wholly on the other, ``"neither"``, or ``"few"`` with fewer than `MIN_SEEDS` seeds.
    """

    condition: str
    arm: str
    baseline: str
    difference: Summary
    outcome: str


@dataclass(frozen=True)
class Finding:
    """What the runs say of one claim.

    Attributes:
        claim: A key of `CLAIMS`.
        verdict: ``"confirmed"``: every condition holds; ``"depends"``: some do;
            ``"not_confirmed"``: none does; ``"open"``: too few runs to tell; ``"elsewhere"``:
            measured without training.
        arm: The hybrid pooling that was judged.
        comparisons: All of them, by condition, each with max and then average pooling.
        confidence: Of each interval alone.
    """

    claim: str
    verdict: str
    arm: str
    comparisons: tuple[Comparison, ...] = ()
    confidence: float = 0.95

    def conditions(self) -> dict[tuple[str, str], list[Comparison]]:
        """The comparisons by condition and arm."""
        found: dict[tuple[str, str], list[Comparison]] = {}
        for one in self.comparisons:
            found.setdefault((one.condition, one.arm), []).append(one)
        return found

    def holding(self) -> list[tuple[str, str]]:
        """The conditions, with their arms, under which the claim holds against both."""
        return [key for key, ones in self.conditions().items() if _holds(ones)]


def judge(claim: str, runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    """What runs say of a claim.

    Args:
        claim: A key of `CLAIMS`.
        runs: Runs that differ in arm and seed only.
        everything: These and others of the same source, with other networks or fewer pictures.
        arm: Which hybrid pooling is judged, one of `BLENDS`.

    Example:
        >>> judge("frequency", [], [], "hybrid").verdict
        'elsewhere'
        >>> judge("accuracy", [], [], "hybrid").verdict
        'open'
    """
    if claim in ("frequency", "start"):
        return Finding(claim, "elsewhere", arm)
    if claim == "small_data":
        return _judge_small_data(runs, everything, arm)
    if claim == "size":
        return _judge_size(runs, everything, arm)
    trials = [(name, runs, arm, value) for name, value in measures(claim, runs).items()]
    if claim == "cost":
        found = _judge(claim, arm, trials, limit=math.log1p(SMALL_COST), above=False)
        return replace(found, comparisons=tuple(map(_as_ratio, found.comparisons)))
    return _judge(claim, arm, trials)


def measures(claim: str, runs: Iterable[Run]) -> dict[str, Value]:
    """What a claim is measured by, under each of its conditions.

    Example:
        >>> list(measures("accuracy", [])), list(measures("noise", []))
        (['clean'], [])
    """
    runs = list(runs)
    if claim == "accuracy":
        return {"clean": clean}
    if claim == "noise":
        return {name: under(name) for name in noises(runs)}
    if claim == "occlusion":
        return {place: behind(place) for place in occluders(runs)}
    return {"parameters": _log_parameters, "time": _log_time}


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
    """The occluders that runs were measured behind, each as shape and fill.

    Example:
        >>> occluders([])
        []
    """
    return list(
        dict.fromkeys(f"{at.shape} {at.fill}" for run in runs for at in run.measures.occlusions)
    )


def clean(run: Run) -> float | None:
    """Accuracy on all test pictures.

    Example:
        >>> from hybridpool.training.results import _example
        >>> clean(_example("max", 0, 0.7))
        0.7
    """
    return run.measures.clean


def under(corruption: str) -> Value:
    """Accuracy under a corruption, the mean over its severities.

    Example:
        >>> from hybridpool.training.results import _example
        >>> under("shot_noise")(_example("max", 0, 0.7)) is None
        True
    """

    def value(run: Run) -> float | None:
        found = run.measures.corruptions.get(corruption)
        return fmean(found) if found else None

    return value


def behind(occluder: str) -> Value:
    """Accuracy behind an occluder, the mean over its sizes.

    Example:
        >>> from hybridpool.training.results import _example
        >>> behind("block grey")(_example("max", 0, 0.7)) is None
        True
    """

    def value(run: Run) -> float | None:
        for at in run.measures.occlusions:
            if f"{at.shape} {at.fill}" == occluder and at.test:
                return fmean(at.test)
        return None

    return value


def mean_of(values: Iterable[Value]) -> Value:
    """The mean of several values of a run; None where one of them is.

    Example:
        >>> from hybridpool.training.results import _example
        >>> mean_of([clean, lambda run: 0.5])(_example("max", 0, 0.7))
        0.6
    """
    values = list(values)

    def value(run: Run) -> float | None:
        found = [each(run) for each in values]
        known = [each for each in found if each is not None]
        return fmean(known) if known and len(known) == len(found) else None

    return value


def loss_of(value: Value) -> Value:
    """How much accuracy is lost from the same pictures unchanged.

    Example:
        >>> from hybridpool.training.results import _example
        >>> round(loss_of(lambda run: 0.5)(_example("max", 0, 0.7)), 3)
        0.2
    """

    def lost(run: Run) -> float | None:
        found = value(run)
        return None if found is None else run.measures.clean_of_these - found

    return lost


def iocclusion(occluders: Sequence[str]) -> Value:
    """iOcclusion, the mean over some occluders and their sizes; None where it is not known.

    Example:
        >>> from hybridpool.training.results import _example
        >>> iocclusion(["block grey"])(_example("max", 0, 0.7)) is None
        True
    """

    def value(run: Run) -> float | None:
        found = [
            ratio
            for at in run.measures.occlusions
            if f"{at.shape} {at.fill}" in occluders
            for ratio in at.iocclusion
            if ratio is not None
        ]
        return fmean(found) if found else None

    return value


def gap(run: Run) -> float | None:
    """How much better training pictures are known than test pictures.

    Example:
        >>> from hybridpool.training.results import _example
        >>> gap(_example("max", 0, 0.7))
        0.0
    """
    return run.measures.train - run.measures.clean


def consistency(run: Run) -> float | None:
    """Share of pictures whose class a shift does not change; None if that was not measured.

    Example:
        >>> from hybridpool.training.results import _example
        >>> consistency(_example("max", 0, 0.7)) is None  # measured on no picture
        True
    """
    return run.measures.shift_consistency if run.measures.pictures else None


def _log_parameters(run: Run) -> float | None:
    return math.log(run.costs.parameters) if run.costs.parameters > 0 else None


def _log_time(run: Run) -> float | None:
    return math.log(run.costs.seconds_per_step) if run.costs.seconds_per_step > 0 else None


def by_size(runs: Sequence[Run], everything: Sequence[Run]) -> dict[int, list[Run]]:
    """Runs of the same network on the same data, by the number of training pictures, rising.

    Where one number was run with several settings, the ones like `runs` count, else the most.

    Example:
        >>> by_size([], [])
        {}
    """
    if not runs:
        return {}
    name, network = runs[0].data["name"], runs[0].settings.network
    alike = [
        run for run in everything if (run.data["name"], run.settings.network) == (name, network)
    ]
    return dict(sorted(_largest(alike, runs, lambda run: run.settings.train_pictures).items()))


def by_network(runs: Sequence[Run], everything: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs on the same data and as many pictures, by network, the one with fewest parameters first.

    Example:
        >>> by_network([], [])
        {}
    """
    if not runs:
        return {}
    name, count = runs[0].data["name"], runs[0].settings.train_pictures
    alike = [
        run
        for run in everything
        if (run.data["name"], run.settings.train_pictures) == (name, count)
    ]
    found = _largest(alike, runs, lambda run: run.settings.network)
    return dict(sorted(found.items(), key=lambda item: item[1][0].costs.parameters))


def _largest(
    everything: Iterable[Run], first: Sequence[Run], key: Callable[[Run], _Key]
) -> dict[_Key, list[Run]]:
    """For each key one group of comparable runs: that of `first`, else the largest."""
    found: dict[_Key, list[Run]] = {key(first[0]): list(first)}
    for group in comparable(everything).values():
        name = key(group[0])
        if name != key(first[0]) and len(group) > len(found.get(name, [])):
            found[name] = group
    return found


def _judge_small_data(runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    sizes = {size: few for size, few in by_size(runs, everything).items() if size <= SMALL_DATA}
    trials = [
        (str(size), few, blend, gap)
        for size, few in sizes.items()
        for blend in COMPLEX
        if any(run.settings.arm == blend for run in few)
    ]
    return _judge("small_data", arm, trials)


def _judge_size(runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    networks = by_network(runs, everything)
    trials = [(network, ones, arm, clean) for network, ones in networks.items()]
    found = _judge("size", arm, trials)
    if sum(not _few(ones) for ones in found.conditions().values()) < 2:
        return replace(found, verdict="open")
    return found


def _judge(
    claim: str,
    arm: str,
    trials: Sequence[tuple[str, Sequence[Run], str, Value]],
    *,
    limit: float = 0.0,
    above: bool = True,
) -> Finding:
    """The finding of comparisons of an arm with the single poolings, condition by condition."""
    enough = [trial for trial in trials if _judged_seeds(*trial[1:]) >= MIN_SEEDS]
    confidence = 1 - 0.05 / max(1, len(enough))
    comparisons = []
    for condition, runs, blend, value in trials:
        for baseline in SINGLE:
            found = paired_difference(runs, blend, baseline, value, confidence)
            if found is not None:
                outcome = _outcome(found, limit, above)
                comparisons.append(Comparison(condition, blend, baseline, found, outcome))
    finding = Finding(claim, "open", arm, tuple(comparisons), confidence)
    judged = [ones for ones in finding.conditions().values() if not _few(ones)]
    if not judged:
        return finding
    if all(map(_holds, judged)):
        verdict = "confirmed"
    elif any(one.outcome == "for" for ones in judged for one in ones):
        verdict = "depends"
    else:
        verdict = "not_confirmed"
    return replace(finding, verdict=verdict)


def _judged_seeds(runs: Sequence[Run], arm: str, value: Value) -> int:
    found = [paired_difference(runs, arm, baseline, value) for baseline in SINGLE]
    return min(0 if one is None else one.count for one in found)


def _outcome(difference: Summary, limit: float, above: bool) -> str:
    if difference.count < MIN_SEEDS:
        return "few"
    if difference.low > limit:
        return "for" if above else "against"
    if difference.high < limit:
        return "against" if above else "for"
    return "neither"


def _few(comparisons: Sequence[Comparison]) -> bool:
    """Whether a condition cannot be judged: a single pooling or too many seeds are missing."""
    return len(comparisons) < len(SINGLE) or any(one.outcome == "few" for one in comparisons)


def _holds(comparisons: Sequence[Comparison]) -> bool:
    return not _few(comparisons) and all(one.outcome == "for" for one in comparisons)


def _as_ratio(one: Comparison) -> Comparison:
    """A difference of logarithms as the relative difference that it is."""
    at = one.difference
    mean, low, high = (math.expm1(value) for value in (at.mean, at.low, at.high))
    return replace(one, difference=Summary(mean, at.deviation, low, high, at.count))
