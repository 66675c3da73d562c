"""The answer: what networks that differ in their pooling alone say of the same changed picture."""

from hybridpool.ui.answer.cards import cards
from hybridpool.ui.answer.page import show_answers, show_rest
from hybridpool.ui.answer.state import STATE
from hybridpool.ui.frame import open_page
from hybridpool.ui.words import _

shown = open_page(
    _("The answer"),
    _(
        "The same picture through networks that differ in their pooling alone. Change it, and see "
        "which of them still give the same answer."
    ),
    shared_controls=False,
    first=show_answers,
    state=STATE,
    cards=cards(),
)
show_rest(shown)
