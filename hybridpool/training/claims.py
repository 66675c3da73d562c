"""The article's claims, judged by the runs: outcomes by family, and a verdict by rule.

The rules are those of ``assets/results/ANALYSIS.md``, which was written before the runs. Each
baseline is judged by itself. A verdict follows from the outcomes and from nothing else, and an
effect that could not be seen is never called refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hybridpool.training.comparisons import Comparison, Pair, family
from hybridpool.training.records import Run
from hybridpool.training.selection import (
    COMPLEX,
    SINGLE,
    SMALL_DATA,
    by_arm,
    by_network,
    by_start,
    few_pictures,
    judgeable,
    network_of,
)
from hybridpool.training.values import (
    CLEAN,
    CLEAN_OF_FEW,
    SHIFTED,
    Measure,
    bands,
    behind,
    gap,
    keeping,
    noises,
    occluders,
    under,
)

CLAIMS = (
    *("accuracy", "noise", "occlusion", "frequency", "start"),
    *("cost", "small_data", "size", "fine_grained", "medical"),
)
"""In the order of the page."""

PRIMARY = (*SINGLE, "fixed", "frozen")
"""What hybrid pooling is held against."""

BLENDS = ("hybrid", "channel", "attention")
"""The arms that are hybrid pooling: a blend weight a layer, one a channel, one from the picture."""

MIDDLE_START = 0.5
OTHER_STARTS = (0.02, 0.98, None)
"""Starts of the blend weight that 0.5 is held against; None is the article's draw."""

SMALL_COST = 0.05
ARTICLE_GAIN = 0.012
ARTICLE_NETWORK = ("resnet18", 64)
"""The network that the article speaks of, and its width."""


def precedence(runs: Sequence[Run]) -> tuple[bool, bool, int, int, int]:
    """By what groups of comparable runs are ordered; the greatest is shown first.

    The article's network comes first where it can be judged, then what can be judged at all, then
    most pictures, the largest network, most runs.

    Example:
        >>> from hybridpool.training.records import _example
        >>> precedence([_example("max", 0, 0.7)])[:3]
        (False, False, 50000)
    """
    judged = judgeable(runs)
    return (
        judged and network_of(runs[0]) == ARTICLE_NETWORK,
        judged,
        runs[0].settings.train_pictures,
        min(run.costs.parameters for run in runs),
        len(runs),
    )


