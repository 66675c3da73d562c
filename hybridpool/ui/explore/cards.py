"""Explore: prepared states to begin with, each with one sentence and one question."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from hybridpool.ui.words import _, language


def cards() -> list[tuple[dict[str, str], str, str, str]]:
    """The link of each card, its title, its sentence and its question."""
    return [
        (
            {"picture": "stars", "stem": "filters", "size": "96", "kernel": "4", "stride": "4"}
            | {"weight": "0.5", "channel": "7", "cell": "1-6"},
            _("A lone galaxy disappears"),
            _("A galaxy of a few pixels fills only a few of the sixteen cells of its window."),
            _("At which end of the dial is it lost?"),
        ),
        (
            {"picture": "text", "stem": "filters", "size": "128", "kernel": "3", "stride": "3"}
            | {"weight": "0.5", "channel": "16"},
            _("Dark strokes on bright paper"),
            _("Where a window holds paper and ink, its largest value is that of the paper."),
            _("Which pooling keeps the handwriting, and which one bleaches it?"),
        ),
        (
            {"picture": "astronaut", "stem": "cifar10-channel", "size": "96", "channel": "15"},
            _("What did the network choose?"),
            _("A network has learned one blend weight for each of these channels."),
            _("Which channels want the maximum, and which the average?"),
        ),
        (
            {"picture": "chelsea", "stem": "cifar10-attention", "size": "96", "channel": "7"},
            _("A weight from the picture itself"),
            _("Here a small layer computes the blend weight of each channel from the picture."),
            _("Does another picture change the attention value of this channel?"),
        ),
    ]


def show_cards() -> None:
    """The cards as links to this page: the browser's Back returns from them."""
    st.header(_("Begin here"))
    shown = [
        f'<a class="starter" target="_self" href="?{escape(urlencode(link | _as_now()))}">'
        f"<strong>{escape(title)}</strong><span>{escape(sentence)}</span>"
        f"<em>{escape(question)}</em></a>"
        for link, title, sentence, question in cards()
    ]
    st.html(f'<style>{_STYLE}</style><div class="starters">{"".join(shown)}</div>')


def _as_now() -> dict[str, str]:
    """What a card leaves as it is: the language, and the size of the text."""
    large = {"large": "1"} if st.session_state.get("large") else {}
    return {"lang": language(), **large}


_STYLE = """
.starters {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem;
}
.starter {
  display: grid; gap: 0.3rem; align-content: start; padding: 0.8rem 1rem; border-radius: 0.5rem;
  border: 1px solid light-dark(#cfd6d3, #3c4643); text-decoration: none; color: inherit;
}
.starter:hover { border-color: light-dark(#00735a, #35c79f); }
.starter:focus-visible { outline: 3px solid light-dark(#00735a, #35c79f); outline-offset: 2px; }
"""
