"""The answer: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui import compute
from hybridpool.ui.answer import state
from hybridpool.ui.cards import Card
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question; none without networks."""
    if not compute.networks(state.NETWORKS):
        return []
    return [
        Card(
            {"picture": "chelsea", "show": "shift", "down": "0", "right": "1"},
            _("One pixel to the right"),
            _(
                "The cat moves by one of 32 pixels, and what leaves at the right edge comes back "
                "at the left."
            ),
            _("Do all networks give the same answer as before?"),
        ),
        Card(
            {
                "picture": "horse",
                "show": "noise",
                "noise": "salt",
                "level": "0.05",
                "noise-seed": "0",
            },
            _("Salt on the horse"),
            _("About one value in twenty is set to 1."),
            _("Which networks still see a horse?"),
        ),
        Card(
            {
                "picture": "horse",
                "show": "occlusion",
                "fill": "grey",
                "occluder": "60-700-280-250",
            },
            _("Cover the head"),
            _("A grey patch hides the head of the horse. Drag it over the body."),
            _("Where must it lie for an answer to change?"),
        ),
        Card(
            {"picture": "horse", "show": "noise", "level": "0"},
            _("What did the network choose?"),
            _(
                "Under the name of hybrid pooling stand its three blend weights: the network "
                "learned one for each pooling."
            ),
            _("Turn the dial away from them: when does its answer change?"),
        ),
    ]
