"""Prepared states to begin with: each has one sentence and one question, and opens by its link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

import streamlit as st

from hybridpool.ui.words import _, language


@dataclass(frozen=True)
class Card:
    """A prepared state of a page.

    Attributes:
        link: The parameters that open it; what they leave out is as at the first visit.
        title: A few words.
        sentence: What is shown, true of what the link opens.
        question: What to find out there.
    """

    link: Mapping[str, str]
    title: str
    sentence: str
    question: str


def show_cards(cards: Sequence[Card]) -> None:
    """A button that opens the cards: links to this page, from which the browser's Back returns."""
    shown = [
        f'<a class="starter" target="_self" href="?{escape(_address(card))}">'
        f"<strong>{escape(card.title)}</strong><span>{escape(card.sentence)}</span>"
        f"<em>{escape(card.question)}</em></a>"
        for card in cards
    ]
    with st.popover(_("To try"), icon=":material/lightbulb:"):
        st.html(f'<style>{_STYLE}</style><div class="starters">{"".join(shown)}</div>')


def _address(card: Card) -> str:
    """Its parameters; the language and the size of the text stay as they are."""
    large = {"large": "1"} if st.session_state.get("large") else {}
    return urlencode({**card.link, "lang": language(), **large})


_STYLE = """
[data-testid="stPopoverBody"]:has(.starters) { max-height: 86vh !important; padding: 1rem; }
.starters { display: grid; gap: 0.8rem; width: 38rem; max-width: 100%; }
@media (min-width: 48rem) { .starters { grid-template-columns: 1fr 1fr; } }
.starter {
  display: grid; gap: 0.3rem; align-content: start; padding: 0.7rem 0.9rem; line-height: 1.4;
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 0.5rem;
  text-decoration: none; color: inherit;
}
.starter:hover { border-color: currentColor; text-decoration: none; }
.starter:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
"""
