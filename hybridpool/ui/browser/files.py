"""Files that a person gives, as the browser sends them."""

from __future__ import annotations

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
