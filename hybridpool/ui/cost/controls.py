"""The controls of the page "Cost": map, window, and how it is measured."""

from __future__ import annotations

import streamlit as st

from hybridpool.cost import (
    DTYPES,
    MAX_BATCH,
    MAX_CHANNELS,
    MAX_SIDE,
    MEMORY_FORMATS,
    measured_devices,
)
from hybridpool.trace import MAX_KERNEL
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.state import STATE, TURNS
from hybridpool.ui.words import _


def show_controls() -> None:
    """The controls in the sidebar: map, window, and how it is measured."""
    settings = STATE.chosen().map
    st.header(_("Feature map"))
    left, right = st.columns(2)
    for place, name, label, low, high in (
        (left, "batch", _("Batch"), 1, MAX_BATCH),
        (right, "channels", _("Channels"), 1, MAX_CHANNELS),
        (left, "height", _("Rows"), 2, MAX_SIDE),
        (right, "width", _("Columns"), 2, MAX_SIDE),
    ):
        with place:
            STATE.whole(name, label, low, high)
    st.caption(_("Together at most 8.4 million values; a larger map gets a smaller batch."))
    st.header(_("Pooling window"))
    largest = min(MAX_KERNEL, settings.height, settings.width)
    STATE.control(st.slider, "kernel_size", _("Kernel size"), min_value=1, max_value=largest)
    STATE.control(st.slider, "stride", _("Stride"), min_value=1, max_value=MAX_KERNEL)
    paddings = list(range(settings.kernel_size // 2 + 1))
    STATE.pick("padding", _("Padding"), {padding: str(padding) for padding in paddings})
    _measuring_controls()


def _measuring_controls() -> None:
    st.header(_("How it is measured"))
    STATE.pick(
        "training",
        _("Pass"),
        cost_words.pass_names(),
        help=_("Training is a forward and a backward pass, inference a forward pass alone."),
    )
    names = cost_words.layout_names()
    layouts = {name: names[name] for name in MEMORY_FORMATS}
    STATE.pick("memory_format", _("Memory format"), layouts)
    STATE.pick("dtype", _("Data type"), {name: name for name in DTYPES})
    if len(measured_devices()) > 1:
        STATE.pick("device", _("Device"), {name: name.upper() for name in measured_devices()})
    turns = STATE.chosen().map.turns
    STATE.control(st.select_slider, "turns", _("Rounds"), options=sorted({*TURNS, turns}))
    STATE.control(
        st.toggle,
        "compiled",
        _("Compiled as well"),
        help=_(
            "torch.compile fuses the steps of a pooling into one. It needs a C++ compiler and "
            "takes some seconds for each pooling, longer the first time."
        ),
    )
