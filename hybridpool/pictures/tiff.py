"""TIFF files: the tags about the storage of pixels, and which files Pillow reads correctly."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from io import BytesIO
from typing import NamedTuple

from hybridpool.pictures.errors import too_much_work

__all__ = ["Entry", "Layout", "Tag", "read_layout"]

_MOST_TAGS = 4096
_MOST_STRIPS = 2**18  # 64 million pixels in the smallest tiles TIFF allows, 16 x 16
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}


class Tag(IntEnum):
    """The numbers of the tags that we read.

    Example:
        >>> Tag(256).name
        'WIDTH'
    """

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS = 278
    COUNTS = 279
    PLANAR = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_COUNTS = 325
    INKS = 332
    EXTRA = 338
    FORMAT = 339
    SUBSAMPLING = 530
    PROFILE = 34675


# Needed to decode the pixels: fax options, colour map, JPEG tables, YCbCr and old JPEG.
_DECODING: set[int] = {*Tag} - {Tag.ORIENTATION, Tag.PROFILE}
_DECODING |= {292, 293, 320, 347, 529, 532, *range(512, 522)}
# Tags that point to something: strips, tiles, and the parts of the old form of JPEG.
_POINTERS: set[int] = {Tag.OFFSETS, Tag.TILE_OFFSETS, 513, 519, 520, 521}
_LISTS = {Tag.OFFSETS, Tag.COUNTS, Tag.TILE_OFFSETS, Tag.TILE_COUNTS}


class Entry(NamedTuple):
    """A tag: the type of its values, how many there are, and their bytes."""

    kind: int
    values: int
    body: bytes


@dataclass(frozen=True)
class Layout:
    """The tags of the first picture in a TIFF file that say how its pixels are stored.

    Attributes:
        data: The bytes of the file.
        entries: The tags, each with its type, number of values and bytes.
    """

    data: bytes
    entries: dict[int, Entry]

    @property
    def order(self) -> str:
        """The order of bytes, as `struct` and NumPy write it."""
        return "<" if self.data.startswith(b"II") else ">"

    @property
    def _wide(self) -> bool:
        return b"+" in self.data[2:4]

    def numbers(self, tag: int, *default: int) -> tuple[int, ...]:
        """The whole numbers of a tag, or the default if the file lacks it."""
        return self._numbers(self.entries[tag]) if tag in self.entries else default

    def _numbers(self, entry: Entry) -> tuple[int, ...]:
        kind, count, body = entry
        if kind not in _INTEGERS or not count:
            raise SyntaxError("a tag does not hold the whole numbers that it should")
        return struct.unpack(f"{self.order}{count}{_INTEGERS[kind]}", body)

    def number(self, tag: int, default: int) -> int:
        """The first whole number of a tag."""
        return self.numbers(tag, default)[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, before the picture is turned upright."""
        return self.number(Tag.WIDTH, 0), self.number(Tag.HEIGHT, 0)

    @property
    def orientation(self) -> int:
        """How to turn the picture, from 1 to 8 as in EXIF; 1 if the tag makes no sense."""
        try:
            return self.number(Tag.ORIENTATION, 1)
        except SyntaxError:
            return 1

    @property
    def profile(self) -> bytes | None:
        """The colour profile in the file."""
        return self.entries[Tag.PROFILE].body if Tag.PROFILE in self.entries else None

    def check(self, max_pixels: int) -> None:
        """Refuse a picture that costs too much to decode.

        A TIFF chooses the size of its tiles, and Pillow allocates them however small the picture.
        """
        width, height = self.size
        across, down = self.number(Tag.TILE_WIDTH, 1), self.number(Tag.TILE_HEIGHT, 1)
        if not across or not down:
            raise SyntaxError("the tiles have no pixels")
        padded = -(-width // across) * across * -(-height // down) * down
        if width * height <= max_pixels and padded > 2 * max_pixels:
            raise too_much_work()

    def for_pillow(self) -> BytesIO | None:
        """The file with only what is needed to decode the pixels, if Pillow decodes them correctly.

        Pillow would also read other tags, and fail at damage in them.
        """
        if not self._suits_pillow():
            return None
        tags: dict[int, Entry] = {tag: self.entries[tag] for tag in _DECODING & self.entries.keys()}
        return self.file(tags, self.data)

    def _suits_pillow(self) -> bool:
        photometric, compression = self.number(Tag.PHOTOMETRIC, 0), self.number(Tag.COMPRESSION, 1)
        bits, formats = set(self.numbers(Tag.BITS, 1)), set(self.numbers(Tag.FORMAT, 1))
        count, planar = self.number(Tag.SAMPLES, 1), self.number(Tag.PLANAR, 1)
        if compression == 6:  # the old form of JPEG, which says the rest by itself
            return True
        if formats - {1, 4} or len(bits) != 1 or (planar != 1 and count > 1):
            return False
        (depth,) = bits
        if depth < 8 or (depth == 12 and photometric == 1):
            return count == 1 and photometric in (0, 1, 3)
        if depth != 8:
            return False
        if photometric == 6 and compression == 1:
            return count == 3 and self.numbers(Tag.SUBSAMPLING, 2, 2) == (1, 1)
        if photometric == 5 and self.number(Tag.INKS, 1) != 1:
            return False
        return count in {0: (1,), 1: (1, 2), 2: (3, 4), 3: (1, 2), 5: (4,), 6: (1, 3), 8: (3,)}.get(
            photometric, ()
        )

    def entry(self, *values: int) -> Entry:
        """A tag of whole numbers."""
        kind = 16 if self._wide else 4
        body = struct.pack(f"{self.order}{len(values)}{_INTEGERS[kind]}", *values)
        return Entry(kind, len(values), body)

    def file(self, entries: dict[int, Entry], pixels: bytes) -> BytesIO:
        """A directory of tags, followed by the pixels to which they point.

        The pixels come last, so that a file that was cut off stays cut off.
        """
        offset, room = ("Q", 8) if self._wide else ("I", 4)
        head = self.data[: 8 if self._wide else 4]
        first = len(head) + room
        start = first + (8 if self._wide else 2) + len(entries) * (4 + 2 * room) + room
        pointers = {tag: self._numbers(entries[tag]) for tag in _POINTERS & entries.keys()}
        entries = entries | {tag: self.entry(*places) for tag, places in pointers.items()}
        moved = start + sum(len(body) for _, _, body in entries.values() if len(body) > room)
        table, tail = struct.pack(self.order + ("Q" if self._wide else "H"), len(entries)), b""
        for tag, entry in sorted(entries.items()):
            if tag in _POINTERS:
                entry = self.entry(*(place + moved for place in pointers[tag]))
            kind, count, body = entry
            table += struct.pack(self.order + "HH" + offset, tag, kind, count)
            if len(body) > room:
                table += struct.pack(self.order + offset, start + len(tail))
                tail += body
            else:
                table += body.ljust(room, b"\0")
        pointer = struct.pack(self.order + offset, first)
        return BytesIO(b"".join([head, pointer, table, bytes(room), tail, pixels]))


def read_layout(data: bytes) -> Layout:
    """Read the tags about the pixels of the first picture in a TIFF file.

    Args:
        data: The bytes of the file.

    Raises:
        ImageError: If there are too many tags, strips or tiles.
        SyntaxError: If the tags cannot be understood.
        struct.error: If the file ends within the tags.

    Example:
        >>> from PIL import Image
        >>> file = BytesIO()
        >>> Image.new("I;16", (6, 4)).save(file, "TIFF")
        >>> read_layout(file.getvalue()).size
        (6, 4)
    """
    order, wide = "<" if data.startswith(b"II") else ">", b"+" in data[2:4]
    head = struct.Struct(order + ("HHQ8s" if wide else "HHI4s"))
    offset = order + ("Q" if wide else "I")
    (place,) = struct.unpack_from(offset, data, 8 if wide else 4)
    (count,) = struct.unpack_from(order + ("Q" if wide else "H"), data, place)
    place += 8 if wide else 2
    if count > _MOST_TAGS:
        raise too_much_work()
    entries: dict[int, Entry] = {}
    table = data[place : place + count * head.size]
    if len(table) < count * head.size:
        raise SyntaxError("the table of tags is cut off")
    for tag, kind, values, body in head.iter_unpack(table):
        if tag in _LISTS and values > _MOST_STRIPS:
            raise too_much_work()
        if tag not in _DECODING | {Tag.ORIENTATION, Tag.PROFILE} or kind not in _BYTES:
            continue
        length = values * _BYTES[kind]
        if length > len(body):
            (start,) = struct.unpack(offset, body)
            body = data[start : start + length]
        if len(body) >= length:
            entries[tag] = Entry(kind, values, body[:length])
        elif tag in _DECODING:
            raise SyntaxError(f"tag {tag} is cut off")
    return Layout(data, entries)
