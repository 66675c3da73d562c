"""By hand: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {"numbers": "ramp", "grid": "4x4", "hide": "1"},
            _("Say it first"),
            _("The results are hidden until you click an output cell."),
            _("What are the maximum, the average and the blend of each window?"),
        ),
        Card(
            {"numbers": "bright", "grid": "4x4", "window": "2x2-2-0"},
            _("One bright cell"),
            _("One cell holds 9, and all others hold 0."),
            _("Which output keeps the 9, and what does average make of it?"),
        ),
        Card(
            {"numbers": "ties", "grid": "4x4", "window": "2x2-2-0", "back": "sum"},
            _("Four winners"),
            _("All cells are the same, so the largest number of each window stands four times."),
            _("To which of the four does max send its gradient, further down?"),
        ),
        Card(
            {"numbers": "ramp", "grid": "4x4", "window": "2x2-2-1-zeros", "at": "1-1", "step": "9"},
            _("Zeros at the edge"),
            _(
                "Here the average counts the zeros of the padding, which are no numbers of your "
                "grid."
            ),
            _("What happens to the corners when you switch that off?"),
        ),
    ]
