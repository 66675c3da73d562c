"""The trace of this session: the new one, or a sentence and the last good one."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from hybridpool.pictures import ImageError
from hybridpool.stem import STEMS, StemUnavailable, trained_stems
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
        st.info(
            _(
                "This link was made with somebody's own picture, which a link cannot carry. If it "
                "was yours, choose the file again."
            )
        )
    last: tuple[Trace, str] | None = st.session_state.get("last_good")
    try:
        trace = compute.trace(settings, own)
    except ImageError as problem:
        st.error(fill(problem), icon=":material/error:")
        return last or (compute.trace(DEFAULT, None), DEFAULT.picture)
    except StemUnavailable as problem:
        stem = last[0].settings.stem if last else DEFAULT.stem
        if stem == settings.stem:
            return last or (compute.trace(DEFAULT, None), DEFAULT.picture)
        title = _((STEMS | trained_stems())[stem].title)
        st.error(
            fill(problem) + " " + _("The maps come from: {stem}.").format(stem=title),
            icon=":material/error:",
        )
        settings = replace(settings, stem=stem)
        trace = compute.trace(settings, own)
    key = compute.picture_key(settings, own)
    st.session_state["last_good"] = (trace, key)
    return trace, key


def through_window(trace: Trace) -> Trace:
    """The same picture and stem through the window that has been chosen since."""
    window = {name: getattr(SHARED.chosen().settings, name) for name in trace.settings.window}
    if window == trace.settings.window:
        return trace
    found = compute.trace(replace(trace.settings, **window), upload())
    if last := st.session_state.get("last_good"):
        st.session_state["last_good"] = (found, last[1])
    return found
