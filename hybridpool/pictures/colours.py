"""Embedded colour profiles, which say which colours the numbers of a file stand for."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

__all__ = ["in_srgb"]

_SPACES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the colours of a picture to sRGB, as its profile says.

    A profile that is broken, or of another kind than the picture, is ignored.

    Args:
        picture: A picture of mode `L`, `F` in [0, 1], `RGB`, `RGBa` or `CMYK`.
        profile: An ICC profile; None stands for sRGB.

    Example:
        >>> from PIL.ImageCms import ImageCmsProfile, createProfile
        >>> srgb = ImageCmsProfile(createProfile("sRGB")).tobytes()
        >>> in_srgb(Image.new("RGB", (1, 1), (10, 200, 30)), srgb).getpixel((0, 0))
        (10, 200, 30)
    """
    if profile:
        try:
            return _followed(picture, ImageCms.ImageCmsProfile(BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _followed(picture: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    mode = _SPACES.get(profile.profile.xcolor_space, "")
    grey = picture.mode in ("L", "F")
    if mode == "CMYK" and picture.mode == mode:
        return _transformed(picture, profile, mode)
    if mode == "RGB" and not grey and picture.mode != "CMYK":
        if picture.mode == "RGB":
            return _transformed(picture, profile, mode)
        straight = picture.convert("RGBA")
        shown = _transformed(straight.convert("RGB"), profile, mode)
        shown.putalpha(straight.getchannel("A"))
        return shown.convert("RGBa")
    if grey and mode in ("L", "RGB"):
        levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None]).convert(mode)
        curve = np.asarray(_transformed(levels, profile, mode)).mean(axis=2)[0]
        if picture.mode == "L":
            return picture.point(curve.round().astype(int).tolist())
        values = np.interp(np.asarray(picture), np.arange(256) / 255, curve / 255)
        return Image.fromarray(values.astype(np.float32))
    raise ValueError("the profile is of another kind than the picture")


def _transformed(picture: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    # As in browsers, black ink that is not quite black and paper that is not quite white stay so.
    shown = ImageCms.profileToProfile(
        picture,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.NOWHITEONWHITEFIXUP,
    )
    assert shown is not None
    return shown
