"""The page "By hand": its grid, and what the browser sends back.

The browser shows what PyTorch computed and blends max and average itself while the dial turns; it
sends the numbers that a person typed, and where the dial and the window stand when they stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from hybridpool.by_hand import ByHand, pool_by_hand
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import DIAL, component, show, taken
from hybridpool.ui.by_hand.packing import Sheet, pack
from hybridpool.ui.by_hand.script import by_hand_script
from hybridpool.ui.by_hand.sentences import what_is_shown, why_impossible
from hybridpool.ui.by_hand.state import STATE, Task, WindowOptions, clean_cells
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.share import download
from hybridpool.ui.words import _
from hybridpool.window import ImpossibleWindowError

_FILES = ("sheet", "editor", "attention", "playback", "gradients", "by_hand")
_SCRIPTS = (*DIAL, *(f"by_hand/{name}.js" for name in _FILES))


def current_work() -> tuple[Task, ByHand]:
    """The session's task and its result; beside an impossible task, the last good ones."""
    task = STATE.chosen().task
    try:
        work = pool_by_hand(task.grid(), task.window)
    except ImpossibleWindowError as problem:
        # A session that begins with an impossible link has its numbers, under the usual window.
        last: Task = st.session_state.setdefault(
            "by_hand_last_good", replace(task, options=WindowOptions())
        )
        said = paragraph([why_impossible(problem, task), what_is_shown(last)])
        st.error(said, icon=":material/error:")
        return last, pool_by_hand(last.grid(), last.window)
    st.session_state["by_hand_last_good"] = task
    return task, work


def show_by_hand(task: Task, work: ByHand) -> None:
    """Draw grid, outputs, formulas, gradients and the attention layer."""
    # The browser waits for this to reach what it told last, also where the grid has changed since.
    serial = taken("by_hand", "edit")
    show(
        component("by_hand", *_SCRIPTS),
        "by_hand",
        pack(Sheet(task, work, STATE.chosen().view, serial)),
        edit=_edited,
        look=_looked,
    )


def show_download(task: Task) -> None:
    """Offer a script that computes the same numbers."""
    download(
        _("PyTorch script"),
        partial(by_hand_script, task, STATE.chosen().view),
        "pooling_by_hand.py",
        _("A short script that gives the same numbers with the library."),
    )


_EDIT: dict[str, sent.Check] = {"cells": sent.lines}
_LOOK: dict[str, sent.Check] = {
    "weight": sent.finite,
    "step": sent.maybe(sent.whole),
    "row": sent.whole,
    "column": sent.whole,
    "back": sent.word(("one", "sum")),
    "hide": sent.flag,
}


def _edited(told: Mapping[str, Any]) -> None:
    edit = sent.checked(told, _EDIT)
    shown = st.session_state.get("by_hand_last_good", Task())
    if not edit or len(edit["cells"]) != shown.rows:
        return
    typed = {"numbers": "own", "own": clean_cells(edit["cells"])}
    # Beside an impossible window the last good view takes the numbers too.
    st.session_state["by_hand_last_good"] = replace(shown, **typed)
    STATE.choose(**typed, rows=shown.rows, columns=shown.columns)


def _looked(told: Mapping[str, Any]) -> None:
    STATE.choose(**sent.checked(told, _LOOK))
