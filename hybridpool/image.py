"""Pictures in: the bytes of a file become a checked ``(3, H, W)`` float image in [0, 1]."""

import hashlib
import math
import struct
from io import BytesIO

import numpy as np
import torch
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from torch import Tensor
from torch.nn import functional as F

__all__ = ["ImageError", "fit_image", "image_digest", "read_image"]

_LEAST_SIDE = 4
_MOST_ELONGATED = 64
_LEAST_FITTED_SIDE = 8

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(ValueError):
    """A file that cannot be used as a picture, said in one sentence for a person.

    Args:
        template: the English sentence, with ``{named}`` placeholders.
        **values: what fills the placeholders.

    Example:
        >>> error = ImageError("{name} has no pixels.", name="x.png")
        >>> str(error), error.template, error.values
        ('x.png has no pixels.', '{name} has no pixels.', {'name': 'x.png'})
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


def read_image(
    data: bytes,
    *,
    max_bytes: int = 40 * 2**20,
    max_pixels: int = 64_000_000,
    max_side: int = 1024,
) -> Tensor:
    """Reads a picture file, upright, over white, and no larger than ``max_side``.

    PNG, JPEG, WebP, BMP, TIFF and GIF, of an animation the first frame. Turned as its EXIF
    orientation says; transparency lies over white; palette, grey, CMYK, YCbCr, LAB, 16-bit and
    floating-point pictures become RGB. Size limits are checked on the header, before any pixel
    is decoded.

    Args:
        data: the bytes of the file.
        max_bytes: most bytes the file may have.
        max_pixels: most pixels the picture in the file may have.
        max_side: a longer side above this is reduced to it, with anti-aliasing.

    Shape:
        Output ``(3, H, W)``, float32 in [0, 1], with ``max(H, W) <= max_side``.

    Raises:
        ImageError: the file is refused, whatever the reason.
        TypeError: ``data`` is not ``bytes``.

    Example:
        >>> from io import BytesIO
        >>> from PIL import Image
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
    try:
        return _read(data, max_bytes, max_pixels, max_side)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            "There is not enough free memory to read this picture: use a smaller one."
        ) from error
    except Exception as error:
        raise ImageError(
            "This picture file is damaged or incomplete: save or download it again."
        ) from error


