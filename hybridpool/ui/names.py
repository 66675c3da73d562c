"""What poolings, and changes of a picture, are called on every page."""

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


def noise_names() -> dict[str, str]:
    """The changes of the whole picture, one for each key of `CHANGES`."""
    return {
        "gaussian": _("Gaussian"),
        "salt": _("Salt"),
        "pepper": _("Pepper"),
        "salt_and_pepper": _("Salt and pepper"),
        "speckle": _("Speckle"),
        "poisson": _("Poisson (shot)"),
        "gaussian_blur": _("Gaussian blur"),
        "defocus_blur": _("Defocus blur"),
        "jpeg": _("JPEG"),
        "brightness": _("Brightness"),
        "contrast": _("Contrast"),
    }


def level_names() -> dict[str, str]:
    """What the level of each change is called, with what it is counted in."""
    spread = _("Standard deviation σ, the range of the picture being 1")
    share = _("Share of the values that are hit")
    return {
        "gaussian": spread,
        "salt": share,
        "pepper": share,
        "salt_and_pepper": share,
        "speckle": _("Standard deviation σ as a share of the value"),
        "poisson": _("Photons that a white value counts"),
        "gaussian_blur": _("Standard deviation σ of the blur in pixels"),
        "defocus_blur": _("Radius of the disc in pixels"),
        "jpeg": _("Quality of the JPEG, 100 being best"),
        "brightness": _("What is added, the range of the picture being 1"),
        "contrast": _("Share of the contrast that is left"),
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
