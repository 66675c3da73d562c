"""Explore: one picture through the stem and every pooling, side by side."""

import streamlit as st

from hybridpool.ui.browser.inspector import resolved_view, show_inspector
from hybridpool.ui.browser.resting import part
from hybridpool.ui.explore.cards import cards
from hybridpool.ui.explore.downloads import show_downloads
from hybridpool.ui.explore.numbers import show_numbers
from hybridpool.ui.explore.sentences import caption
from hybridpool.ui.explore.weights import show_weights
from hybridpool.ui.frame import open_page
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.results import current_trace, through_window
from hybridpool.ui.settings import SHARED
from hybridpool.ui.words import _


@part
def explore(trace, picture):
    # The inspector's answer is heard in a run of this part alone, with what it was called with.
    trace = through_window(trace)
    show_inspector(trace, picture, caption(trace))
    seen = resolved_view(trace)
    st.caption(caption(trace))
    show_downloads(trace, seen)
    left, right = st.columns([4, 5], gap="medium")
    with left:
        show_weights(trace, seen)
    with right:
        show_numbers(trace, seen)
    mirror_in_link(SHARED.query())


open_page(
    _("Explore"),
    _(
        "**Hybrid pooling** blends max and average: hybrid = *s* · max + (1 − *s*) · average. "
        "Turn the dial *s*."
    ),
    inspected=True,
    first=lambda: explore(*current_trace()),
    cards=cards(),
)
