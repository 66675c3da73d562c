"""Accuracy: every network a dot, the primary comparisons, and all other arms beside them."""

from __future__ import annotations

import streamlit as st

from hybridpool.training import claims
from hybridpool.training.claims import Evidence
from hybridpool.training.comparisons import difference
from hybridpool.training.curves import values_by_arm
from hybridpool.training.selection import SINGLE, by_arm
from hybridpool.training.summary import summarise_seeds
from hybridpool.training.values import clean
from hybridpool.ui.charts import show_chart
from hybridpool.ui.evidence import outcomes, sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.parts import arms, as_interval, say, show_forest, show_primary
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import accuracy_chart


def show_accuracy(evidence: Evidence) -> None:
    """Charts of accuracy, and whether learning is worth anything."""
    values = values_by_arm(evidence.runs, clean)
    comparisons = evidence.finding("accuracy").comparisons
    left, right = st.columns(2, gap="large")
    with left:
        show_chart(
            accuracy_chart(
                values,
                {
                    arm: as_interval(summarise_seeds(list(by_seed.values())))
                    for arm, by_seed in values.items()
                },
                {
                    **arms(values),
                    "accuracy": _("Test accuracy"),
                    "seed": _("Seed"),
                    "mean": _("Mean"),
                },
            ),
            key="accuracy",
            alt=_("Test accuracy by pooling, every seed a dot"),
        )
        st.caption(
            _(
                "Each dot is one trained network. The line below the dots is their mean, with "
                "its 95 % interval. The axis does not start at 0."
            )
        )
        st.caption(
            paragraph(
                _("{name}: {meaning}.").format(name=names.arm_names()[arm], meaning=meaning)
                for arm, meaning in names.arm_meanings().items()
                if arm in values
            )
        )
    with right:
        show_primary(comparisons, "accuracy_forest")
        _show_others(evidence)
    say(
        [
            *sentences.about_the_gain(comparisons),
            sentences.what_learning_is_worth(comparisons),
            sentences.reference(evidence),
            outcomes.resolution(comparisons),
        ]
    )


def _show_others(evidence: Evidence) -> None:
    """Every other arm against the single poolings: exploratory."""
    by = claims.measure_of("accuracy", evidence.runs)
    runs = by_arm(evidence.runs)
    rows = []
    for arm, ones in runs.items():
        if arm not in (*SINGLE, evidence.arm):
            differences = {
                other: delta
                for other in SINGLE
                if (delta := difference(ones, runs.get(other, ()), by)) is not None
            }
            rows.append((names.named(names.arm_names(), arm), differences))
    show_forest(
        rows,
        "accuracy_others",
        _(
            "The other poolings against the two single ones: exploratory, 95 % intervals that are "
            "not corrected for multiple comparisons."
        ),
    )
