"""The checks of a picture file before any of its pixels is decoded."""

import math
import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from hybridpool.pictures.errors import ImageError, not_readable_here
from hybridpool.pictures.jpeg import check_scans, strip_jpeg
from hybridpool.pictures.samples import Samples
from hybridpool.pictures.stripped import strip_png, strip_webp
from hybridpool.pictures.tiff import read_layout
from hybridpool.pictures.tiff_samples import tiff_samples

__all__ = ["Opened", "open_checked"]

_LEAST_SIDE = 4
_MOST_ELONGATED = 64


@dataclass(frozen=True)
class Opened:
    """A picture file whose header was read.

    Attributes:
        picture: The decoder of the pixels: Pillow, or our own reading of samples.
        profile: The colour profile in the file.
        orientation: Which side is up, from 1 to 8 as in EXIF; 0 if EXIF says so itself.
    """

    picture: ImageFile.ImageFile | Samples
    profile: bytes | None = None
    orientation: int = 0


def open_checked(data: bytes, *, max_bytes: int, max_pixels: int) -> Opened:
    """Open a picture file if its header keeps within the limits; no pixel is decoded yet.

    Args:
        data: The bytes of the file.
        max_bytes: Most bytes the file may have.
        max_pixels: Most pixels the picture in the file may have.

    Raises:
        ImageError: If the file is empty or too large, its format is not known, or its header
            cannot be understood or asks for too much. Other errors that Pillow raises for a damaged
            header are passed on.

    Example:
        >>> from PIL import Image
        >>> file = BytesIO()
        >>> Image.new("RGB", (6, 4)).save(file, "PNG")
        >>> open_checked(file.getvalue(), max_bytes=1000, max_pixels=24).picture.size
        (6, 4)
    """
    if not data:
        raise ImageError("This file is empty: choose a file with a picture in it.")
    if len(data) > max_bytes:
        raise ImageError(
            "This file is {size} MB, and at most {limit} MB can be read here: "
            "use a smaller picture.",
            size=math.ceil(len(data) / 2**20 * 10) / 10,
            limit=f"{max_bytes / 2**20:g}",
        )
    opened = _open(data, max_pixels)
    _check_size(opened.picture.size, max_pixels)
    return opened


def _open(data: bytes, max_pixels: int) -> Opened:
    """The header, read by the format's own class: ``Image.open`` would also compare the size
    with ``Image.MAX_IMAGE_PIXELS``, which belongs to the whole process and at first only warns.

    Costs that arise before the size is known, or whatever the size, are checked before.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            file, profile = strip_png(data)
            return Opened(PngImagePlugin.PngImageFile(BytesIO(file)), profile)
        if data.startswith(b"\xff\xd8\xff"):
            file, profile = strip_jpeg(data)
            check_scans(file)
            return Opened(JpegImagePlugin.JpegImageFile(BytesIO(file)), profile)
        if data[:4] == b"RIFF" and data[8:16] in (b"WEBPVP8 ", b"WEBPVP8L", b"WEBPVP8X"):
            _check_size(_webp_size(data), max_pixels)
            file, profile = strip_webp(data)
            return Opened(WebPImagePlugin.WebPImageFile(BytesIO(file)), profile)
        if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            return _open_tiff(data, max_pixels)
        if data.startswith((b"GIF87a", b"GIF89a")):
            _check_size(_gif_size(data), max_pixels)
            return Opened(GifImagePlugin.GifImageFile(BytesIO(data)))
        if data.startswith(b"BM"):
            return _open_bmp(data)
    except (SyntaxError, IndexError, struct.error) as error:
        raise ImageError(
            "The beginning of this picture file cannot be understood: "
            "open it in another program and save it as PNG or JPEG."
        ) from error
    raise ImageError(
        "This file is not a picture in a format that can be read here: "
        "use PNG, JPEG, WebP, BMP, TIFF or GIF."
    )


def _open_tiff(data: bytes, max_pixels: int) -> Opened:
    layout = read_layout(data)
    _check_size(layout.size, max_pixels)
    layout.check(max_pixels)
    picture: TiffImagePlugin.TiffImageFile | Samples
    if file := layout.for_pillow():
        try:
            picture = TiffImagePlugin.TiffImageFile(file)
        except (SyntaxError, KeyError, OSError) as error:
            raise not_readable_here() from error
    else:
        picture = tiff_samples(layout, max_pixels)
    return Opened(picture, layout.profile, layout.orientation)


def _open_bmp(data: bytes) -> Opened:
    try:
        return Opened(BmpImagePlugin.BmpImageFile(BytesIO(data)))
    except OSError as error:
        if str(error).startswith("Unsupported"):
            raise not_readable_here() from error
        raise


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
    """The canvas that a WebP file declares, which Pillow allocates when it opens the file."""
    if data[12:16] == b"VP8X":
        wide, high = data[24:27], data[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _gif_size(data: bytes) -> tuple[int, int]:
    """The screen of a GIF, widened to its first frame: Pillow may allocate that when opening."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + (2 << (flags & 7)) * 3 * (flags >> 7)
    while data[place] not in b",;":
        if data[place] == ord("!"):
            place += 2
            while data[place]:
                place += data[place] + 1
        place += 1
    if data[place] == ord(";"):
        return width, height
    left, top, wide, high = struct.unpack_from("<HHHH", data, place + 1)
    return max(width, left + wide), max(height, top + high)
