"""Explore: the chart of blend weight and attention values, and what they are worth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st
import torch

from hybridpool.trace import Trace
from hybridpool.ui.charts import show_later
from hybridpool.ui.explore.sentences import weights
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.words import _, fill, language
from hybridpool.viz.charts import weights_chart


def show_weights(trace: Trace, seen: ResolvedView) -> None:
    """The chart of blend weight and attention values, and what they are worth."""
    st.header(_("Blend weight and attention values"))
    shown = trace.blend_weight
    if seen.turned:
        shown = torch.full_like(shown, seen.weight)
    names = tuple(fill(name) for name in trace.features.channel_names)
    values = (tuple(shown.tolist()), tuple(trace.attention.tolist()))
    show_later(
        lambda: _chart(*values, names, seen.channel, language()),
        key="weights",
        height=320,
        alt=_("Bar chart of the attention value of each channel, with a mark for its blend weight"),
    )
    st.markdown(paragraph(weights(trace, seen)))


@lru_cache(64)
def _chart(
    blend_weight: tuple[float, ...],
    attention: tuple[float, ...],
    names: tuple[str, ...],
    channel: int,
    _language: str,
) -> Any:
    """Kept, because no window changes it and Plotly checks a new one for long."""
    words = {
        "channel": _("Channel"),
        "share_of_max": _("Share of the maximum"),
        "blend_weight": _("Blend weight (hybrid)"),
        "attention": _("Attention value"),
        "selected": _("shown"),
    }
    return weights_chart(blend_weight, attention, names, channel, words)
