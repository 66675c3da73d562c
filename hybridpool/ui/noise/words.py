"""The words of the page "Noise and occlusion": names of what is done, and of what is shown."""

from __future__ import annotations

from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _


def kind_names() -> dict[str, str]:
    """What can be done to the picture."""
    return {"noise": _("Noise"), "occlusion": _("Occlusion")}


def noise_notes() -> dict[str, str]:
    """What each change does to a value x of the picture."""
    return {
        "gaussian": _("Adds normal noise to each value: x + σz, cut off at 0 and 1."),
        "salt": _("Sets a share of the values to 1, each colour channel on its own."),
        "pepper": _("Sets a share of the values to 0, each colour channel on its own."),
        "salt_and_pepper": _("Sets a share of the values to 0 or 1, as often to either."),
        "speckle": _("Multiplies each value by noise around 1: x + xσz. Black stays black."),
        "poisson": _("Counts photons as a sensor does: the fewer there are, the more noise."),
        "gaussian_blur": _("Blurs with a Gaussian; the border of the picture is repeated."),
        "defocus_blur": _("Makes a disc of each point, as a lens out of focus does."),
        "jpeg": _("Stores the picture as JPEG and reads it again: the less quality, the worse."),
        "brightness": _("Adds to the brightest of red, green and blue; hue and saturation stay."),
        "contrast": _("Brings each value nearer to the mean of its colour channel."),
    }


def control_names() -> dict[str, str]:
    """What the level of each change is called in short, beside its control."""
    share = _("Share of values hit")
    return {
        "gaussian": _("Noise σ"),
        "salt": share,
        "pepper": share,
        "salt_and_pepper": share,
        "speckle": _("Noise σ, relative"),
        "poisson": _("Photons at white"),
        "gaussian_blur": _("Blur σ, pixels"),
        "defocus_blur": _("Radius, pixels"),
        "jpeg": _("Quality"),
        "brightness": _("Added brightness"),
        "contrast": _("Contrast left"),
    }


def change_name(*, against: bool) -> str:
    """What a chart or a map shows: the change as it is, or beside that of max pooling."""
    return _("Relative change minus that of max, points") if against else _("Relative change")


def release_notes() -> dict[str, str]:
    """Why the rows wait for PyTorch where the browser cannot follow the hand."""
    return {
        "poisson": _(
            "Photons are drawn anew at each level, so no draw can be scaled: PyTorch counts when "
            "you let go."
        ),
        "jpeg": _("The picture is compressed by the server: the rows follow when you let go."),
    }


def map_words() -> dict[str, str]:
    """Every word that the occlusion maps show or speak."""
    return {
        **pooling_names(),
        "through": _("Picture shows through"),
        "legend": _("Relative change of the whole map; one scale for all four"),
        "legend_against": _(
            "Relative change of the whole map minus that of max, in points; one scale for all four"
        ),
        "points": _("{points} points"),
        "place": _("Patch of {size} × {size} pixels at row {row}, column {column}"),
        "largest": _("at most {share}, at row {row}, column {column}"),
        "largest_places": _("at most {share}, at {count} places alike"),
        "farthest": _("farthest {share}, at row {row}, column {column}"),
        "keys": _(
            "Point at a place to see its effect. Click or Enter puts the occluder there, and the "
            "rows above follow; arrow keys move the patch."
        ),
    }
