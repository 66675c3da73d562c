"""Turn the bytes of a picture file into a checked ``(3, H, W)`` float image in [0, 1]."""

import hashlib
import sys
import traceback
from io import BytesIO

import numpy as np
import torch
from PIL import (
    ExifTags,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
)
from torch import Tensor
from torch.nn import functional as F

from hybridpool.pictures.colours import in_srgb
from hybridpool.pictures.errors import ImageError
from hybridpool.pictures.headers import open_checked
from hybridpool.pictures.jpeg import ended, is_refined, strip_jpeg
from hybridpool.pictures.samples import Samples, reduced, rows_of

__all__ = ["fit_image", "image_digest", "read_image", "used_share"]

_LEAST_FITTED_SIDE = 8
_LONGEST = 2  # times as long as wide; what is longer is cropped

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(
    data: bytes,
    *,
    max_bytes: int = 40 * 2**20,
    max_pixels: int = 64_000_000,
    max_side: int = 1024,
) -> Tensor:
    """Read a picture file, upright, over white, and no larger than ``max_side``.

    It reads PNG, JPEG, WebP, BMP, TIFF and GIF, and only the first frame or page of a file. The
    picture is turned as its EXIF orientation says, transparency lies over white, and palette,
    grey, CMYK, YCbCr and LAB become RGB. An embedded colour profile is converted to sRGB.

    A 16-bit grey picture that uses no more than 12 bits, as microscopes and medical cameras
    write it, has its white at 4095. Signed and longer integers, and floats that leave [0, 1],
    are stretched to the range that they use. NaN is black.

    The limits are checked on the header, before any pixel is decoded. Damage in anything but
    the pixels, such as a text or a profile, is ignored.

    Args:
        data: The bytes of the file.
        max_bytes: Most bytes the file may have.
        max_pixels: Most pixels the picture in the file may have.
        max_side: A longer side above this is reduced to it, with anti-aliasing.

    Shape:
        Output ``(3, H, W)``, float32 in [0, 1], with ``max(H, W) <= max_side``.

    Raises:
        ImageError: If the file is refused, whatever the reason.
        TypeError: If ``data`` is not ``bytes``.

    Example:
        >>> from io import BytesIO
        >>> file = BytesIO()
        >>> Image.new("RGB", (6, 4), (255, 0, 51)).save(file, "PNG")
        >>> image = read_image(file.getvalue())
        >>> image.shape, image[:, 0, 0]
        (torch.Size([3, 4, 6]), tensor([1.0000, 0.0000, 0.2000]))
    """
    if not isinstance(data, bytes):
        raise TypeError(
            f"read_image needs the bytes of a picture file, got {type(data).__name__}: "
            "read the file first, as with Path(name).read_bytes()"
        )
    outer = sys.exception()
    try:
        return _read(data, max_bytes, max_pixels, max_side)
    except Exception as error:
        _free_locals(error, outer)
        if isinstance(error, ImageError):
            raise
        raise _in_words(error) from error


def _in_words(error: Exception) -> ImageError:
    if isinstance(error, MemoryError):
        return ImageError(
            "There is not enough free memory to read this picture: use a smaller one."
        )
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return ImageError("This picture has more pixels than can be read here: use a smaller one.")
    return ImageError("This picture file is damaged or incomplete: save or download it again.")


