"""The frame around every page: title, navigation, shared controls, language, looks."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from hybridpool.ui import controls, state, words
from hybridpool.ui.words import _

ROOT = Path(__file__).resolve().parents[2]

#: Inside the component the same red marks the window; see assets/inspector.
_STYLE = """
<style>
  .block-container { padding-top: 2.5rem; padding-bottom: 4rem; max-width: 1500px; }
  [data-testid="stSidebarHeader"] { height: 2.5rem; }
  {large}
</style>
"""
_LARGE = "html { font-size: 20px; }"


def pages() -> dict[str, str]:
    """File of each page and its title, in the order of the story."""
    return {"app.py": _("Explore")}


def open_page(title: str, introduction: str) -> None:
    """Draw the frame. Call it first on every page, with translated words."""
    st.set_page_config(
        page_title=f"{title} · {_('Hybrid Pooling Explorer')}",
        page_icon=":material/blur_on:",
        layout="wide",
        initial_sidebar_state="auto",
    )
    state.settings()
    large = bool(st.session_state.get("large"))
    st.html(_STYLE.replace("{large}", _LARGE if large else ""))
    with st.sidebar:
        st.markdown(f"### {_('Hybrid Pooling Explorer')}")
        for file, name in pages().items():
            st.page_link(file, label=name)
        controls.language_controls()
        controls.picture_controls()
        controls.stem_controls()
        controls.window_controls()
        controls.device_controls()
    st.header(title)
    st.markdown(introduction)
