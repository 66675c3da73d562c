"""Cost: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {"batch": "1", "pass": "inference"},
            _("One map, forward alone"),
            _(
                "Nothing is learned here: one map goes through each pooling, without a backward "
                "pass."
            ),
            _("How many times as long as max does hybrid take?"),
        ),
        Card(
            {
                "batch": "1",
                "map-kernel": "7",
                "map-stride": "1",
                "map-padding": "3",
                "rounds": "15",
            },
            _("A large window"),
            _("Windows of 7 × 7 move by one cell, so each value is read up to 49 times."),
            _("How many times as long as max does hybrid take now?"),
        ),
        Card(
            {"layout": "nchw"},
            _("Channel after channel"),
            _("The map lies in memory one channel after the other, as PyTorch lays it by default."),
            _("Which poolings does this slow down, and by how many milliseconds?"),
        ),
        Card(
            {"type": "bfloat16"},
            _("Half the bytes"),
            _("Each number takes two bytes instead of four."),
            _("Which poolings become faster, and which slower?"),
        ),
    ]
