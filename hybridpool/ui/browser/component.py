"""Components of our own: HTML, CSS and JavaScript from ``assets``, and how data reaches them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).resolve().parents[3] / "assets"

#: What a component that gets messages is made of, and what a dial, pooled maps, and
#: maps in panels with their windows add to it.
BASE = ("common/maths.js", "common/print.js", "common/component.js")
DIAL = (*BASE, "common/dial.js")
MAPS = (*DIAL, "common/maps.js")
PANELS = (*MAPS, "common/panels.js", "common/window.js")

#: What to do with what the browser tells; true where more shows it than the part that is drawn.
Act = Callable[[Mapping[str, Any]], object]

#: No browser's clock says more, in milliseconds.
LATEST = 2.0**53
_TAKEN, _SHOWN_ELSEWHERE = "taken_from_the_browser", "shown_elsewhere"

#: Seconds that a new visitor's browser has the machine to itself for its first picture.
HEAD_START = 0.3
_BEGUN = "begun"


@cache
def component(folder: str, *scripts: str, name: str = "", style: str = "") -> Any:
    """A component of our own from ``assets/<folder>``, made once a process.

    `scripts` are paths below ``assets``, joined in their order into one module, the one with the
    default export last. The theme stands before the component's own style. `name` and `style`
    make another one from the same files.
    """
    markup, sheet, code = texts(folder, *scripts, style=style)
    return st.components.v2.component(
        f"hybridpool_{name or folder}", html=markup, css=sheet, js=code
    )


def texts(folder: str, *scripts: str, style: str = "") -> tuple[str, str, str]:
    """HTML, CSS and JavaScript of a component, each as one text."""
    sheets = [ASSETS / "common" / "theme.css", ASSETS / folder / f"{folder}.css"]
    return (
        markup(ASSETS / folder / f"{folder}.html"),
        "\n".join([*(sheet.read_text("utf-8") for sheet in sheets), style]),
        "\n".join((ASSETS / script).read_text("utf-8") for script in scripts),
    )


def markup(path: Path) -> str:
    """HTML in which a comment that names another file below ``assets`` stands for that file."""
    return re.sub(
        r" *<!-- (\S+\.html) -->\n",
        lambda named: markup(ASSETS / named[1]),
        path.read_text("utf-8"),
    )


def show(draw: Any, key: str, data: Any, **acts: Act) -> None:
    """Draw a component; `acts` are what to do with what it tells, by the name it tells it under.

    Streamlit calls back at the start of a run. Where the next run has been asked for by then, the
    call is broken off and never repeated; so what was told is looked at once more here.
    """
    hearing = {f"on_{name}_change": partial(hear, key, name, act) for name, act in acts.items()}
    draw(key=key, data=data, height="content", **hearing)
    missed = [name for name, act in acts.items() if hear(key, name, act)]
    if st.session_state.pop(_SHOWN_ELSEWHERE, False) or missed:
        st.rerun()


def hear(key: str, name: str, act: Act) -> bool:
    """Act on what the browser told last, once; whether there was something new.

    Two runs may overtake each other. What the browser told later counts, whichever comes later.
    """
    sent = (st.session_state.get(key) or {}).get(name)
    if not isinstance(sent, Mapping):
        return False
    told = sent.get("told")
    if not isinstance(told, int | float) or not taken(key, name) < told < LATEST:
        return False
    if act(sent) is True:
        st.session_state[_SHOWN_ELSEWHERE] = True
    st.session_state.setdefault(_TAKEN, {})[key, name] = told
    return True


def say_what_was_heard() -> None:
    """Write into the page what was heard, so that the browser tells anything else again."""
    heard = st.session_state.get(_TAKEN, {}).values()
    moments = " ".join(str(int(told)) for told in heard)
    st.html(f'<i data-heard="{moments}"></i>')


def taken(key: str, name: str) -> float:
    """When the browser told what was taken last, by its own clock; 0 at first."""
    when: float = st.session_state.get(_TAKEN, {}).get((key, name), 0)
    return when


def show_packed(draw: Any, key: str, shows: object, pack: Callable[[], bytes], **acts: Act) -> None:
    """Draw a component with bytes that are packed anew only when it `shows` something else.

    While only the view changes nothing travels twice. Coming from another page they are packed
    anew, with what is looked at now.
    """
    if key not in st.session_state or st.session_state.get(f"{key}_shows") != shows:
        st.session_state[f"{key}_shows"] = shows
        st.session_state[f"{key}_bytes"] = pack()
    show(draw, key, st.session_state[f"{key}_bytes"], **acts)
    _give_head_start()


def _give_head_start() -> None:
    """Hold back the rest of a visitor's first page until the browser may have painted this.

    It lays out at once what comes at once: a picture that comes with everything else is painted
    last. Where no browser has said where it is, nobody waits.
    """
    if st.context.url and not st.session_state.get(_BEGUN):
        time.sleep(HEAD_START)
    st.session_state[_BEGUN] = True
