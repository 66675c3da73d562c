"""What a practitioner asks first: what hybrid pooling gains, what it costs, what gains more."""

from __future__ import annotations

from collections.abc import Sequence

from hybridpool.training import claims
from hybridpool.training.claims import Evidence
from hybridpool.training.comparisons import Comparison
from hybridpool.training.records import Run
from hybridpool.training.selection import SINGLE, Network, by_arm, by_network, network_of
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.numbers import inside, interval, low, signed
from hybridpool.ui.evidence.outcomes import clause
from hybridpool.ui.evidence.words import arm_names
from hybridpool.ui.phrases import joined, paragraph
from hybridpool.ui.words import _


def gains(evidence: Evidence) -> str:
    """What hybrid pooling gains over the single poolings, in one sentence."""
    comparisons = [one for one in evidence.against("accuracy") if one.baseline in SINGLE]
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
        if one.baseline in SINGLE and one.outcome == "behind"
    ]
    return paragraph(
        _(
            "The predicted class changes more often under shifts than with {name}: {interval} "
            "points."
        ).format(name=inside(one.baseline), interval=interval(one.difference))
        for one in behind
    )


def _more(evidence: Evidence) -> str:
    """Which further poolings gain more: on this network, else on the one with most of them."""
    groups = by_network(evidence.runs, evidence.everything).values()
    candidates = [evidence.runs, *sorted(groups, key=lambda runs: -len(by_arm(runs)))]
    for runs in candidates:
        others = claims.others_against(runs, evidence.arm)
        judged = [one for one in others if one.outcome != "few"]
        if judged:
            elsewhere = network_of(runs[0]) != network_of(evidence.runs[0])
            return _gain_more(judged, evidence.arm, network_of(runs[0]) if elsewhere else None)
    return ""


def _gain_more(judged: Sequence[Comparison], arm: str, elsewhere: Network | None) -> str:
    words = {
        "arm": inside(arm),
        "count": len(judged),
        "network": low(names.network_name(*elsewhere)) if elsewhere else "",
    }
    ahead = [one for one in judged if one.outcome == "ahead"]
    if ahead:
        ahead.sort(key=lambda one: -one.difference.mean)
        said = (
            _(
                "On another network ({network}), more is gained by {list} points over {arm} "
                "(exploratory)."
            )
            if elsewhere
            else _("More is gained here by {list} points over {arm} (exploratory).")
        )
        gains = [f"{inside(one.arm)} {interval(one.difference)}" for one in ahead]
        return said.format(**words, list=joined(gains))
    said = (
        _("Of {count} further poolings on another network ({network}), none was seen to gain more.")
        if elsewhere
        else _("None of {count} further poolings was seen to gain more.")
    )
    return said.format(**words)
