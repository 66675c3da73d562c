"""High and low frequencies of trained networks, and consistency under shifts."""

from __future__ import annotations

import streamlit as st

from hybridpool.training.claims import Evidence
from hybridpool.training.comparisons import difference
from hybridpool.training.curves import frequency_lines, values_by_arm
from hybridpool.training.selection import by_arm
from hybridpool.training.summary import summarise_seeds
from hybridpool.training.values import SHIFTED, consistency
from hybridpool.ui.charts import show_chart, show_table
from hybridpool.ui.evidence import numbers, outcomes
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.bars import bars
from hybridpool.ui.evidence.parts import (
    arms,
    as_points,
    link,
    say,
    show_primary,
)
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import lines_chart


def show_frequency(evidence: Evidence) -> None:
    """Accuracy with some frequencies alone, and how often a shift changes the class."""
    comparisons = evidence.finding("frequency").comparisons
    for place, side, title in zip(
        st.columns(2, gap="large"),
        ("low", "high"),
        (_("Only frequencies up to this radius"), _("Only frequencies from this radius")),
        strict=True,
    ):
        lines = frequency_lines(evidence.runs, side)
        if lines:
            with place:
                show_chart(
                    lines_chart(as_points(lines), {**arms(lines), "x": title, "y": _("Accuracy")}),
                    key=f"frequency_{side}",
                    alt=title,
                )
    if comparisons:
        show_primary(comparisons, "frequency_forest")
        say([outcomes.resolution(comparisons), outcomes.sampled(comparisons)])
    _show_shifts(evidence)
    link("pages/3_Shift_and_frequency.py")


def _show_shifts(evidence: Evidence) -> None:
    by_seed = values_by_arm(evidence.runs, consistency)
    if not by_seed:
        return
    st.markdown(
        _(
            "Frequencies that a pooling folds over (aliasing) make the class depend on shifts. "
            "Shift consistency is the share of pictures whose class stays the same under two "
            "shifts of up to three pixels: **{arm}** minus each baseline, in points."
        ).format(arm=names.arm_names()[evidence.arm])
    )
    comparisons = evidence.against("shift")
    st.html(bars(comparisons))
    runs = by_arm(evidence.runs)
    rows = []
    for arm, shares in by_seed.items():
        against = difference(runs[arm], runs.get("max", ()), SHIFTED)
        rows.append(
            (
                names.named(names.arm_names(), arm),
                numbers.share(summarise_seeds(list(shares.values())).mean),
                "–" if arm == "max" or against is None else numbers.interval(against),
            )
        )
    show_table(
        [_("Pooling"), _("Shift consistency"), _("Minus max, points (95 %, not corrected)")], rows
    )
    say([outcomes.resolution(comparisons), outcomes.sampled(comparisons)])
