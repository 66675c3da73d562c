"""The words of the page "Noise and occlusion": names of what is done, and of what is shown."""

from __future__ import annotations

from hybridpool.ui.names import pooling_names
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


def map_words() -> dict[str, str]:
    """Every word that the occlusion maps show or speak."""
    return {
        **pooling_names(),
        "through": _("Picture shows through"),
        "legend": _("Relative change of the whole map; one scale for all four"),
        "place": _("Patch of {size} × {size} pixels at row {row}, column {column}"),
        "largest": _("at most {share}, at row {row}, column {column}"),
        "keys": _(
            "Point at a place to see its effect. Click or Enter puts the occluder there, and the "
            "rows above follow; arrow keys move the patch."
        ),
    }
