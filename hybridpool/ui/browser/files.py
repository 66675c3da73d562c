"""Files that a person gives, as the browser sends them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile


def arrived(key: str) -> list[UploadedFile]:
    """The files that a widget holds.

    While a file is replaced, the browser deletes the old one first, and for a moment Streamlit has
    nothing but its place.
    """
    held = st.session_state.get(key)
    files = held if isinstance(held, list) else [held]
    return [file for file in files if isinstance(file, UploadedFile)]


def take_files(
    label: str,
    kind: str,
    act: Callable[[list[UploadedFile]], object],
    *,
    drop: str,
    **options: Any,
) -> None:
    """Draw an uploader that acts on the files it is given, and is empty again after it.

    Args:
        label: What it is called.
        kind: Begins its keys.
        act: What to do with the files; it may be broken off and called again.
        drop: What stands in the place of Streamlit's words about kinds and sizes.
        options: What else Streamlit's uploader takes.
    """
    words = json.dumps(drop, ensure_ascii=False)
    place = f'[class*="st-key-{kind}_"] [data-testid="stFileUploaderDropzoneInstructions"]'
    st.html(f"<style>{place} span::after {{ content: {words} !important; }}</style>")
    # A new key after each upload empties the widget: what it held is in the session.
    key = f"{kind}_{st.session_state.get(f'{kind}_taken', 0)}"
    options |= {"on_change": _take, "args": (key, kind, act)}
    if st.file_uploader(label, key=key, **options):
        # A callback that a newer run breaks off is not made up for.
        _take(key, kind, act)
        st.rerun()


def _take(key: str, kind: str, act: Callable[[list[UploadedFile]], object]) -> None:
    files = arrived(key)
    if not files:
        return
    taken = st.session_state.get(f"{kind}_taken", 0) + 1
    try:
        act(files)
    except Exception:
        # What fails would fail at every run: it comes once. What is broken off comes again.
        st.session_state[f"{kind}_taken"] = taken
        raise
    st.session_state[f"{kind}_taken"] = taken
