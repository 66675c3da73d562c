"""Learning: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {"task": "spot", "steps": "300"},
            _("What does a spot need?"),
            _(
                "The mean cannot see the faint spot, and one network starts almost at average. "
                "Press Start."
            ),
            _("Does that one get away, and what slows it down?"),
        ),
        Card(
            {"task": "tone", "steps": "300"},
            _("What does a tone need?"),
            _("Specks hide the tone from the largest value, but not from the mean. Press Start."),
            _("Where do the blend weights go now?"),
        ),
        Card(
            {"task": "tone", "training-pictures": "20", "steps": "300"},
            _("Twenty pictures by heart"),
            _(
                "There are only twenty pictures to learn from, and soon every network knows them "
                "all. Press Start."
            ),
            _("Which networks are right about new pictures too?"),
        ),
        Card(
            {"task": "spot", "decay": "0.1", "decay-blend": "1", "steps": "300"},
            _("Decay where it does harm"),
            _(
                "Weight decay pulls every blend weight towards one half, while the task wants "
                "the maximum. Press Start."
            ),
            _("Where do all the starts meet?"),
        ),
    ]
