"""Explore: the chart of blend weight and attention values, and what they are worth."""

from __future__ import annotations

import streamlit as st
import torch

from hybridpool.trace import Trace
from hybridpool.ui.charts import show_later
from hybridpool.ui.explore.sentences import weights
from hybridpool.ui.settings import Shown
from hybridpool.ui.words import _, fill
from hybridpool.viz.charts import weights_chart


def show_weights(trace: Trace, seen: Shown) -> None:
    """The chart of blend weight and attention values, and what they are worth."""
    st.header(_("Blend weight and attention values"))
    shown = trace.blend_weight
    if seen.turned:
        shown = torch.full_like(shown, seen.weight)
    show_later(
        lambda: weights_chart(
            shown.tolist(),
            trace.attention.tolist(),
            [fill(name) for name in trace.features.channel_names],
            seen.channel,
            {
                "channel": _("Channel"),
                "share_of_max": _("Share of the maximum"),
                "blend_weight": _("Blend weight (hybrid)"),
                "attention": _("Attention value"),
                "selected": _("shown"),
            },
        ),
        key="weights",
        height=320,
        alt=_("Bar chart of the attention value of each channel, with a mark for its blend weight"),
    )
    st.markdown(" ".join(weights(trace, seen)))
