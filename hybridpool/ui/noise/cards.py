"""Noise and occlusion: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question."""
    return [
        Card(
            {"picture": "rocket", "show": "noise", "noise": "salt", "level": "0.05"},
            _("Salt on the sky: who notices?"),
            _("White specks fall on a smooth evening sky. Move the share of values hit."),
            _("Which pooling carries the specks into its map?"),
        ),
        Card(
            {"picture": "astronaut", "show": "occlusion", "fill": "grey"}
            | {"occluder": "100-350-250-200"},
            _("Cover the face"),
            _("A grey patch hides a face. Drag it away from the face and back."),
            _("Which map moves most, and does one change where the patch cannot reach?"),
        ),
        Card(
            {"picture": "brick", "show": "noise", "noise": "defocus_blur", "level": "2"},
            _("Out of focus"),
            _("A lens out of focus makes a disc of each point. Move the radius."),
            _("Which pooling loses the bricks first?"),
        ),
    ]