def _free_locals(error: BaseException | None, outer: BaseException | None) -> None:
    """Free the half-decoded picture, because whoever shows the sentence may keep the error.

    The exception that the caller was already handling, ``outer``, is left alone.
    """
    while error is not None and error is not outer:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _read(data: bytes, max_bytes: int, max_pixels: int, max_side: int) -> Tensor:
    opened = open_checked(data, max_bytes=max_bytes, max_pixels=max_pixels)
    width, height = opened.picture.size
    scale = min(1.0, max_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    try:
        plain = _plain(opened.picture, size)
    except OSError:
        if not isinstance(opened.picture, JpegImagePlugin.JpegImageFile) or not is_refined(data):
            raise
        plain = _plain_without_end(data, size)
    upright = _TRANSPOSE.get(opened.orientation or _orientation(opened.picture))
    shown = in_srgb(plain, opened.profile)
    return _tensor(shown if upright is None else shown.transpose(upright))


def _plain_without_end(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Decode a JPEG that lacks at most the two bytes of its end."""
    first, *others = (
        _plain(JpegImagePlugin.JpegImageFile(BytesIO(file)), size)
        for file in ended(strip_jpeg(data).data)
    )
    if any(first.tobytes() != other.tobytes() for other in others):
        raise OSError("a part of the pixels is missing")
    return first


def _orientation(picture: ImageFile.ImageFile | Samples) -> int:
    if isinstance(picture, Samples):
        return 1
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture beside it
        return 1


def _plain(picture: ImageFile.ImageFile | Samples, size: tuple[int, int]) -> Image.Image:
    """Decode the picture at a size, in one of the modes that ``in_srgb`` knows."""
    if isinstance(picture, Samples):
        plain = reduced(picture, size)
    else:
        if isinstance(picture, JpegImagePlugin.JpegImageFile):
            picture.draft(None, size)
        if isinstance(picture, PngImagePlugin.PngImageFile) and "transparency" in picture.info:
            picture.info["transparency"] = _eight_bit_key(picture)
        picture.load()
        plain = _converted(picture, size)
    if plain.size == size:
        return plain
    # The gap halves the time of a 12 megapixel picture; what it changes is less than the
    # difference between one good resampling filter and another.
    return plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.5)


def _converted(picture: ImageFile.ImageFile, size: tuple[int, int]) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return reduced(_wide_grey(picture), size)
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
        assert converted is not None
        return converted
    if picture.has_transparency_data:
        return _in_mode(_in_mode(picture, "RGBA"), "RGBa")
    return _in_mode(picture, {"1": "L", "L": "L", "CMYK": "CMYK"}.get(picture.mode, "RGB"))


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    return picture if picture.mode == mode else picture.convert(mode)


def _wide_grey(picture: ImageFile.ImageFile) -> Samples:
    key = picture.info.get("transparency")
    return Samples(
        picture.size,
        lambda top, bottom: np.asarray(rows_of(picture, top, bottom))[..., None],
        key=key if isinstance(key, int) else None,
    )


def _eight_bit_key(picture: PngImagePlugin.PngImageFile) -> object:
    """The transparent colour of a PNG on the scale of its decoded samples: Pillow brings the
    samples to 8 bits and leaves this colour as the file has it."""
    key = picture.info["transparency"]
    stored = str(picture.tile[0].args)  # such as L;4 or RGB;16B
    if picture.mode == "L" and stored in ("L;2", "L;4"):
        white = 2 ** int(stored[2:]) - 1
        return (key & white) * 255 // white
    if picture.mode == "RGB" and stored == "RGB;16B":
        return tuple(part >> 8 for part in key)
    return key


def _tensor(image: Image.Image) -> Tensor:
    values = torch.from_numpy(np.array(image)).to(torch.float32)
    if image.mode != "F":
        values /= 255
    if values.dim() == 2:
        return values.clamp_(0, 1).expand(3, -1, -1).contiguous()
    values = values.permute(2, 0, 1)
    if image.mode == "RGBa":
        values = values[:3] + (1 - values[3:])
    return values.clamp(0, 1).contiguous()


def fit_image(image: Tensor, size: int) -> Tensor:
    """Scale an image so that its longer side is ``size``, with anti-aliasing.

    An image more than twice as long as wide is first cropped around its centre to 2:1. An
    image that already fits is returned as it is, pixel for pixel.

    Args:
        image: The image.
        size: The longer side wanted, at least 8.

    Shape:
        ``(C, H, W)`` to ``(C, H', W')`` with ``max(H', W') == size`` and both at least 8.

    Raises:
        ValueError: If the image is not ``(C, H, W)`` with pixels in it, or ``size`` is below 8.
        TypeError: If the image does not hold floats.

    Example:
        >>> fit_image(torch.full((3, 10, 50), 0.5), 16).shape  # cropped to 10 x 20 first
        torch.Size([3, 8, 16])
    """
    if image.dim() != 3 or 0 in image.shape:
        raise ValueError(
            f"fit_image needs a (C, H, W) image with pixels, got shape {tuple(image.shape)}"
        )
    if not image.is_floating_point():
        raise TypeError(
            f"fit_image needs floats in [0, 1], got {image.dtype}: use image.float() / 255"
        )
    if size < _LEAST_FITTED_SIDE:
        raise ValueError(f"fit_image needs a size of at least {_LEAST_FITTED_SIDE}, got {size}")
    height, width = image.shape[1:]
    high, wide = fitted_part(height, width)
    top, left = (height - high) // 2, (width - wide) // 2
    image = image[:, top : top + high, left : left + wide]
    longer = max(high, wide)
    fitted = [max(_LEAST_FITTED_SIDE, round(side * size / longer)) for side in (high, wide)]
    if fitted == [high, wide]:
        return image.contiguous()
    scaled = F.interpolate(
        image[None], size=fitted, mode="bicubic", align_corners=False, antialias=True
    )
    return scaled[0].clamp(0, 1)


def fitted_part(height: int, width: int) -> tuple[int, int]:
    """Height and width of the middle part of a picture that `fit_image` keeps, in its pixels.

    Example:
        >>> fitted_part(10, 50)
        (10, 20)
    """
    return min(height, _LONGEST * width), min(width, _LONGEST * height)


def used_share(image: Tensor) -> float:
    """The part of a picture's length that ``fit_image`` keeps: 1 if it crops nothing.

    Args:
        image: The image.

    Shape:
        ``(C, H, W)``.

    Example:
        >>> used_share(torch.zeros(3, 10, 50)), used_share(torch.zeros(3, 10, 20))
        (0.4, 1.0)
    """
    shorter, longer = sorted(image.shape[1:])
    return min(1.0, _LONGEST * shorter / longer)


def image_digest(data: bytes) -> str:
    """A short name for the content of a file: 128 bits of its SHA-256, in hexadecimal.

    Args:
        data: The bytes of the file.

    Example:
        >>> image_digest(b"")
        'e3b0c44298fc1c149afbf4c8996fb924'
    """
    return hashlib.sha256(data).hexdigest()[:32]
