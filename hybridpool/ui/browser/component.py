"""Components of our own: HTML, CSS and JavaScript from ``assets``, and how data reaches them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).resolve().parents[3] / "assets"


@cache
def component(folder: str, *scripts: str, name: str = "", style: str = "") -> Any:
    """A component of our own from ``assets/<folder>``, made once a process.

    `scripts` are paths below ``assets``, joined in their order into one module, the one with the
    default export last. `name` and `style` make another one from the same files.
    """
    texts = [(ASSETS / script).read_text("utf-8") for script in scripts]
    return st.components.v2.component(
        f"hybridpool_{name or folder}",
        html=(ASSETS / folder / f"{folder}.html").read_text("utf-8"),
        css=(ASSETS / folder / f"{folder}.css").read_text("utf-8") + style,
        js="\n".join(texts),
    )


def show_packed(
    draw: Any, key: str, shows: object, pack: Callable[[], bytes], **callbacks: Callable[[], None]
) -> None:
    """Draw a component with bytes that are packed anew only when it `shows` something else.

    While only the view changes nothing travels twice. Coming from another page they are packed
    anew, with what is looked at now.
    """
    if key not in st.session_state or st.session_state.get(f"{key}_shows") != shows:
        st.session_state[f"{key}_shows"] = shows
        st.session_state[f"{key}_bytes"] = pack()
    draw(key=key, data=st.session_state[f"{key}_bytes"], height="content", **callbacks)