@dataclass(frozen=True)
class Finding:
    """What the runs say of one claim.

    Attributes:
        claim: A key of `CLAIMS`.
        verdict: ``"confirmed"``: every condition holds; ``"depends"``: some do;
            ``"not_confirmed"``: none does; ``"open"``: too few runs to tell; ``"elsewhere"``:
            measured without training.
        arm: The hybrid pooling that was judged.
        comparisons: The primary comparisons, family by family.
        conditions: For each condition ``"holds"``, ``"refuted"``, ``"unseen"`` or ``"few"``.
        added: For the claim about cost, the added parameters by arm, as a share of those with max.
    """

    claim: str
    verdict: str
    arm: str
    comparisons: tuple[Comparison, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """The runs that are judged together.

    Attributes:
        runs: Runs that differ in arm and seed only.
        everything: These and all other runs of the same source.
        arm: The hybrid pooling that is judged, one of `BLENDS`.
    """

    runs: Sequence[Run]
    everything: Sequence[Run]
    arm: str
    _found: dict[str, Finding] = field(default_factory=dict, repr=False, compare=False)

    def finding(self, claim: str) -> Finding:
        """What the runs say of a claim.

        Example:
            >>> Evidence([], [], "hybrid").finding("size").verdict
            'unmeasured'
        """
        if claim not in self._found:
            self._found[claim] = judge(claim, self.runs, self.everything, self.arm)
        return self._found[claim]

    def against(self, claim: str) -> tuple[Comparison, ...]:
        """The arm minus each baseline, in the measure of a claim or in ``"shift"``.

        Example:
            >>> Evidence([], [], "hybrid").against("shift")
            ()
        """
        if claim in ("accuracy", "noise", "occlusion"):
            return self.finding(claim).comparisons
        if claim not in self._found:
            comparisons = against_baselines(self.runs, self.arm, measure_of(claim, self.runs))
            self._found[claim] = Finding(claim, "unmeasured", self.arm, comparisons)
        return self._found[claim].comparisons


def judge(claim: str, runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    """What runs say of a claim.

    Args:
        claim: A key of `CLAIMS`.
        runs: Runs that differ in arm and seed only.
        everything: These and other runs of the same source, with other networks or fewer pictures.
        arm: Which hybrid pooling is judged, one of `BLENDS`.

    Example:
        >>> judge("accuracy", [], [], "hybrid").verdict, judge("medical", [], [], "hybrid").verdict
        ('unmeasured', 'unmeasured')
    """
    if claim == "cost":
        return _judge_cost(runs, arm)
    if claim == "small_data":
        return _judge_small_data(runs, everything, arm)
    if claim == "start":
        return _judge_start(runs, everything, arm)
    if claim == "size":
        return _judge_size(runs, everything, arm)
    if claim == "frequency":
        return _judge_frequency(runs, arm)
    by = measure_of(claim, runs)
    finding = _finding(claim, arm, against_baselines(runs, arm, by), _ahead_of_both)
    return _open_if(any(by.value(run) is not None for run in runs), finding)


def measure_of(claim: str, runs: Iterable[Run]) -> Measure:
    """The measure of a claim; for a claim that nothing measures, a measure that no run has.

    Example:
        >>> measure_of("accuracy", []) is CLEAN
        True
    """
    runs = list(runs)
    if claim == "accuracy":
        few = any(run.settings.train_pictures <= SMALL_DATA for run in runs)
        return CLEAN_OF_FEW if few else CLEAN
    if claim == "noise":
        return under(noises(runs))
    if claim == "shift":
        return SHIFTED
    return behind(occluders(runs)) if claim == "occlusion" else under([])


def against_baselines(
    runs: Sequence[Run],
    arm: str,
    by: Measure,
    baselines: Sequence[str] = PRIMARY,
    condition: str = "",
) -> tuple[Comparison, ...]:
    """An arm minus each baseline, as one family.

    Frozen holds the weights that ``"hybrid"`` ended with, so it is a baseline of that arm alone.

    Example:
        >>> against_baselines([], "hybrid", CLEAN)
        ()
    """
    arms = by_arm(runs)
    return family(
        Pair(condition, arm, baseline, arms.get(arm, ()), arms.get(baseline, ()), by)
        for baseline in baselines
        if baseline != arm and (baseline != "frozen" or arm == "hybrid")
    )


def others_against(runs: Sequence[Run], arm: str) -> tuple[Comparison, ...]:
    """The accuracy of every further arm minus that of this one: which gains more than hybrid?

    Example:
        >>> others_against([], "hybrid")
        ()
    """
    arms = by_arm(runs)
    return family(
        Pair("", other, arm, ones, arms.get(arm, ()), measure_of("accuracy", runs))
        for other, ones in arms.items()
        if other not in (arm, *PRIMARY)
    )


# ---- the claims --------------------------------------------------------------------------------


def _judge_frequency(runs: Sequence[Run], arm: str) -> Finding:
    arms = by_arm(runs)
    comparisons = family(
        Pair(side, arm, baseline, arms.get(arm, ()), arms.get(baseline, ()), keeping(names))
        for side in ("low", "high")
        if (names := bands(runs, side))
        for baseline in SINGLE
    )
    finding = _finding("frequency", arm, comparisons, _one_of_both)
    return _open_if(any(bands(runs, side) for side in ("low", "high")), finding)


def _judge_start(runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    starts, by = by_start(runs, everything), replace(CLEAN, paired=True)
    comparisons = family(
        Pair("", str(MIDDLE_START), str(start), starts[MIDDLE_START], starts[start], by)
        for start in OTHER_STARTS
        if MIDDLE_START in starts and start in starts
    )
    ends = tuple(map(str, OTHER_STARTS[:2]))
    return _finding("start", arm, comparisons, lambda ones: _ahead_of_both(ones, ends))


def _judge_cost(runs: Sequence[Run], arm: str) -> Finding:
    counts = {run.settings.arm: run.costs.parameters for run in runs}
    plain = counts.get("max", 0)
    if not plain or arm not in counts:
        return Finding("cost", "unmeasured", arm)
    added = {name: count / plain - 1 for name, count in counts.items() if name != "max"}
    little = added[arm] <= SMALL_COST
    return Finding("cost", "confirmed" if little else "refuted", arm, added=added)


def _judge_small_data(runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    comparisons: list[Comparison] = []
    for size, few in few_pictures(runs, everything).items():
        arms = by_arm(few)
        comparisons += family(
            Pair(f"{size} {blend}", blend, "hybrid", arms[blend], arms["hybrid"], by, name)
            for blend in COMPLEX
            if blend in arms
            for name, by in (("accuracy", CLEAN_OF_FEW), ("gap", Measure(gap)))
        )
    return _finding("small_data", arm, comparisons, _overfits)


def _judge_size(runs: Sequence[Run], everything: Sequence[Run], arm: str) -> Finding:
    networks = by_network(runs, everything)
    comparisons = [
        one
        for (name, width), ones in networks.items()
        for one in against_baselines(
            ones, arm, measure_of("accuracy", ones), condition=f"{name} {width}"
        )
        if one.baseline in SINGLE
    ]
    finding = _finding("size", arm, comparisons, _ahead_of_both)
    judged = [state for state in finding.conditions.values() if state != "few"]
    if len(networks) < 2:
        return replace(finding, verdict="unmeasured")
    return replace(finding, verdict="open") if len(judged) < 2 else finding


def _finding(
    claim: str,
    arm: str,
    comparisons: Sequence[Comparison],
    rule: Callable[[Sequence[Comparison]], str],
) -> Finding:
    """What the comparisons say, condition by condition, by the rule of the claim."""
    by_condition: dict[str, list[Comparison]] = {}
    for one in comparisons:
        by_condition.setdefault(one.condition, []).append(one)
    conditions = {condition: rule(ones) for condition, ones in by_condition.items()}
    return Finding(claim, verdict_of(conditions.values()), arm, tuple(comparisons), conditions)


def _open_if(measured: bool, finding: Finding) -> Finding:
    """What was measured, but on no two sides that can be compared, has too few runs."""
    return replace(finding, verdict="open") if measured and not finding.comparisons else finding


def verdict_of(conditions: Iterable[str]) -> str:
    """The verdict of several conditions together; those with too few runs do not count.

    Example:
        >>> verdict_of(["holds", "unseen"]), verdict_of(["refuted", "unseen"]), verdict_of([])
        ('depends', 'partly_refuted', 'unmeasured')
    """
    states = list(conditions)
    judged = [one for one in states if one != "few"]
    if not judged:
        return "open" if states else "unmeasured"
    if "holds" in judged:
        return "confirmed" if set(judged) == {"holds"} else "depends"
    if "refuted" in judged:
        return "refuted" if set(judged) == {"refuted"} else "partly_refuted"
    return "unseen"


def _ahead_of_both(comparisons: Sequence[Comparison], baselines: tuple[str, ...] = SINGLE) -> str:
    """Whether the arm beats both single poolings: refuted as soon as one of them is as good."""
    outcomes = {one.baseline: one.outcome for one in comparisons if one.baseline in baselines}
    if len(outcomes) < len(baselines) or "few" in outcomes.values():
        return "few"
    if set(outcomes.values()) == {"ahead"}:
        return "holds"
    return "refuted" if {"behind", "equivalent"} & set(outcomes.values()) else "unseen"


def _one_of_both(comparisons: Sequence[Comparison]) -> str:
    """Whether the arm beats one single pooling and is worse than neither."""
    outcomes = [one.outcome for one in comparisons]
    if len(outcomes) < len(SINGLE) or "few" in outcomes:
        return "few"
    if "behind" in outcomes or set(outcomes) == {"equivalent"}:
        return "refuted"
    return "holds" if "ahead" in outcomes else "unseen"


def _overfits(comparisons: Sequence[Comparison]) -> str:
    """Whether complex blending beats simple blending in training and loses to it in the test."""
    outcomes = {one.measure: one.outcome for one in comparisons}
    if len(outcomes) < 2 or "few" in outcomes.values():
        return "few"
    if outcomes["gap"] in ("behind", "equivalent") or outcomes["accuracy"] in (
        "ahead",
        "equivalent",
    ):
        return "refuted"
    holds = outcomes == {"gap": "ahead", "accuracy": "behind"}
    return "holds" if holds else "unseen"
