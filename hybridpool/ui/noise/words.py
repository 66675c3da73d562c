"""The words of the page "Noise and occlusion": names of what is done, and of what is shown."""

from __future__ import annotations

from hybridpool.ui.words import _


def kind_names() -> dict[str, str]:
    """What can be done to the picture."""
    return {"noise": _("Noise"), "occlusion": _("Occlusion")}


def noise_names() -> dict[str, str]:
    """The kinds of noise, one for each key of `NOISES`."""
    return {
        "gaussian": _("Gaussian"),
        "salt": _("Salt"),
        "pepper": _("Pepper"),
        "salt_and_pepper": _("Salt and pepper"),
        "speckle": _("Speckle"),
        "poisson": _("Poisson (shot)"),
    }


def noise_notes() -> dict[str, str]:
    """What each kind of noise does to a value x of the picture."""
    return {
        "gaussian": _("Adds normal noise to each value: x + σz, cut off at 0 and 1."),
        "salt": _("Sets a share of the values to 1, each colour channel for itself."),
        "pepper": _("Sets a share of the values to 0, each colour channel for itself."),
        "salt_and_pepper": _("Sets a share of the values to 0 or 1, as often to either."),
        "speckle": _("Multiplies each value by noise around 1: x + xσz. Black stays black."),
        "poisson": _("Counts photons as a sensor does: the fewer there are, the more noise."),
    }


def level_names() -> dict[str, str]:
    """What the level of each kind of noise is called, with what it is counted in."""
    spread = _("Standard deviation σ, the range of the picture being 1")
    share = _("Share of the values that are hit")
    return {
        "gaussian": spread,
        "salt": share,
        "pepper": share,
        "salt_and_pepper": share,
        "speckle": _("Standard deviation σ as a share of the value"),
        "poisson": _("Photons that a white value counts"),
    }


def shape_names() -> dict[str, str]:
    """The shapes of the occluder, one for each of `SHAPES`."""
    return {"rectangle": _("Rectangle"), "disc": _("Disc")}


def fill_names() -> dict[str, str]:
    """What the occluder shows, one for each of `FILLS`."""
    return {
        "black": _("Black"),
        "grey": _("Grey"),
        "mean": _("Mean colour of the picture"),
        "blur": _("Blurred picture"),
        "noise": _("Random colours"),
    }


def component_words() -> dict[str, str]:
    """Every word that the rows show or speak."""
    return {
        "picture": _("Picture"),
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "attention": _("Attention"),
        "winners": _("Winner of the window"),
        "clean": _("Clean"),
        "changed": _("Changed"),
        "difference": _("Difference"),
        "channel": _("Channel"),
        "previous_channel": _("Previous channel"),
        "next_channel": _("Next channel"),
        "colour_range": _("Colours span"),
        "range_channel": _("this channel"),
        "range_all": _("all channels"),
        "blend_weight": _("Blend weight"),
        "end_average": _("0 · average"),
        "end_max": _("1 · max"),
        "restart": _("Back to start ({weight})"),
        "hybrid_value": _("blend weight {value}"),
        "attention_value": _("attention value {clean}, then {changed}"),
        "values": _("Values: one scale for clean and changed in every row"),
        "differences": _("Differences: changed − clean, zero in the middle, in every row"),
        "relative": _("Relative change"),
        "largest": _("Largest change"),
        "cells": _("Changed cells"),
        "cells_of": _("{count} of {total}"),
        "reach": _("In reach of the occluder"),
        "all": _("In all channels"),
        "cell": _("Cell in row {row}, column {column}: clean → changed (difference)"),
        "cell_pinned": _("Pinned: row {row}, column {column}: clean → changed (difference)"),
        "winner_changed": _("Another winner"),
        "winner_places": _("Place in the window"),
        "tie": _("tie"),
        "winner_note": _("Windows with a tie are left blank and not counted."),
        "winner_cell": _("row {row}, column {column}"),
        "occluder": _(
            "Occluder at row {row}, column {column}, {height} × {width} pixels. Arrow keys move "
            "it, with Shift they change its size."
        ),
        "keys": _(
            "The red frame marks the same cell in every map. Point at a cell to move it; click or "
            "Enter pins it, Escape lets go, arrow keys move it, comma and full stop change the "
            "channel."
        ),
        "occluder_keys": _(
            "Draw a new occluder on the changed picture, or drag it, or pull its corners. With "
            "the keyboard: arrow keys move it, Shift and an arrow key change its size. Solid "
            "lines surround the cells that changed, thin ones those that changed out of its reach, "
            "dashed ones those whose receptive field meets the occluder."
        ),
    }


def map_words() -> dict[str, str]:
    """Every word that the occlusion maps show or speak."""
    return {
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "attention": _("Attention"),
        "through": _("Picture shows through"),
        "legend": _("Relative change of the whole map; one scale for all four"),
        "place": _("Patch of {size} × {size} pixels at row {row}, column {column}"),
        "largest": _("at most {share}, at row {row}, column {column}"),
        "keys": _(
            "Point at a place to see its effect. Click or Enter puts the occluder there, and the "
            "rows above follow; arrow keys move the patch."
        ),
    }
