"""What is computed for this session, and what is said while it waits or where it fails."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from hybridpool.pictures import ImageError
from hybridpool.stem import StemUnavailable, stem_info
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.browser.resting import give_way
from hybridpool.ui.compute import Waiting
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.settings import DEFAULT, SHARED, upload
from hybridpool.ui.words import _, fill, ngettext

_T = TypeVar("_T")


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
        title = _(stem_info(stem).title)
        st.error(
            paragraph([fill(problem), _("The maps come from: {stem}.").format(stem=title)]),
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


def watch(
    records: Generator[_T | Waiting, None, None],
    place: Any,
    share: Callable[[_T], tuple[float, str]] | None = None,
    draw: Callable[[_T], None] | None = None,
) -> _T:
    """Follow records as they grow, and return the last one.

    Each thing that it draws is where Streamlit can stop this run for a newer one, or because its
    page was left: then others have their turn.

    Args:
        records: From `hybridpool.ui.compute`.
        place: An empty place of the page; it is empty again at the end.
        share: How much of a record is there, and that in words.
        draw: Draws a record before it is whole.
    """
    found: _T | None = None
    with closing(records):
        for record in records:
            give_way()
            if isinstance(record, Waiting):
                say_place(place, record.ahead)
                continue
            found = record
            if share:
                place.progress(*share(record))
            if draw:
                draw(record)
    place.empty()
    assert found is not None
    return found


def say_place(place: Any, ahead: int) -> None:
    """Say how many come first."""
    sentence = ngettext(
        "The server computes for others first: {count} before you.",
        "The server computes for others first: {count} before you.",
        ahead,
    )
    place.progress(0.0, sentence.format(count=ahead))
