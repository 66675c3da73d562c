"""One measurement on the page "Cost": its buttons, its progress, and what it found so far.

A click anywhere makes Streamlit stop the running script at the next thing that it draws, so the
button Stop needs no more than to take the wish to measure back. What was found so far stays.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from hybridpool.ui.words import _


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
        self._part, self._settings, self._kept = part, settings, kept
        if begin:
            st.session_state[f"cost_wish_{part}"] = settings
        wish = st.session_state.get(f"cost_wish_{part}") == settings
        self.wanted = bool(kept) or wish
        self._running = wish and not kept
        self._buttons, self._bar = st.empty(), st.empty()
        if not self._running:
            self._show_measure(again=bool(kept))
        else:
            self._buttons.button(
                _("Stop"),
                key=f"cost_stop_{part}",
                on_click=_wish,
                args=(part, None),
                icon=":material/stop:",
            )

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
        if self._running:
            self._bar.progress(min(share, 1.0), text)

    def wait(self) -> None:
        """Say that somebody else measures."""
        self.progress(
            0.0, _("Somebody else is measuring on this machine; this waits so as not to disturb.")
        )

    def warn(self, sentence: str) -> None:
        """Say what could not be done."""
        st.warning(sentence, icon=":material/warning:")

    def finish(self) -> None:
        """Take the progress away and offer to measure again."""
        if self._running:
            _wish(self._part, None)
            self._bar.empty()
            self._show_measure(again=True)

    def _show_measure(self, *, again: bool) -> None:
        self._buttons.button(
            _("Measure again") if again else _("Measure"),
            key=f"cost_measure_{self._part}{'_again' * again}",
            on_click=_measure,
            args=(self._part, self._settings, self._kept),
            icon=":material/timer:",
            type="secondary" if again else "primary",
        )


def _wish(part: str, settings: Any) -> None:
    st.session_state[f"cost_wish_{part}"] = settings


def _measure(part: str, settings: Any, kept: list[Any]) -> None:
    kept.clear()
    _wish(part, settings)
