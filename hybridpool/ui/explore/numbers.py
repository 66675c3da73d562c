"""Explore: how the poolings of the channel shown differ, in numbers."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from hybridpool.measure import distance_table, energy_kept, summarise
from hybridpool.trace import Trace, maps_at
from hybridpool.ui.charts import show_table
from hybridpool.ui.names import pooling_names
from hybridpool.ui.phrases import percent
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.words import _


def show_numbers(trace: Trace, seen: ResolvedView) -> None:
    """The table: how the poolings of the shown channel differ, in numbers."""
    st.header(
        _("How the poolings differ"),
        help=_(
            "Energy kept: mean square of a pooled map over that of the feature map; how much of "
            "its strength is left."
        ),
    )
    names = pooling_names()
    before = trace.feature_map[seen.channel]
    maps = {name: values[seen.channel] for name, values in maps_at(trace, seen.dial).items()}
    rows = [[_("Feature map"), *_summary(before, 1.0)]]
    rows += [
        [names[name], *_summary(values, energy_kept(values, before))]
        for name, values in maps.items()
    ]
    show_table([_("Pooling"), _("Lowest"), _("Highest"), _("Mean"), _("Energy kept")], rows)
    st.markdown(_("**Relative distance** between each pair of maps:"))
    distances = distance_table(maps)
    both = distances | {(second, first): value for (first, second), value in distances.items()}
    show_table(
        [_("Pooling"), *names.values()],
        [
            [
                title,
                *(
                    "·" if row == column else percent(both[row, column], least=1)
                    for column in names
                ),
            ]
            for row, title in names.items()
        ],
    )
    st.caption(
        _(
            "For the channel shown. Energy kept: mean square of the pooled map over that of the "
            "feature map. Relative distance: root of the squared difference over the mean of both "
            "energies; 0 % is the same map, 141 % has nothing in common."
        )
    )


def _summary(values: Tensor, kept: float) -> list[str]:
    summary = summarise(values)
    numbers = (summary.minimum, summary.maximum, summary.mean)
    return [*(f"{number:.3f}" for number in numbers), percent(kept, least=1)]
