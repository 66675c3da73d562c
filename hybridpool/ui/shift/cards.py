"""Shift and frequency: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {
                "picture": "brick",
                "stem": "cifar10-channel",
                "right": "1",
                "down": "0",
                "more": "blur",
            },
            _("Half a step"),
            _(
                "The picture moves by one pixel, half a step of the window; max pooling followed "
                "by a blur stands below the others."
            ),
            _("Which map moves along best?"),
        ),
        Card(
            {"picture": "astronaut", "stem": "cifar10-channel", "right": "2", "down": "0"},
            _("A whole step"),
            _(
                "The picture moves by two pixels, one step of the window, so the maps move along "
                "by one cell."
            ),
            _("Which map changes nevertheless, and why?"),
        ),
        Card(
            {"picture": "brick", "stem": "cifar10-channel", "band": "high"},
            _("The finest waves alone"),
            _("Only the high frequencies of the picture go into the filters."),
            _("Which pooling turns most of them into waves that were not there?"),
        ),
        Card(
            {"picture": "brick", "stem": "cifar10-channel", "kernel": "4", "stride": "4"}
            | {"gradient": "cell", "on": "feature_map"},
            _("Who learns from a window?"),
            _("At the end of the page the gradient of one pooled cell is followed back."),
            _("How many of the sixteen cells of its window does each pooling learn from?"),
        ),
    ]
