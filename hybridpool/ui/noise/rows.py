"""Clean, changed and their difference on the page "Noise and occlusion"."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import streamlit as st

from hybridpool.sensitivity import Comparison, Perturbation
from hybridpool.sensitivity.perturbation import VIEWS, in_thousandths
from hybridpool.ui import compute
from hybridpool.ui.browser import rows as packing
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import show_packed
from hybridpool.ui.browser.rows import Rows, rows_component
from hybridpool.ui.browser.words import is_learned, rows_words
from hybridpool.ui.controls import take_photo
from hybridpool.ui.noise.live import live_part
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.settings import ResolvedView, look_at
from hybridpool.ui.words import language

_KEY = "compare"
_PATCH = dict.fromkeys(("top", "left", "height", "width", "rows", "columns"), sent.whole)
#: Names what the browser was sent last of all that stays while a level or an occluder moves.
_HELD = f"{_KEY}_base"


def show_rows(compared: Comparison, seen: ResolvedView, picture: str, done: Perturbation) -> None:
    """Draw the rows; what the person lets go of lands in the session's state."""
    settings = compared.trace.settings
    if _KEY not in st.session_state:
        # Coming from another page the browser holds nothing.
        st.session_state.pop(_HELD, None)
    show_packed(
        rows_component(),
        _KEY,
        (settings, picture, done.canonical(), language()),
        lambda: _packed(compared, seen, picture, done),
        view=look_at,
        patch=_remember_patch,
        level=_remember_level,
        against=_remember_view,
        lack=_send_all,
        photo=take_photo,
    )


def _packed(compared: Comparison, seen: ResolvedView, picture: str, done: Perturbation) -> bytes:
    settings = compared.trace.settings
    drawn = done.draw if done.kind == "noise" or done.fill == "noise" else 0
    stays = (picture, settings, done.kind, done.noise, drawn, done.fill == "noise", language())
    base = sha256(repr(stays).encode()).hexdigest()[:16]
    held = st.session_state.get(_HELD) == base
    st.session_state[_HELD] = base
    rows = Rows(
        compared,
        seen,
        f"{picture} {settings}",
        rows_words(learned=is_learned(compared.trace)),
        done,
        base,
        None if held else live_part(compared.trace, compute.stem_of(settings), done),
    )
    return packing.pack_change(rows) if held else packing.pack(rows)


def _send_all(_told: Mapping[str, Any]) -> None:
    """The browser lacks what stays, as after a message that was lost on its way."""
    st.session_state.pop(_HELD, None)
    st.session_state.pop(f"{_KEY}_shows", None)


def _remember_patch(told: Mapping[str, Any]) -> None:
    patch = sent.checked(told, _PATCH)
    if patch and patch["rows"] and patch["columns"]:
        STATE.choose(**in_thousandths(patch, (patch["rows"], patch["columns"])))


def _remember_level(told: Mapping[str, Any]) -> None:
    STATE.choose(**sent.checked(told, {"level": sent.finite}))


def _remember_view(told: Mapping[str, Any]) -> None:
    STATE.choose(**sent.checked(told, {"against": sent.word(VIEWS)}))
