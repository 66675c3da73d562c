"""Strip a picture file of its side data, so that texts and previews cannot spoil the pixels.

Pillow reads everything in a file and refuses the file for damage in a comment. So Pillow gets only
the pixels and the EXIF block; the colour profile is taken out here.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from hybridpool.pictures.errors import too_much_work

__all__ = ["MOST_PARTS", "Stripped", "strip_png", "strip_webp"]

#: A file of more chunks or segments takes too long to walk through.
MOST_PARTS = 2**16
_LONGEST_PROFILE = 8 * 2**20


class Stripped(NamedTuple):
    """A file with nothing but pixels and EXIF, and the colour profile that it had."""

    data: bytes
    profile: bytes | None = None


def strip_png(data: bytes) -> Stripped:
    """Keep the chunks that are needed to decode a PNG, and the EXIF block if it is sound.

    A file that stops after its pixels gets an end.

    Args:
        data: The bytes of the file.

    Raises:
        ImageError: If there are too many chunks.

    Example:
        >>> pixels = b"\\x89PNG\\r\\n\\x1a\\n" + _PNG_END
        >>> strip_png(pixels[:8] + b"\\0\\0\\0\\1tEXt?wrong" + pixels[8:]).data == pixels
        True
    """
    kept, profile, place = [data[:8]], None, 8
    for start, kind, end in _parts(data, 8, ">I4s", trailer=4):
        place = end
        sound = zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
        if kind == b"iCCP" and sound and profile is None:
            profile = _unpacked(data[start + 8 : end - 4])
        if kind[:1].isupper() or kind == b"tRNS" or (kind == b"eXIf" and sound):
            kept.append(data[start:end])
        if kind == b"IEND":
            return Stripped(b"".join(kept), profile)
    # The last chunk is cut off; if it holds pixels, Pillow finds out.
    cut = data[place + 4 : place + 8]
    kept.append(
        data[place:] if cut[:1].isupper() and cut != b"IEND" and len(cut) == 4 else _PNG_END
    )
    return Stripped(b"".join(kept), profile)


_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


def _unpacked(body: bytes) -> bytes | None:
    name, _, packed = body.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], _LONGEST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof and name and packed[:1] == b"\0" else None


def strip_webp(data: bytes) -> Stripped:
    """Drop incomplete chunks behind the pixels of a WebP, and take its profile out.

    Args:
        data: The bytes of the file.

    Raises:
        ImageError: If there are too many chunks.

    Example:
        >>> pixels = b"RIFF\\x14\\0\\0\\0WEBPVP8L\\4\\0\\0\\0...."
        >>> strip_webp(pixels + b"XMP \\xff\\0\\0\\0cut off").data[12:] == pixels[12:]
        True
    """
    kept, profile, place = [], None, 12
    for start, kind, end in _parts(data, 12, "<4sI", even=True):
        place = end
        if kind == b"ICCP":
            profile = profile or data[start + 8 : end]
        else:
            kept.append(data[start:end])
    if data[place : place + 4] not in (b"EXIF", b"XMP "):
        kept.append(data[place:])
    body = b"WEBP" + b"".join(kept)
    return Stripped(b"RIFF" + struct.pack("<I", len(body)) + body, profile)


def _parts(
    data: bytes, start: int, form: str, *, trailer: int = 0, even: bool = False
) -> Iterator[tuple[int, bytes, int]]:
    """Start, name and end of each whole chunk."""
    for _ in range(MOST_PARTS):
        if len(data) < start + 8:
            return
        length, kind = struct.unpack_from(form, data, start)
        if isinstance(length, bytes):
            length, kind = kind, length
        end = start + 8 + length + trailer
        end += end % 2 if even else 0
        if end > len(data):
            return
        yield start, kind, end
        start = end
    raise too_much_work()
