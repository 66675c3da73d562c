"""Learning: the blend weight learns before one's eyes, from several starts at once."""

from hybridpool.ui.frame import open_page
from hybridpool.ui.learning.cards import cards
from hybridpool.ui.learning.controls import show_controls, show_tasks
from hybridpool.ui.learning.gaps import show_overfitting
from hybridpool.ui.learning.race import show_race
from hybridpool.ui.learning.state import STATE
from hybridpool.ui.words import _

open_page(
    _("Learning"),
    _(
        "Watch blend weights learn: nine small networks are trained at once, step by step. They "
        "differ only in their pooling and in the start of its blend weight. Does the weight find "
        "what the task needs, and what does its start decide?"
    ),
    shared_controls=False,
    state=STATE,
    cards=cards(),
)
show_tasks()
show_race()
show_overfitting(show_controls())
