"""Components of our own: HTML, CSS and JavaScript from ``assets``, and how data reaches them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

ASSETS = Path(__file__).resolve().parents[2] / "assets"

#: What every component that gets messages is made of, and what one with pooled maps adds to it.
BASE = ("common/maths.js", "common/print.js", "common/component.js")
DIAL = (*BASE, "common/dial.js")
MAPS = (*DIAL, "common/maps.js")

_TAKEN = "taken_from_the_browser"


@cache
def component(folder: str, *scripts: str, name: str = "", style: str = "") -> Any:
    """A component of our own from ``assets/<folder>``, made once a process.

    `scripts` are paths below ``assets``, joined in their order into one module, the one with the
    default export last. The theme stands before the component's own style. Another `name` and some
    more `style` make another component of the same files.
    """
    sheets = ("common/theme.css", f"{folder}/{folder}.css")
    return st.components.v2.component(
        f"hybridpool_{name or folder}",
        html=(ASSETS / folder / f"{folder}.html").read_text("utf-8"),
        css="\n".join([*((ASSETS / path).read_text("utf-8") for path in sheets), style]),
        js="\n".join((ASSETS / path).read_text("utf-8") for path in scripts),
    )


def show(made: Any, key: str, data: bytes, **acts: Callable[[Mapping[str, Any]], None]) -> None:
    """Draw a component; `acts` are what to do with what it tells, by the name it tells it under.

    Streamlit calls back at the start of a run. Where the next run has been asked for by then, the
    call is broken off and never repeated; so what was told is looked at once more here.
    """
    hearing = {f"on_{name}_change": partial(hear, key, name, act) for name, act in acts.items()}
    made(key=key, data=data, height="content", **hearing)
    missed = [name for name, act in acts.items() if hear(key, name, act)]
    if missed:
        st.rerun()


def hear(key: str, name: str, act: Callable[[Mapping[str, Any]], None]) -> bool:
    """Act on what the browser told last, once; whether there was something new.

    Two runs may overtake each other. What the browser told later counts, whichever comes later.
    """
    sent = (st.session_state.get(key) or {}).get(name)
    if not isinstance(sent, Mapping):
        return False
    told = sent.get("told")
    if not isinstance(told, int | float) or not told > taken(key, name):
        return False
    act(sent)
    st.session_state.setdefault(_TAKEN, {})[key, name] = told
    return True


def taken(key: str, name: str) -> float:
    """When the browser told what was taken last, by its own clock; 0 at first."""
    when: float = st.session_state.get(_TAKEN, {}).get((key, name), 0)
    return when


def pack_message(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """[u32 length][JSON padded to 4][arrays, each padded to 4], places and sizes in the header."""
    places, body, offset = {}, [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        places[name] = {"dtype": str(array.dtype), "offset": offset, "bytes": len(raw)}
        body.append(raw + b"\0" * (-len(raw) % 4))
        offset += len(body[-1])
    text = json.dumps({**header, "arrays": places}).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(body)
