"""The page "By hand": its grid, and what the browser sends back.

The browser shows what PyTorch computed and blends max and average itself while the dial turns; it
sends the numbers that a person typed, and where the dial and the window stand when they stop.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from hybridpool.by_hand import (
    ByHand,
    pool_by_hand,
)
from hybridpool.ui.browser.component import component
from hybridpool.ui.by_hand.packing import Sheet, pack
from hybridpool.ui.by_hand.script import by_hand_script
from hybridpool.ui.by_hand.sentences import why_impossible
from hybridpool.ui.by_hand.state import STATE, Look, Task, clean_cells
from hybridpool.ui.words import _
from hybridpool.window import ImpossibleWindowError

_SCRIPTS = ("common/maths.js", *(f"by_hand/{name}.js" for name in ("sheet", "editor", "attention")))


def current_work() -> tuple[Task, ByHand]:
    """The session's task worked out; what is impossible becomes a sentence beside the last good."""
    task = STATE.chosen().task
    place = st.container()
    try:
        work = pool_by_hand(task.grid(), task.window)
    except ImpossibleWindowError as problem:
        place.error(why_impossible(problem, task), icon=":material/error:")
        last: Task = st.session_state.get("by_hand_last_good", Task())
        return last, pool_by_hand(last.grid(), last.window)
    st.session_state["by_hand_last_good"] = task
    return task, work


def show_by_hand(task: Task, work: ByHand) -> None:
    """Draw grid, outputs, formulas, gradients and the attention layer."""
    draw = component("by_hand", *_SCRIPTS, "by_hand/by_hand.js")
    serial = st.session_state.get("by_hand_serial", 0)
    draw(
        key="by_hand",
        data=pack(Sheet(task, work, STATE.chosen().view, serial)),
        on_edit_change=_edited,
        on_look_change=_looked,
        height="content",
    )


def show_download(task: Task) -> None:
    """A script that gives the same numbers."""
    st.download_button(
        _("PyTorch script"),
        data=by_hand_script(task, STATE.chosen().view),
        file_name="pooling_by_hand.py",
        mime="text/x-python",
        on_click="ignore",
        icon=":material/code:",
        help=_("A short script that gives the same numbers with the library."),
    )


def _edited() -> None:
    sent = st.session_state["by_hand"].get("edit")
    shown = st.session_state.get("by_hand_last_good", Task())
    if not sent:
        return
    # The browser waits for this number to come back, also where the grid has changed since.
    st.session_state["by_hand_serial"] = int(sent["serial"])
    if len(sent["cells"]) != shown.rows:
        return
    typed = {"numbers": "own", "own": clean_cells(sent["cells"])}
    # Beside an impossible window the last good view takes the numbers too.
    st.session_state["by_hand_last_good"] = replace(shown, **typed)
    STATE.choose(**typed, rows=shown.rows, columns=shown.columns)


def _looked() -> None:
    sent = st.session_state["by_hand"].get("look")
    if sent:
        STATE.choose(**{name: sent[name] for name in Look.__dataclass_fields__})
