"""Small data sets: complex against simple blending, on few pictures."""

from __future__ import annotations

import streamlit as st

from hybridpool.training.claims import Evidence
from hybridpool.training.curves import size_lines
from hybridpool.training.selection import by_size, few_pictures
from hybridpool.training.values import clean, gap
from hybridpool.ui.charts import show_chart
from hybridpool.ui.evidence import outcomes, sentences
from hybridpool.ui.evidence.parts import arms, as_points, link, say, show_primary
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import lines_chart


def show_small_data(evidence: Evidence) -> None:
    """Gap and accuracy by the number of training pictures, and the comparisons that decide."""
    few = few_pictures(evidence.runs, evidence.everything)
    groups = by_size(next(iter(few.values()), evidence.runs), evidence.everything) | few
    groups = dict(sorted(groups.items()))
    for place, key, value, title in zip(
        st.columns(2, gap="large"),
        ("gaps", "tests"),
        (gap, clean),
        (_("Training minus test accuracy"), _("Test accuracy")),
        strict=True,
    ):
        lines = size_lines(groups, value)
        with place:
            show_chart(
                lines_chart(
                    as_points(lines),
                    {**arms(lines), "x": _("Training pictures"), "y": title},
                    logarithmic=True,
                ),
                key=key,
                alt=_("{what} by the number of training pictures").format(what=title),
            )
    epochs = [
        _("{pictures} pictures: {epochs} epochs").format(
            pictures=f"{size:,}", epochs=runs[0].settings.epochs
        )
        for size, runs in groups.items()
    ]
    st.caption(
        _(
            "Means over seeds with 95 % bands. A larger gap alone is no overfitting: test accuracy "
            "has to be lower too. {epochs}."
        ).format(epochs=joined(epochs))
    )
    comparisons = evidence.finding("small_data").comparisons
    show_primary(comparisons, "small_forest")
    say([sentences.networks_of_few(evidence), outcomes.resolution(comparisons)])
    link("pages/4_Learning.py")
