"""Evidence: prepared states to begin with."""

from __future__ import annotations

from hybridpool.ui import compute
from hybridpool.ui.cards import Card
from hybridpool.ui.evidence import state
from hybridpool.ui.words import _


def cards() -> list[Card]:
    """Prepared states, each with one sentence and one question; none without results."""
    if not compute.results(state.RESULTS).runs:
        return []
    return [
        Card(
            {"claim": "noise"},
            _("Noise that was never seen"),
            _("Networks that learned from clean pictures are tested on noisy ones."),
            _("Is hybrid ahead of the others, behind them, or can no difference be seen?"),
        ),
        Card(
            {"claim": "accuracy"},
            _("Is learning worth anything?"),
            _("Fixed half blends as hybrid pooling does, but learns no blend weight."),
            _("Is a learned blend weight more accurate than one half?"),
        ),
        Card(
            {"claim": "small_data"},
            _("Few pictures to learn from"),
            _(
                "A network with more blend weights could learn a small set by heart; its curves "
                "stand below."
            ),
            _("Is the gap between training and test accuracy larger with them?"),
        ),
        Card(
            {"claim": "accuracy", "blend": "channel"},
            _("One weight for each channel"),
            _("The verdicts are now those of hybrid pooling with one blend weight a channel."),
            _("Which verdict differs from that of one weight a layer?"),
        ),
    ]
