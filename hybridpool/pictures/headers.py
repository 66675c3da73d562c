"""The checks of a picture file before any pixel is decoded, and the error that says what failed."""

import math
import re
import struct
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

__all__ = ["ImageError", "open_checked"]

_LEAST_SIDE = 4
_MOST_ELONGATED = 64
_MOST_SCANS = 64  # an ordinary progressive JPEG has about ten
_MOST_STRIPS = 2**18  # 64 million pixels in the smallest tiles TIFF allows, 16 x 16
_MOST_TAGS = 4096


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
        super().__init__(template)
        self.template = template
        self.values = values

    def __str__(self) -> str:
        return self.template.format(**self.values)


def open_checked(data: bytes, *, max_bytes: int, max_pixels: int) -> ImageFile.ImageFile:
    """Opens a picture file whose header keeps to the limits; no pixel is decoded yet.

    Args:
        data: the bytes of the file.
        max_bytes: most bytes the file may have.
        max_pixels: most pixels the picture in the file may have.

    Raises:
        ImageError: the file is empty or too large, its format is not known, or its header
            cannot be understood or asks for too much. What else a damaged header makes Pillow
            raise is passed on.

    Example:
        >>> from PIL import Image
        >>> file = BytesIO()
        >>> Image.new("RGB", (6, 4)).save(file, "PNG")
        >>> open_checked(file.getvalue(), max_bytes=1000, max_pixels=24).size
        (6, 4)
    """
    if not data:
        raise ImageError("This file is empty: choose a file with a picture in it.")
    if len(data) > max_bytes:
        raise ImageError(
            "This file has {size} MB, and at most {limit} MB can be read here: "
            "use a smaller picture.",
            size=math.ceil(len(data) / 2**20 * 10) / 10,
            limit=f"{max_bytes / 2**20:g}",
        )
    image = _open(data, max_pixels)
    _check_size(image.size, max_pixels)
    return image


def _open(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """The header, read by the format's own class: ``Image.open`` would also compare the size
    with ``Image.MAX_IMAGE_PIXELS``, which belongs to the whole process and at first only warns.

    What a class spends before it tells the size, or whatever the size, is checked ahead of it.
    """
    file = BytesIO(data)
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return PngImagePlugin.PngImageFile(file)
        if data.startswith(b"\xff\xd8\xff"):
            _check_jpeg_scans(data)
            return JpegImagePlugin.JpegImageFile(file)
        if data[:4] == b"RIFF" and data[8:16] in (b"WEBPVP8 ", b"WEBPVP8L", b"WEBPVP8X"):
            _check_size(_webp_size(data), max_pixels)
            return WebPImagePlugin.WebPImageFile(file)
        if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            _check_tiff_layout(data, max_pixels)
            return TiffImagePlugin.TiffImageFile(file)
        if data.startswith((b"GIF87a", b"GIF89a")):
            _check_size(_gif_size(data), max_pixels)
            return GifImagePlugin.GifImageFile(file)
        if data.startswith(b"BM"):
            return BmpImagePlugin.BmpImageFile(file)
    except (SyntaxError, IndexError, struct.error) as error:
        raise ImageError(
            "The beginning of this picture file cannot be understood: "
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


def _check_jpeg_scans(data: bytes) -> None:
    """Every scan passes over the whole picture, and an empty one costs a hundred bytes."""
    if data.count(b"\xff\xda") <= _MOST_SCANS:
        return
    scans, at = 0, 2
    while (marker := _JPEG_MARKER.search(data, at)) and marker[0] != b"\xff\xd9":
        scans += marker[0] == b"\xff\xda"
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    if scans > _MOST_SCANS:
        raise _overloaded()


# Neither a stuffed zero, fill byte or restart inside a scan, nor the start of an image.
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")


def _check_tiff_layout(data: bytes, max_pixels: int) -> None:
    """A TIFF chooses the size of its tiles and the number of its strips by itself, and both
    are allocated as written, however small the picture."""
    order = "<" if data.startswith(b"II") else ">"
    wide = b"+" in data[2:4]
    entry = struct.Struct(order + ("HHQ8s" if wide else "HHI4s"))
    (at,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 8 if wide else 4)
    (tags,) = struct.unpack_from(order + ("Q" if wide else "H"), data, at)
    at += 8 if wide else 2
    if tags > _MOST_TAGS:
        raise _overloaded()
    sides = {tag: 1 for pair in _TIFF_SIDES for tag in pair}
    for tag, kind, count, value in entry.iter_unpack(data[at : at + tags * entry.size]):
        if tag in (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.TILEOFFSETS):
            if count > _MOST_STRIPS:
                raise _overloaded()
        elif tag in sides:
            if kind not in _TIFF_INTEGERS or count != 1:
                raise SyntaxError("a side of the picture or of its tiles is not a number")
            (side,) = struct.unpack_from(order + _TIFF_INTEGERS[kind], value)
            sides[tag] = max(sides[tag], side)
    size = [sides[side] for side, _ in _TIFF_SIDES]
    padded = [-(-sides[side] // sides[tile]) * sides[tile] for side, tile in _TIFF_SIDES]
    if math.prod(size) <= max_pixels and math.prod(padded) > 2 * max_pixels:
        raise _overloaded()


_TIFF_INTEGERS = {3: "H", 4: "I", 16: "Q"}
_TIFF_SIDES = (
    (TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.TILEWIDTH),
    (TiffImagePlugin.IMAGELENGTH, TiffImagePlugin.TILELENGTH),
)


def _overloaded() -> ImageError:
    return ImageError(
        "This picture is stored in a way that takes far too much work to read: "
        "open it in another program and save it as PNG or JPEG."
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
    at = 13 + (2 << (flags & 7)) * 3 * (flags >> 7)
    while data[at] not in b",;":
        if data[at] == ord("!"):
            at += 2
            while data[at]:
                at += data[at] + 1
        at += 1
    if data[at] == ord(";"):
        return width, height
    left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
    return max(width, left + wide), max(height, top + high)
