"""The controls of the page "By hand": numbers, window, attention layer."""

from __future__ import annotations

import streamlit as st

from hybridpool.by_hand import (
    MAX_KERNEL,
    MAX_PADDING,
    SIDES,
)
from hybridpool.trace import MAX_SEED
from hybridpool.ui.by_hand import words
from hybridpool.ui.by_hand.state import HIDDEN, STATE, Task
from hybridpool.ui.controls import edge_controls
from hybridpool.ui.words import _


def show_controls() -> None:
    """The controls in the sidebar: numbers, window, attention layer."""
    task = STATE.chosen().task
    names = words.preset_names()
    if task.numbers == "own":
        names |= {"own": _("Your own numbers")}
    st.header(_("Numbers"))
    STATE.control(st.selectbox, "numbers", _("Grid"), options=names)
    if task.numbers == "noise":
        _seed("draw", _("Seed"))
        st.button(_("Draw again"), key="by_hand_draw_again", on_click=_draw_again)
    low, high = SIDES
    STATE.control(st.slider, "rows", _("Rows"), min_value=low, max_value=high)
    STATE.control(st.slider, "columns", _("Columns"), min_value=low, max_value=high)
    _window_controls(task)
    st.header(_("Attention layer"))
    _seed("seed", _("Seed of the matrices"))
    STATE.pick(
        "hidden",
        _("Hidden values"),
        list(HIDDEN),
        help=_("The article divides the channels by four, which leaves 1 hidden value here."),
    )


def _window_controls(task: Task) -> None:
    options = task.options
    st.header(_("Pooling window"))
    apart = st.toggle(
        _("Height and width apart"), value=options.height != options.width, key="by_hand_apart"
    )
    if not apart and options.height != options.width:
        STATE.choose(width=options.height)
    side = {"min_value": 1, "max_value": MAX_KERNEL}
    if apart:
        STATE.control(st.slider, "height", _("Kernel height"), **side)
        STATE.control(st.slider, "width", _("Kernel width"), **side)
    else:
        STATE.control(st.slider, ("height", "width"), _("Kernel size"), **side)
    STATE.control(st.slider, "stride", _("Stride"), **side)
    edge_controls(STATE, MAX_PADDING)
    STATE.control(
        st.toggle,
        "count_include_pad",
        _("Average counts the padding"),
        help=_("PyTorch calls it count_include_pad: the padding's zeros take part in the average."),
    )


def _seed(field: str, label: str) -> None:
    STATE.whole(field, label, 0, MAX_SEED)


def _draw_again() -> None:
    STATE.choose(draw=(STATE.chosen().task.draw + 1) % (MAX_SEED + 1))
