"""Shift and frequency: what moves along with the picture, and which waves are kept or made up."""

from hybridpool.ui import compute
from hybridpool.ui.browser.inspector import resolved_view
from hybridpool.ui.browser.resting import part
from hybridpool.ui.frame import open_page
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.results import current_trace
from hybridpool.ui.settings import SHARED
from hybridpool.ui.shift.cards import cards
from hybridpool.ui.shift.controls import show_controls
from hybridpool.ui.shift.frequency import show_frequency, show_gradients
from hybridpool.ui.shift.shifts import show_shift
from hybridpool.ui.shift.state import STATE
from hybridpool.ui.words import _


@part
def study(whole, picture):
    chosen = show_controls()
    trace = compute.banded(whole, picture, chosen)
    seen = resolved_view(trace)
    show_shift(trace, picture, chosen, seen)
    show_frequency(trace, picture, chosen, seen)
    show_gradients(trace, chosen, seen)
    mirror_in_link(SHARED.query(), STATE.query())


open_page(
    _("Shift and frequency"),
    _(
        "Move the picture by a single pixel: does each pooled map move along? Hybrid pooling is "
        "also said to keep both high and low frequencies. Here both are measured on this picture, "
        "and the gradient shows which cells each pooling learns from."
    ),
    state=STATE,
    cards=cards(),
)
study(*current_trace())
