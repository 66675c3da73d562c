"""What poolings are called, for every page."""

from __future__ import annotations

from hybridpool.ui.words import _


def pooling_names() -> dict[str, str]:
    """The poolings in their fixed order, in the person's language."""
    return {
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "attention": _("Attention"),
    }


def more_names() -> dict[str, str]:
    """The further poolings, one for each key of `MORE_POOLINGS`."""
    return {
        "blur": _("Max, then blur"),
        "lp": _("Lp, p = 2"),
        "stochastic": _("Stochastic"),
        "soft": _("Soft"),
    }
