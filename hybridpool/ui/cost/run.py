"""One measurement on the page "Cost": its buttons, its progress, and what it found so far.

A click anywhere makes Streamlit stop the running script at the next thing that it draws, so the
button Stop needs no more than to take the wish to measure back. What was found so far stays.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from hybridpool.ui.words import _, ngettext


class Run:
    """The measurement of a part of the page, with its buttons where this is made.

    Args:
        part: Name of the part, for the keys in session state.
        settings: What is measured; frozen.
        kept: Holds the record if it is known already.
        begin: Whether to begin without being asked.

    Attributes:
        wanted: Whether it is to be measured, or read from what is kept, now.
    """

    def __init__(self, part: str, settings: Any, kept: list[Any], *, begin: bool = False) -> None:
        self._part, self._settings = part, settings
        if begin:
            _wish(part, settings)
        wish = st.session_state.get(f"cost_wish_{part}") == settings
        self.wanted = bool(kept) or wish
        self._bar: Any = None
        running = wish and not kept
        # One key for both: the page would keep a button with another key until the clock stops.
        st.button(
            _("Stop") if running else _("Measure again") if kept else _("Measure"),
            key=f"cost_button_{part}",
            on_click=_wish if running else _measure,
            args=(part, None) if running else (part, settings, kept),
            icon=":material/stop:" if running else ":material/timer:",
            type="secondary" if running or kept else "primary",
        )
        if running:
            self._bar = st.progress(0.0, _("Getting ready …"))

    @property
    def last(self) -> Any:
        """The last record of these settings in this session, whole or not; None without one."""
        settings, record = st.session_state.get(f"cost_last_{self._part}", (None, None))
        return record if settings == self._settings else None

    def remember(self, record: Any) -> None:
        """Keep a record for this session, whole or not."""
        st.session_state[f"cost_last_{self._part}"] = (self._settings, record)

    def progress(self, share: float, text: str) -> None:
        """Show how far it is; here Streamlit can stop it."""
        if self._bar is not None:
            self._bar.progress(min(share, 1.0), text)

    def wait(self, ahead: int) -> None:
        """Say how many measurements come first."""
        sentence = ngettext(
            "{count} measurement of somebody else comes first; this one waits, so that they do "
            "not disturb each other.",
            "{count} measurements of other people come first; this one waits, so that they do "
            "not disturb each other.",
            ahead,
        )
        self.progress(0.0, sentence.format(count=ahead))

    def finish(self) -> None:
        """Draw the page again, with the results and without Stop."""
        if self._bar is not None:
            _wish(self._part, None)
            st.rerun()


def _wish(part: str, settings: Any) -> None:
    st.session_state[f"cost_wish_{part}"] = settings


def _measure(part: str, settings: Any, kept: list[Any]) -> None:
    kept.clear()
    _wish(part, settings)