def _read(data: bytes, max_bytes: int, max_pixels: int, max_side: int) -> Tensor:
    if not data:
        raise ImageError("This file is empty: choose a file with a picture in it.")
    if len(data) > max_bytes:
        raise ImageError(
            "This file has {size} MB, and at most {limit} MB can be read here: "
            "use a smaller picture.",
            size=math.ceil(len(data) / 2**20 * 10) / 10,
            limit=round(max_bytes / 2**20, 1),
        )
    if data[:4] == b"RIFF":
        # Pillow's WebP class allocates the canvas as soon as it is made.
        _check_size(_webp_size(data), max_pixels)
    image = _open(data)
    _check_size(image.size, max_pixels)
    width, height = image.size
    scale = min(1.0, max_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft(None, size)
    image.load()
    upright = _orientation(image)
    plain = _plain(image, data)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    if upright is not None:
        plain = plain.transpose(upright)
    return _tensor(plain)


def _open(data: bytes) -> ImageFile.ImageFile:
    """The header, read by the format's own class: Image.open would also compare the size with
    ``Image.MAX_IMAGE_PIXELS``, which belongs to the whole process and at first only warns."""
    file = BytesIO(data)
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return PngImagePlugin.PngImageFile(file)
        if data[:3] == b"\xff\xd8\xff":
            return JpegImagePlugin.JpegImageFile(file)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return WebPImagePlugin.WebPImageFile(file)
        if data[:2] == b"BM":
            return BmpImagePlugin.BmpImageFile(file)
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return TiffImagePlugin.TiffImageFile(file)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return GifImagePlugin.GifImageFile(file)
    except SyntaxError as error:
        raise ImageError(
            "This picture is stored in a way that cannot be read here: "
            "open it in another program and save it as PNG or JPEG."
        ) from error
    raise ImageError(
        "This file is not a picture in a format that can be read here: "
        "use PNG, JPEG, WebP, BMP, TIFF or GIF."
    )


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            "This picture has {width} × {height} pixels, and at most {limit} million pixels "
            "can be read here: use a smaller one.",
            width=width,
            height=height,
            limit=f"{max_pixels / 1e6:g}",
        )
    if min(size) < _LEAST_SIDE:
        raise ImageError(
            "This picture has {width} × {height} pixels, too few to pool: "
            "each side needs at least {least}.",
            width=width,
            height=height,
            least=_LEAST_SIDE,
        )
    if max(size) > _MOST_ELONGATED * min(size):
        raise ImageError(
            "This picture has {width} × {height} pixels, too narrow to show: "
            "crop it so that one side is at most {ratio} times as long as the other.",
            width=width,
            height=height,
            ratio=_MOST_ELONGATED,
        )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas that the first chunk of a WebP file declares."""
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = data[24:27], data[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    wide16, high16 = struct.unpack_from("<HH", data, 26)
    return wide16 & 0x3FFF, high16 & 0x3FFF


def _orientation(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TRANSPOSE.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture beside it
        return None


def _plain(image: Image.Image, data: bytes) -> Image.Image:
    """The decoded picture in one of four modes: ``L``, ``RGB``, ``RGBa`` or ``F`` in [0, 1]."""
    if image.mode[0] in "IF":
        return _stretched(image)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None
        return converted
    key = image.info.get("transparency")
    if key is not None and isinstance(image, PngImagePlugin.PngImageFile):
        image.info["transparency"] = _eight_bit_key(key, depth=data[24], mode=image.mode)
    if image.has_transparency_data:
        return image.convert("RGBA").convert("RGBa")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _eight_bit_key(key: object, depth: int, mode: str) -> object:
    """Pillow scales the samples of a PNG to 8 bits, and leaves its transparent colour as is."""
    if mode in ("1", "L") and isinstance(key, int) and depth < 8:
        return key * 255 // (2**depth - 1)
    if isinstance(key, tuple) and depth == 16:
        return tuple(part >> 8 for part in key)
    return key


def _stretched(image: Image.Image) -> Image.Image:
    """16 and 32-bit pictures: the format's own white, or the range that is there."""
    values = np.array(image, dtype=np.float32)
    known = np.isfinite(values)
    if not known.all():
        if not known.any():
            raise ImageError("This picture holds no numbers that can be shown.")
        values[~known] = values[known].min()
    low, high = float(values.min()), float(values.max())
    white = 1.0 if image.mode == "F" else 65535.0
    if low < 0 or high > white:
        values = (values - low) / max(high - low, 1e-30)
    else:
        values /= white
    key = image.info.get("transparency")
    if isinstance(key, int) and image.mode.startswith("I;16"):
        values[np.asarray(image) == key] = 1.0
    return Image.fromarray(values)


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
    """Scales an image so that its longer side is ``size``, with anti-aliasing.

    An image more than twice as long as wide is first cropped around its centre to 2:1. An
    image that already fits is returned as it is, pixel for pixel.

    Args:
        image: the image.
        size: the longer side wanted, at least 8.

    Shape:
        ``(C, H, W)`` to ``(C, H', W')`` with ``max(H', W') == size`` and both at least 8.

    Raises:
        ValueError: the image is not ``(C, H, W)`` with pixels in it, or ``size`` is below 8.

    Example:
        >>> fit_image(torch.full((3, 10, 50), 0.5), 16).shape  # cropped to 10 x 20 first
        torch.Size([3, 8, 16])
    """
    if image.dim() != 3 or 0 in image.shape:
        raise ValueError(f"fit_image needs a (C, H, W) image with pixels, got {list(image.shape)}")
    if size < _LEAST_FITTED_SIDE:
        raise ValueError(f"fit_image needs a size of at least {_LEAST_FITTED_SIDE}, got {size}")
    height, width = image.shape[1:]
    high, wide = min(height, 2 * width), min(width, 2 * height)
    top, left = (height - high) // 2, (width - wide) // 2
    image = image[:, top : top + high, left : left + wide]
    longer = max(high, wide)
    fitted = tuple(max(_LEAST_FITTED_SIDE, round(side * size / longer)) for side in (high, wide))
    if fitted == (high, wide):
        return image
    scaled = F.interpolate(
        image[None], size=fitted, mode="bicubic", align_corners=False, antialias=True
    )
    return scaled[0].clamp(0, 1)


def image_digest(data: bytes) -> str:
    """A short name for the content of a file: 128 bits of its SHA-256, in hexadecimal.

    Args:
        data: the bytes of the file.

    Example:
        >>> image_digest(b"")
        'e3b0c44298fc1c149afbf4c8996fb924'
    """
    return hashlib.sha256(data).hexdigest()[:32]
