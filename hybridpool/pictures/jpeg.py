"""JPEG files: the parts that the decoder gets, and whether all pixels are there."""

import re
from collections.abc import Iterator

from hybridpool.pictures.errors import not_readable_here, too_much_work
from hybridpool.pictures.stripped import MOST_PARTS, Stripped

__all__ = ["check_scans", "ended", "is_refined", "strip_jpeg"]

_MOST_SCANS = 64  # an ordinary progressive JPEG has about ten
_END = b"\xff\xd9"
_ICC = b"ICC_PROFILE\0"
_FRAMES = {b"\xff\xc0", b"\xff\xc1", b"\xff\xc2", b"\xff\xc9", b"\xff\xca"}
# Lossless, hierarchical, and the two together with arithmetic coding.
_UNKNOWN_FRAMES = {bytes([0xFF, 0xC0 + kind]) for kind in (3, 5, 6, 7, 11, 13, 14, 15)}
# Neither a stuffed zero, fill byte or restart inside a scan, nor the start of an image.
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")


def strip_jpeg(data: bytes) -> Stripped:
    """Keep the segments that are needed to decode a JPEG, and the EXIF block.

    Args:
        data: The bytes of the file.

    Raises:
        ImageError: If there are too many segments, or Pillow does not know this kind of JPEG.

    Example:
        >>> comment, scan = b"\\xff\\xfe\\0\\4hi", b"\\xff\\xda..."
        >>> strip_jpeg(b"\\xff\\xd8" + comment + scan).data == b"\\xff\\xd8" + scan
        True
    """
    kept, profile, place = [data[:2]], [], 2
    for _ in range(MOST_PARTS):
        while data[place : place + 2] == b"\xff\xff":  # fill bytes
            place += 1
        marker, length = data[place : place + 2], int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place : place + 2 + length]
        if marker[:1] != b"\xff" or marker == b"\xff\xda" or len(segment) < 4:
            break
        place += 2 + length
        body = segment[4:]
        if marker in _UNKNOWN_FRAMES or (marker in _FRAMES and body[:1] != b"\x08"):
            raise not_readable_here()
        if marker == b"\xff\xe2" and body.startswith(_ICC) and len(body) > len(_ICC) + 2:
            profile.append(body[len(_ICC) :])
        if not (b"\xff\xe0" <= marker <= b"\xff\xef" or marker == b"\xff\xfe") or _helps(
            marker, body
        ):
            kept.append(segment)
    else:
        raise too_much_work()
    return Stripped(b"".join([*kept, data[place:]]), _joined(profile))


def _helps(marker: bytes, body: bytes) -> bool:
    """Whether an application's segment gives the colours or the orientation of the pixels."""
    if marker == b"\xff\xe0":
        return body.startswith(b"JFIF\0") and len(body) >= 14
    if marker == b"\xff\xee":
        return body.startswith(b"Adobe") and len(body) >= 12
    return marker == b"\xff\xe1" and body.startswith(b"Exif\0\0")


def _joined(parts: list[bytes]) -> bytes | None:
    """Join the numbered parts of a profile, if all are there."""
    parts = sorted(parts)
    whole = [part[0] for part in parts] == list(range(1, len(parts) + 1))
    if not parts or not whole or any(part[1] != len(parts) for part in parts):
        return None
    return b"".join(part[2:] for part in parts)


def check_scans(data: bytes) -> None:
    """Refuse a file with too many scans: each may take a hundred bytes and costs a whole pass.

    Args:
        data: The bytes of the file.

    Raises:
        ImageError: If there are too many scans.

    Example:
        >>> check_scans(b"\\xff\\xd8" + b"\\xff\\xda\\0\\2" * 65)
        Traceback (most recent call last):
        hybridpool.pictures.errors.ImageError: This picture is stored in a way ...
    """
    if data.count(b"\xff\xda") <= _MOST_SCANS:
        return
    if sum(marker == b"\xff\xda" for marker, _ in _segments(data)) > _MOST_SCANS:
        raise too_much_work()


def _segments(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Marker and body of each segment up to the end of the picture, also between scans."""
    place = 2
    while (marker := _MARKER.search(data, place)) and marker[0] != _END:
        place = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        yield marker[0], data[marker.end() + 2 : place]


def is_refined(data: bytes) -> bool:
    """Whether the scans bring every coefficient of every colour to its full precision.

    Args:
        data: The bytes of the file.

    Example:
        >>> frame = b"\\xff\\xc2\\0\\x0b\\x08\\0\\x08\\0\\x08\\1\\1\\x11\\0"
        >>> scan = b"\\xff\\xda\\0\\x08\\1\\1\\0\\0\\x3f"
        >>> [is_refined(b"\\xff\\xd8" + frame + scan + precision) for precision in (b"\\0", b"\\1")]
        [True, False]
    """
    wanted, done = set(), set()
    for marker, body in _segments(data):
        if marker in _FRAMES:
            wanted = {(colour, index) for colour in body[6::3] for index in range(64)}
        if marker == b"\xff\xda" and len(body) >= 4 and not body[-1] & 15:
            colours, (first, last) = body[1:-3:2], body[-3:-1]
            done |= {(colour, index) for colour in colours for index in range(first, last + 1)}
    return bool(wanted) and wanted <= done


def ended(data: bytes) -> list[bytes]:
    """Give a JPEG that lacks its end several ends, each after other bits.

    If all of them decode to the same pixels, no pixel was missing.

    Args:
        data: The bytes of the file.

    Example:
        >>> [len(file) for file in ended(b"...")]
        [5, 69, 69, 69, 133, 149, 149]
    """
    data = data.removesuffix(b"\xff")
    # Where restarts divide the pixels, a whole division may be missing. It would begin with its
    # number, so ends with the next numbers are tried too.
    divisions = [bytes([0xFF, 0xD0 + number]) + b"\x55" * 16 for number in range(8)]
    bits = [b"", b"\0" * 64, b"\x55" * 64, b"\xaa" * 64, b"\xff\0" * 64]
    bits += [b"".join(divisions), b"".join(divisions[4:] + divisions[:4])]
    return [data + added + _END for added in bits]
