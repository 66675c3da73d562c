"""The trace of this session: the new one, or a sentence and the last good one."""

from __future__ import annotations

import streamlit as st

from hybridpool.pictures.image import ImageError
from hybridpool.stem import StemUnavailable
from hybridpool.trace import Trace
from hybridpool.ui import compute, state
from hybridpool.ui.words import _, fill


def current_trace() -> tuple[Trace, str]:
    """The trace for the session's settings and the name of its picture.

    What cannot be computed becomes one sentence on the page, and the last good picture stays.
    """
    settings, upload = state.settings(), state.upload()
    if st.session_state.pop("link_had_upload", False):
        st.info(_("This link was made with somebody's own picture, which a link cannot carry."))
    try:
        found = compute.trace(settings, upload)
    except (ImageError, StemUnavailable) as problem:
        st.error(fill(problem), icon=":material/error:")
        last = st.session_state.get("last_good")
        if last is None:
            last = (compute.trace(state.DEFAULT, None), state.DEFAULT.picture)
        return last
    key = compute.picture_key(settings, upload)
    st.session_state["last_good"] = (found, key)
    return found, key
