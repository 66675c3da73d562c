"""Parts of a page that are drawn anew once the hand rests, and that give way when it moves again.

A page is drawn in two parts, each a fragment: what the hand moves, which is drawn at each release,
and what follows from it but takes longer, as charts do. The first part says what is `due`. The
second is drawn with the page; afterwards the browser asks for it when something else has been due
for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from hybridpool.ui.browser.component import BASE, component, show
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.words import language, speaking

P = ParamSpec("P")

#: Seconds after which a hand rests.
RESTS = 1.2

#: What the part that is moved has said, its name in the page, what the whole page was last drawn
#: anew for, and how often the slower part was broken off.
_DUE, _NAMED, _ANEW, _OVERTAKEN = "due", "due_named", "due_anew", "overtaken"


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that is drawn by itself, its language asked for once."""

    @st.fragment
    @wraps(draw)
    def drawn(*known: P.args, **options: P.kwargs) -> None:
        with speaking(language()):
            draw(*known, **options)

    return drawn


def say_due(shows: object) -> None:
    """Write into the page what the slower part has to show; call it last in the moved part.

    It has another name after each time that the slower part was broken off.
    """
    known = (shows, st.session_state.get(_OVERTAKEN, 0))
    name = str(int(sha256(repr(known).encode()).hexdigest()[:12], 16))
    st.session_state[_DUE], st.session_state[_NAMED] = shows, name
    st.html(f'<i data-due="{name}"></i>')


def follow(shows: object) -> None:
    """Have the browser ask for this part when something else is due; call it first in it.

    Say what was heard right after it: what is not heard is told again, and that breaks off what
    takes long. Where a control in this part has changed what is shown, the whole page is drawn
    anew.
    """
    # Once alone: where the other part fails, it never says it.
    if shows != st.session_state.get(_DUE) and shows != st.session_state.get(_ANEW):
        st.session_state[_ANEW] = shows
        st.rerun()
    st.session_state.pop(_ANEW, None)
    show(
        component("resting", *BASE, "resting/resting.js"),
        "resting",
        pack_message({"due": st.session_state.get(_NAMED, ""), "rests": 1000 * RESTS}, {}),
        rested=lambda _told: None,
    )


def give_way() -> None:
    """End this run if the hand has moved something meanwhile; what it ends is asked for again.

    Streamlit itself breaks a run off for the whole page, but lets one part wait for another.
    """
    context = get_script_run_ctx(suppress_warning=True)
    requests = context.script_requests if context else None
    if requests and requests._state is ScriptRequestType.RERUN:
        st.session_state[_OVERTAKEN] = st.session_state.get(_OVERTAKEN, 0) + 1
        raise RerunException(requests.on_scriptrunner_ready().rerun_data)
