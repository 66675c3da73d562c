"""Components of our own: HTML, CSS and JavaScript from ``assets``, and how data reaches them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

ASSETS = Path(__file__).resolve().parents[3] / "assets"


@cache
def component(folder: str, *scripts: str) -> Any:
    """A component of our own from ``assets/<folder>``, made once a process.

    `scripts` are paths below ``assets``, joined in their order into one module, the one with the
    default export last.
    """
    texts = [(ASSETS / script).read_text("utf-8") for script in scripts]
    return st.components.v2.component(
        f"hybridpool_{folder}",
        html=(ASSETS / folder / f"{folder}.html").read_text("utf-8"),
        css=(ASSETS / folder / f"{folder}.css").read_text("utf-8"),
        js="\n".join(texts),
    )


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
