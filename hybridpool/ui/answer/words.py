"""The words of the page "The answer": poolings, classes, and what the rows show or speak."""

from __future__ import annotations

from collections.abc import Sequence

from hybridpool.ui.browser.words import (
    camera_of_rows_words,
    camera_words,
    dial_words,
    formula_words,
    view_words,
    window_words,
)
from hybridpool.ui.names import more_names, pooling_names
from hybridpool.ui.words import _


def arm_names() -> dict[str, str]:
    """The poolings in the order of the rows."""
    names = pooling_names()
    return {
        "max": names["max"],
        "average": names["average"],
        "fixed": _("Fixed half"),
        "hybrid": names["hybrid"],
        "channel": _("Hybrid by channel"),
        "attention": names["attention"],
        "blur": more_names()["blur"],
    }


def action_names() -> dict[str, str]:
    """What can be done to the picture, one for each of `ACTIONS`."""
    return {"noise": _("Noise"), "occlusion": _("Occlusion"), "shift": _("Shift")}


def class_names(classes: Sequence[str]) -> list[str]:
    """Names of classes in the person's language, where they are those of CIFAR-10."""
    known = {
        "airplane": _("airplane"),
        "automobile": _("automobile"),
        "bird": _("bird"),
        "cat": _("cat"),
        "deer": _("deer"),
        "dog": _("dog"),
        "frog": _("frog"),
        "horse": _("horse"),
        "ship": _("ship"),
        "truck": _("truck"),
    }
    return [known.get(name, name) for name in classes]


def row_words(level: str) -> dict[str, str]:
    """Every word that the rows show or speak.

    Args:
        level: What the level of the noise is called.
    """
    return {
        **dial_words(),
        **camera_words(),
        **camera_of_rows_words(),
        "restart": _("Back to learned"),
        "clean": _("Clean"),
        "changed": _("Changed"),
        "change": _("Change"),
        "same_answer": _("Same answer?"),
        "seen": _("What the networks see: the middle of the picture at 32 × 32 pixels."),
        "star": _("★ is what it shows."),
        "clean_picture": _("The picture as the networks see it"),
        "changed_picture": _(
            "The changed picture. If the change is a shift, the arrow keys move it."
        ),
        "level": level,
        "shift_up": _("Shift up by one pixel"),
        "shift_down": _("Shift down by one pixel"),
        "shift_left": _("Shift left by one pixel"),
        "shift_right": _("Shift right by one pixel"),
        "shifted": _("{rows} down, {columns} right"),
        "occluder": _(
            "Occluder at row {row}, column {column}, {height} × {width} pixels. Arrow keys move "
            "it, with Shift they change its size."
        ),
        "occluder_keys": _("Drag it, pull its corners, or draw a new one on the changed picture."),
        "learned_note": _("Each network uses its own; the mark is the mean of the hybrid one."),
        "turned_note": _(
            "Now every blend uses this weight. The networks were not trained so: what if?"
        ),
        "save_png": _("Save as PNG"),
        "saved_weight": _("every blend at {weight}"),
        "still": _("still {class}, {share}"),
        "now": _("now {class}, {share}"),
        "right": _("right"),
        "wrong": _("wrong"),
        "dot": _("{name}, network {place}: {says}. Click to see its bars."),
        "dot_same": _("still the same answer"),
        "dot_other": _("another answer now"),
        "dot_waits": _("not computed yet"),
        "count": _("{same} of {total}"),
        "computed": _("Computed in your browser while the hand moves."),
        "told": _("Computed by PyTorch; your browser is about to compute the same."),
        "checked": _(
            "Computed in your browser, and checked against PyTorch: every probability at most "
            "{apart} apart."
        ),
    }


def walk_words() -> dict[str, str]:
    """Every word that the walk through the layers shows or speaks besides what it is made of."""
    return {
        "walk": _("Layer by layer"),
        "open": _("Open it below, with its windows and formulas"),
    }


def stage_words(*, blends: bool) -> dict[str, str]:
    """Every word that an opened pooling shows or speaks.

    Args:
        blends: Whether the network's own pooling blends maximum and average.
    """
    own = _("Back to this network's own ({weight})")
    return {
        **pooling_names(),
        **view_words(learned=False),
        **formula_words(),
        **window_words(),
        "restart": own if blends else _("Back to half ({weight})"),
        "feature_map": _("Feature map"),
        "own": _("Handed on"),
        "hybrid": _("What if: blend"),
        "no_blend": _("by another rule than a blend"),
        "close": _("Close"),
        "channel_note": _(
            "Beside each channel stands what it adds to the score of the answer, to first order. "
            "Handed on is what this network's own pooling makes of the feature map; the blend of "
            "the dial is a what-if, and nothing behind it follows."
        ),
        "legend_note": _("One colour scale for the feature map and all that is pooled from it."),
    }
