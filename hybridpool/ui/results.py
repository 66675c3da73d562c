"""The trace of this session: the new one, or a sentence and the last good one."""

from __future__ import annotations

import streamlit as st

from hybridpool.pictures import ImageError
from hybridpool.stem import StemUnavailable
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.settings import DEFAULT, SHARED, upload
from hybridpool.ui.words import _, fill


def current_trace() -> tuple[Trace, str]:
    """The trace for the session's settings and the name of its picture.

    What cannot be computed becomes one sentence on the page, and the last good picture stays.
    """
    settings, own = SHARED.chosen().settings, upload()
    if st.session_state.pop("link_had_upload", False):
        st.info(_("This link was made with somebody's own picture, which a link cannot carry."))
    try:
        found = compute.trace(settings, own)
    except (ImageError, StemUnavailable) as problem:
        st.error(fill(problem), icon=":material/error:")
        last = st.session_state.get("last_good")
        if last is None:
            last = (compute.trace(DEFAULT, None), DEFAULT.picture)
        return last
    key = compute.picture_key(settings, own)
    st.session_state["last_good"] = (found, key)
    return found, key
