"""By hand: the arithmetic of every window, on the article's grid or on a person's own numbers."""

import streamlit as st

from hybridpool.ui.by_hand import grid
from hybridpool.ui.by_hand.cards import cards
from hybridpool.ui.by_hand.controls import show_controls
from hybridpool.ui.by_hand.state import STATE, Chosen
from hybridpool.ui.frame import open_page
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.words import _

open_page(
    _("By hand"),
    _(
        "A window walks over a small grid. Max keeps the largest number, average the mean, "
        "**hybrid** a blend: *s* · max + (1 − *s*) · average. Type your own numbers, and every "
        "formula follows."
    ),
    shared_controls=False,
    state=STATE,
    cards=cards(),
)
with st.sidebar:
    show_controls()
task, work = grid.current_work()
grid.show_by_hand(task, work)
grid.show_download(task)
mirror_in_link(STATE.query(Chosen(task, STATE.chosen().view)))
