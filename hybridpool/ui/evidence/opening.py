"""What a practitioner asks first: what hybrid pooling gains, what it costs, what gains more."""

from __future__ import annotations

from collections.abc import Sequence

from hybridpool.training import claims
from hybridpool.training.claims import Evidence
from hybridpool.training.records import Run
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.numbers import inside, interval, low, signed
from hybridpool.ui.evidence.outcomes import clause
from hybridpool.ui.evidence.words import arm_names
from hybridpool.ui.phrases import joined, paragraph
from hybridpool.ui.words import _


def gains(evidence: Evidence) -> str:
    """What hybrid pooling gains over the single poolings, in one sentence."""
    comparisons = [one for one in evidence.against("accuracy") if one.baseline in claims.SINGLE]
    if not comparisons:
        return ""
    first = evidence.runs[0].settings
    return _(
        "**What it gains.** On this network ({network}), **{arm}** is {clauses}, in points of "
        "test accuracy with 95 % intervals."
    ).format(
        network=low(names.network_name(first.network, first.width)),
        arm=arm_names()[evidence.arm],
        clauses=_("; ").join(clause(one) for one in comparisons),
    )


def price(evidence: Evidence) -> str:
    """What it costs, and what gains more, in one sentence or two."""
    said = [_cost(evidence), _steadiness(evidence), _more(evidence)]
    return paragraph([_("**What it costs, and what gains more.**"), *said]) if any(said) else ""


def _cost(evidence: Evidence) -> str:
    added = evidence.finding("cost").added
    if evidence.arm not in added:
        return ""
    return _(
        "It adds {count} parameters ({percent} %); its time is measured on the page Cost."
    ).format(
        count=f"{added_parameters(evidence.runs, evidence.arm):,}",
        percent=signed(added[evidence.arm], 3),
    )


def added_parameters(runs: Sequence[Run], arm: str) -> int:
    """How many parameters a network has more with an arm than with max pooling."""
    counts = {run.settings.arm: run.costs.parameters for run in runs}
    return counts[arm] - counts["max"]


def _steadiness(evidence: Evidence) -> str:
    """Where hybrid pooling is behind a single pooling in consistency under shifts."""
    behind = [
        one
        for one in evidence.against("shift")
        if one.baseline in claims.SINGLE and one.outcome == "behind"
    ]
    return paragraph(
        _(
            "The predicted class changes more often under shifts than with {name}: {interval} "
            "points."
        ).format(name=inside(one.baseline), interval=interval(one.difference))
        for one in behind
    )


def _more(evidence: Evidence) -> str:
    others = claims.others_against(evidence.runs, evidence.arm)
    judged = [one for one in others if one.outcome != "few"]
    ahead = sorted(
        (one for one in judged if one.outcome == "ahead"), key=lambda one: -one.difference.mean
    )
    if ahead:
        return _("More is gained here by {list} points over {arm}.").format(
            arm=inside(evidence.arm),
            list=joined([f"{inside(one.arm)} {interval(one.difference)}" for one in ahead]),
        )
    if judged:
        return _("None of {count} further poolings was seen to gain more.").format(
            count=len(judged)
        )
    return ""
