"""TIFF files: the tags that say what their samples are, and the samples that Pillow gets wrong."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from hybridpool.pictures.errors import not_readable_here, too_much_work
from hybridpool.pictures.samples import Samples

__all__ = ["Layout", "read_layout"]

_MOST_TAGS = 4096
_MOST_STRIPS = 2**18  # 64 million pixels in the smallest tiles TIFF allows, 16 x 16
_MOST_SAMPLES = 16
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS, _PLANAR = 273, 274, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 317, 322, 323, 324, 325
_INKS, _EXTRA, _FORMAT, _SUBSAMPLING, _PROFILE = 332, 338, 339, 530, 34675
# What is needed to decode the pixels: fax options, colour map, JPEG tables, YCbCr and old JPEG.
_DECODING = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _OFFSETS, _SAMPLES}
_DECODING |= {_ROWS, _COUNTS, _PLANAR, 292, 293, _PREDICTOR, 320, _TILE_WIDTH, _TILE_HEIGHT}
_DECODING |= {_TILE_OFFSETS, _TILE_COUNTS, _INKS, _EXTRA, _FORMAT, 347, 529, _SUBSAMPLING, 532}
_DECODING |= set(range(512, 522))
# What says where something lies: strips, tiles, and the parts of the old form of JPEG.
_POINTERS = {_OFFSETS, _TILE_OFFSETS, 513, 519, 520, 521}
_LISTS = {_OFFSETS, _COUNTS, _TILE_OFFSETS, _TILE_COUNTS}
# None, LZW, deflate (twice), PackBits: what comes out are the bytes that went in. The last two
# are LZMA and Zstandard.
_BYTEWISE = {1, 5, 8, 32946, 32773, 34925, 50000}
_PREDICTED = {5, 8, 32946, 34925, 50000}
_DEFLATE = {8, 32946}


class _Entry(NamedTuple):
    kind: int
    values: int
    body: bytes


@dataclass(frozen=True)
class Layout:
    """The tags of the first picture in a TIFF file that say how its pixels are stored.

    Attributes:
        data: the bytes of the file.
        entries: the tags, each with its type, number of values and bytes.
    """

    data: bytes
    entries: dict[int, _Entry]

    @property
    def _order(self) -> str:
        return "<" if self.data.startswith(b"II") else ">"

    @property
    def _wide(self) -> bool:
        return b"+" in self.data[2:4]

    def numbers(self, tag: int, *default: int) -> tuple[int, ...]:
        """The whole numbers of a tag, or the default where the file lacks it."""
        return self._numbers(self.entries[tag]) if tag in self.entries else default

    def _numbers(self, entry: _Entry) -> tuple[int, ...]:
        kind, count, body = entry
        if kind not in _INTEGERS or not count:
            raise SyntaxError("a tag does not hold the whole numbers that it should")
        return struct.unpack(f"{self._order}{count}{_INTEGERS[kind]}", body)

    def number(self, tag: int, default: int) -> int:
        """The first whole number of a tag."""
        return self.numbers(tag, default)[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, before the picture is turned upright."""
        return self.number(_WIDTH, 0), self.number(_HEIGHT, 0)

    @property
    def orientation(self) -> int:
        """How to turn the picture, from 1 to 8 as in EXIF; 1 where the tag makes no sense."""
        try:
            return self.number(_ORIENTATION, 1)
        except SyntaxError:
            return 1

    @property
    def profile(self) -> bytes | None:
        """The colour profile that the file brings."""
        return self.entries[_PROFILE].body if _PROFILE in self.entries else None

    def check(self, max_pixels: int) -> None:
        """Refuses what costs too much: a TIFF chooses the size of its tiles by itself, and they
        are allocated as written, however small the picture."""
        width, height = self.size
        across, down = self.number(_TILE_WIDTH, 1), self.number(_TILE_HEIGHT, 1)
        if not across or not down:
            raise SyntaxError("the tiles have no pixels")
        padded = -(-width // across) * across * -(-height // down) * down
        if width * height <= max_pixels and padded > 2 * max_pixels:
            raise too_much_work()

    def for_pillow(self) -> BytesIO | None:
        """The file with nothing in it but what decodes the pixels, if Pillow decodes them right.

        Pillow would read other tags too, and stumble over damage in them.
        """
        if not self._suits_pillow():
            return None
        tags = {tag: self.entries[tag] for tag in _DECODING & self.entries.keys()}
        return self._file(tags, self.data)

    def _suits_pillow(self) -> bool:
        photometric, compression = self.number(_PHOTOMETRIC, 0), self.number(_COMPRESSION, 1)
        bits, formats = set(self.numbers(_BITS, 1)), set(self.numbers(_FORMAT, 1))
        count, planar = self.number(_SAMPLES, 1), self.number(_PLANAR, 1)
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
            return count == 3 and self.numbers(_SUBSAMPLING, 2, 2) == (1, 1)
        if photometric == 5 and self.number(_INKS, 1) != 1:
            return False
        return count in {0: (1,), 1: (1, 2), 2: (3, 4), 3: (1, 2), 5: (4,), 6: (1, 3), 8: (3,)}.get(
            photometric, ()
        )

    def samples(self, max_pixels: int) -> Samples:
        """The samples that Pillow would get wrong or does not know.

        Raises:
            ImageError: They are stored in a way that is not known here either, or are too many.
        """
        photometric, count = self.number(_PHOTOMETRIC, 0), self.number(_SAMPLES, 1)
        mode = {0: "L", 1: "L", 2: "RGB", 5: "CMYK"}.get(photometric, "")
        extra = self.numbers(_EXTRA)[: count - len(mode)] if _EXTRA in self.entries else ()
        alpha = {1: "associated", 2: "straight"}.get(extra[0], "") if extra else ""
        kind = self._kind()
        known = (
            mode
            and kind
            and len(mode) <= count <= _MOST_SAMPLES
            and self.number(_COMPRESSION, 1) in _BYTEWISE
            and self.number(_FILL_ORDER, 1) == 1
            and self.number(_PLANAR, 1) in (1, 2)
            and not (mode == "CMYK" and (alpha or self.number(_INKS, 1) != 1))
        )
        if not known or not kind:
            raise not_readable_here()
        width, height = self.size
        if width * height * count * kind.itemsize > 8 * max_pixels:
            raise too_much_work()
        return Samples(self.size, _Rows(self, kind, count), mode, alpha, inverted=photometric == 0)

    def _kind(self) -> np.dtype[Any] | None:
        bits, formats = set(self.numbers(_BITS, 1)), set(self.numbers(_FORMAT, 1))
        if len(bits) != 1 or len(formats) != 1:
            return None
        letter = {1: "u", 2: "i", 3: "f", 4: "u"}.get(formats.pop(), "")
        name = f"{letter}{bits.pop() / 8:g}"
        known = {"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}
        return np.dtype(self._order + name) if name in known else None

    def decoded(self, packed: bytes, rows: int, wide: int) -> bytes:
        """What is in one strip or tile, as rows of so many bytes."""
        if self.number(_COMPRESSION, 1) in _DEFLATE:
            return zlib.decompressobj().decompress(packed, rows * wide)
        # Pillow decodes it as a grey picture of bytes: there it has nothing to misunderstand.
        values = {_WIDTH: wide, _HEIGHT: rows, _BITS: 8, _PHOTOMETRIC: 1, _SAMPLES: 1}
        values |= {_ROWS: rows, _OFFSETS: 0, _COUNTS: len(packed)}
        tags = {tag: self._entry(value) for tag, value in values.items()}
        tags[_COMPRESSION] = self.entries[_COMPRESSION]
        with TiffImagePlugin.TiffImageFile(self._file(tags, packed)) as picture:
            return picture.tobytes()

    def _entry(self, *values: int) -> _Entry:
        kind = 16 if self._wide else 4
        body = struct.pack(f"{self._order}{len(values)}{_INTEGERS[kind]}", *values)
        return _Entry(kind, len(values), body)

    def _file(self, entries: dict[int, _Entry], pixels: bytes) -> BytesIO:
        """A directory of tags, and behind it pixels to which they point.

        Behind it, so that a file that is cut off ends where it is cut off.
        """
        offset, room = ("Q", 8) if self._wide else ("I", 4)
        head = self.data[: 8 if self._wide else 4]
        first = len(head) + room
        start = first + (8 if self._wide else 2) + len(entries) * (4 + 2 * room) + room
        pointers = {tag: self._numbers(entries[tag]) for tag in _POINTERS & entries.keys()}
        entries = entries | {tag: self._entry(*places) for tag, places in pointers.items()}
        moved = start + sum(len(body) for _, _, body in entries.values() if len(body) > room)
        table, tail = struct.pack(self._order + ("Q" if self._wide else "H"), len(entries)), b""
        for tag, entry in sorted(entries.items()):
            if tag in _POINTERS:
                entry = self._entry(*(place + moved for place in pointers[tag]))
            kind, count, body = entry
            table += struct.pack(self._order + "HH" + offset, tag, kind, count)
            if len(body) > room:
                table += struct.pack(self._order + offset, start + len(tail))
                tail += body
            else:
                table += body.ljust(room, b"\0")
        pointer = struct.pack(self._order + offset, first)
        return BytesIO(b"".join([head, pointer, table, bytes(room), tail, pixels]))


class _Rows:
    """Rows of a TIFF as an array (rows, width, samples), decoded strip by strip or tile by tile."""

    def __init__(self, layout: Layout, kind: np.dtype[Any], count: int) -> None:
        self._layout, self._kind = layout, kind
        width, height = layout.size
        self._planes = count if layout.number(_PLANAR, 1) == 2 else 1
        self._together = count // self._planes
        self._tiled = _TILE_WIDTH in layout.entries
        self._across = layout.number(_TILE_WIDTH, width)
        self._down = layout.number(_TILE_HEIGHT, 0) or min(layout.number(_ROWS, height), height)
        self._tiles = -(-width // self._across)
        self._raw = layout.number(_COMPRESSION, 1) == 1
        self._offsets = layout.numbers(_TILE_OFFSETS if self._tiled else _OFFSETS)
        self._counts = layout.numbers(_TILE_COUNTS if self._tiled else _COUNTS)
        self._predictor = layout.number(_PREDICTOR, 1)
        if layout.number(_COMPRESSION, 1) not in _PREDICTED:
            self._predictor = 1
        each = self._tiles * -(-height // self._down) if self._down else 0
        fewest = min(len(self._offsets), len(self._offsets if self._raw else self._counts))
        if not each or fewest < each * self._planes:
            raise SyntaxError("there are fewer strips than the picture needs")
        self._each = each
        self._last: tuple[int, NDArray[Any]] = (-1, np.empty(0))

    def __call__(self, top: int, bottom: int) -> NDArray[Any]:
        blocks = range(top // self._down, (bottom - 1) // self._down + 1)
        parts = [
            self._row_of_blocks(block)[
                max(0, top - block * self._down) : bottom - block * self._down
            ]
            for block in blocks
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _row_of_blocks(self, block: int) -> NDArray[Any]:
        if self._last[0] != block:
            width, height = self._layout.size
            rows = self._down if self._tiled else min(self._down, height - block * self._down)
            planes = []
            for plane in range(self._planes):
                first = plane * self._each + block * self._tiles
                tiles = [self._block(first + tile, rows) for tile in range(self._tiles)]
                samples = tiles[0][:, None] if len(tiles) == 1 else np.stack(tiles, axis=1)
                samples = self._values(samples).reshape(rows, -1, self._together)
                planes.append(samples[:, :width])
            self._last = block, planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        return self._last[1]

    def _block(self, number: int, rows: int) -> NDArray[np.uint8]:
        wide = self._across * self._together * self._kind.itemsize
        start = self._offsets[number]
        if self._raw:
            block = memoryview(self._layout.data)[start : start + rows * wide]
        else:
            packed = self._layout.data[start : start + self._counts[number]]
            block = memoryview(self._layout.decoded(packed, rows, wide))
        if len(block) < rows * wide:
            raise OSError("a strip is cut off")
        return np.frombuffer(block, np.uint8).reshape(rows, wide)

    def _values(self, rows: NDArray[np.uint8]) -> NDArray[Any]:
        """The samples of rows of tiles; a predictor stored each as the difference to the last."""
        high, tiles, _ = rows.shape
        size, order = self._kind.itemsize, self._kind.newbyteorder("=")
        if self._predictor == 3:
            # Bytes of equal weight stand together, the heaviest first, and are subtracted singly.
            summed = rows.reshape(high, tiles, -1, self._together).cumsum(axis=2, dtype=np.uint8)
            apart = summed.reshape(high, tiles, size, -1).swapaxes(2, 3)
            return np.ascontiguousarray(apart).view(f">f{size}")[..., 0].astype(order)
        if self._predictor == 2:
            whole = np.dtype(f"u{size}")
            steps = rows.view(whole.newbyteorder(self._kind.byteorder)).astype(whole)
            steps = steps.reshape(high, tiles, -1, self._together)
            return steps.cumsum(axis=2, dtype=whole).view(order)
        return rows.view(self._kind).astype(order, copy=False)


def read_layout(data: bytes) -> Layout:
    """Reads the tags of the first picture in a TIFF file, those of its pixels alone.

    Args:
        data: the bytes of the file.

    Raises:
        ImageError: There are too many tags, strips or tiles.
        SyntaxError: The tags cannot be understood.
        struct.error: The file ends before they do.

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
    (at,) = struct.unpack_from(offset, data, 8 if wide else 4)
    (count,) = struct.unpack_from(order + ("Q" if wide else "H"), data, at)
    at += 8 if wide else 2
    if count > _MOST_TAGS:
        raise too_much_work()
    entries: dict[int, _Entry] = {}
    table = data[at : at + count * head.size]
    if len(table) < count * head.size:
        raise SyntaxError("the table of tags is cut off")
    for tag, kind, values, body in head.iter_unpack(table):
        if tag in _LISTS and values > _MOST_STRIPS:
            raise too_much_work()
        if tag not in _DECODING | {_ORIENTATION, _PROFILE} or kind not in _BYTES:
            continue
        length = values * _BYTES[kind]
        if length > len(body):
            (start,) = struct.unpack(offset, body)
            body = data[start : start + length]
        if len(body) >= length:
            entries[tag] = _Entry(kind, values, body[:length])
        elif tag in _DECODING:
            raise SyntaxError(f"tag {tag} is cut off")
    return Layout(data, entries)
