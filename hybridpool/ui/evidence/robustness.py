"""Noise and occlusion: how accuracy falls, where it falls less, and what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import streamlit as st

from hybridpool.training import claims, values
from hybridpool.training.claims import Evidence
from hybridpool.training.comparisons import Comparison, Difference, difference
from hybridpool.training.curves import corruption_lines, occlusion_lines, values_by_arm
from hybridpool.training.selection import SINGLE, by_arm
from hybridpool.training.summary import summarise_seeds
from hybridpool.training.values import Measure
from hybridpool.ui.charts import show_chart, show_table
from hybridpool.ui.evidence import numbers, outcomes, sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.parts import (
    arms,
    as_points,
    say,
    show_forest,
    show_primary,
)
from hybridpool.ui.evidence.state import STATE
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import lines_chart


def show_robustness(evidence: Evidence, claim: str) -> None:
    """Accuracy on changed pictures, of the claim "noise" or "occlusion"."""
    noise = claim == "noise"
    of_claim = (values.noises if noise else values.occluders)(evidence.runs)
    shown = (values.corruptions if noise else values.occluders)(evidence.runs)
    if not of_claim:
        return
    chosen = _show_changes(shown, _("All noise") if noise else _("All occluders"))
    taken = [chosen] if chosen else of_claim
    measure = values.under if noise else values.behind
    comparisons = evidence.finding(claim).comparisons
    left, right = st.columns(2, gap="large")
    with left:
        _show_lines(evidence, noise, taken)
    with right:
        show_primary(comparisons, "robustness_forest")
    singles = _kind_by_kind(evidence, {name: measure([name]) for name in of_claim})
    _show_kinds(singles)
    _show_losses(evidence, measure(taken), taken)
    say(
        [
            sentences.kind_by_kind(singles),
            sentences.what_learning_is_worth(comparisons),
            outcomes.resolution(comparisons),
            outcomes.sampled(comparisons),
        ]
    )


def _show_changes(shown: Sequence[str], together: str) -> str:
    """Which corruption or occluder is shown; "" is all of the claim together."""
    titles = {"": together} | {name: names.named(names.condition_names(), name) for name in shown}
    chosen = STATE.chosen().change
    chosen = chosen if chosen in titles else ""
    STATE.control(st.selectbox, "change", _("What the pictures go through"), options=titles)
    return chosen


def _show_lines(evidence: Evidence, noise: bool, taken: Sequence[str]) -> None:
    lines = (corruption_lines if noise else occlusion_lines)(evidence.runs, taken)
    show_chart(
        lines_chart(
            as_points(lines),
            {
                **arms(lines),
                "x": _("Severity, 0 is unchanged")
                if noise
                else _("Side of the occluder in pixels"),
                "y": _("Accuracy"),
            },
        ),
        key="robustness",
        alt=_("Accuracy by pooling, from unchanged to strongly changed pictures"),
    )
    pictures = max(run.measures.pictures for run in evidence.runs)
    words = (
        _(
            "Means over seeds with 95 % bands, on the first {pictures} test pictures. The noise "
            "has the kinds and strengths of CIFAR-10-C and is drawn anew."
        )
        if noise
        else _(
            "Means over seeds with 95 % bands, on the first {pictures} test pictures. The occluder "
            "lies at another place in each. There are as many scattered pixels as a square of that "
            "side has."
        )
    )
    st.caption(words.format(pictures=f"{pictures:,}"))


def _kind_by_kind(evidence: Evidence, kinds: dict[str, Measure]) -> list[Comparison]:
    return [
        one
        for name, by in kinds.items()
        for one in claims.against_baselines(evidence.runs, evidence.arm, by, SINGLE, condition=name)
    ]


def _show_kinds(singles: Sequence[Comparison]) -> None:
    rows: dict[str, dict[str, Difference]] = {}
    for one in singles:
        rows.setdefault(outcomes.row(one), {})[one.baseline] = one.difference
    with st.expander(_("Kind by kind"), icon=":material/format_list_bulleted:"):
        show_forest(
            list(rows.items()),
            "kinds_forest",
            _("Intervals of 95 % each, exploratory: not corrected for multiple comparisons."),
        )


def _show_losses(evidence: Evidence, by: Measure, taken: Sequence[str]) -> None:
    """Accuracy on unchanged and changed pictures, what is lost between them, and iOcclusion."""
    clean = values_by_arm(evidence.runs, lambda run: run.measures.clean_of_these)
    changed = values_by_arm(evidence.runs, by.value)
    loss = values.loss_of(by)
    lost = values_by_arm(evidence.runs, loss.value)
    ratios = values_by_arm(evidence.runs, values.iocclusion(taken))
    runs = by_arm(evidence.runs)
    rows = []
    for arm in changed:
        cells = [
            numbers.share(summarise_seeds(list(part[arm].values())).mean)
            for part in (clean, changed, lost)
        ]
        against = difference(runs[arm], runs.get("max", ()), loss)
        rows.append(
            (
                names.named(names.arm_names(), arm),
                *cells,
                "–" if arm == "max" or against is None else numbers.interval(against),
                *([_ratio(ratios.get(arm, {}), len(runs[arm]))] if ratios else []),
            )
        )
    head = [
        _("Pooling"),
        _("Unchanged"),
        _("Changed"),
        _("Lost"),
        _("Lost more than max, points (95 %, not corrected)"),
    ]
    show_table([*head, "iOcclusion"] if ratios else head, rows)
    if any(run.measures.occlusions for run in evidence.runs) and set(taken) <= set(
        values.occluders(evidence.runs)
    ):
        st.caption(
            _(
                "iOcclusion (Marcu, 2022): the gap between training and test accuracy behind the "
                "occluder, divided by the gap without it. 1 means that the occluder hurts both "
                "alike. It is shown only for networks whose gap without it is more than two "
                "standard errors from 0; the others have nothing to divide by."
            )
        )


def _ratio(ratios: dict[int, float], runs: int) -> str:
    """The mean ratio, and of how many runs it is known."""
    if not ratios:
        return "–"
    return _("{ratio:.2f} ({known} of {runs} runs)").format(
        ratio=fmean(ratios.values()), known=len(ratios), runs=runs
    )
