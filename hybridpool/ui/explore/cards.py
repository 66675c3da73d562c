"""Explore: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {"picture": "stars", "stem": "filters", "size": "96", "kernel": "4", "stride": "4"}
            | {"weight": "0.5", "channel": "7", "cell": "1-6"},
            _("A lone galaxy disappears"),
            _("A galaxy of a few pixels fills only a few of the sixteen cells of its window."),
            _("At which end of the dial is it lost?"),
        ),
        Card(
            {"picture": "text", "stem": "filters", "size": "128", "kernel": "3", "stride": "3"}
            | {"weight": "0.5", "channel": "16"},
            _("Dark strokes on bright paper"),
            _("Where a window holds paper and ink, its largest value is that of the paper."),
            _("Which pooling keeps the handwriting, and which one bleaches it?"),
        ),
        Card(
            {"picture": "astronaut", "stem": "cifar10-channel", "size": "96", "channel": "15"},
            _("What did the network choose?"),
            _("A network has learned one blend weight for each of these channels."),
            _("Which channels want the maximum, and which the average?"),
        ),
        Card(
            {"picture": "chelsea", "stem": "cifar10-attention", "size": "96", "channel": "7"},
            _("A weight from the picture itself"),
            _("Here a small layer computes the blend weight of each channel from the picture."),
            _("Does another picture change the attention value of this channel?"),
        ),
    ]
