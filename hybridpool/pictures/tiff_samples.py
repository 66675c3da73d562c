"""TIFF files whose samples Pillow gets wrong or does not know."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from hybridpool.pictures.errors import not_readable_here, too_much_work
from hybridpool.pictures.samples import Samples
from hybridpool.pictures.tiff import Entry, Layout, Tag

__all__ = ["tiff_samples"]

_MOST_SAMPLES = 16
# None, LZW, deflate (twice), PackBits: these give back the bytes that were stored. The last two
# are LZMA and Zstandard.
_BYTEWISE = {1, 5, 8, 32946, 32773, 34925, 50000}
_PREDICTED = {5, 8, 32946, 34925, 50000}
_DEFLATE = {8, 32946}


def tiff_samples(layout: Layout, max_pixels: int) -> Samples:
    """Read samples that Pillow gets wrong or does not know.

    Args:
        layout: The tags of the file.
        max_pixels: Most pixels of eight bytes that are decoded.

    Raises:
        ImageError: If they are stored in a way that is unknown here too, or are too many.

    Example:
        >>> from io import BytesIO
        >>> from PIL import Image
        >>> from hybridpool.pictures.tiff import read_layout
        >>> file = BytesIO()
        >>> Image.new("F", (6, 4), 0.5).save(file, "TIFF")
        >>> tiff_samples(read_layout(file.getvalue()), 24).rows(1, 2)[0, 0]
        array([0.5], dtype=float32)
    """
    photometric, count = layout.number(Tag.PHOTOMETRIC, 0), layout.number(Tag.SAMPLES, 1)
    mode = {0: "L", 1: "L", 2: "RGB", 5: "CMYK"}.get(photometric, "")
    extra = layout.numbers(Tag.EXTRA)[: count - len(mode)] if Tag.EXTRA in layout.entries else ()
    alpha = {1: "associated", 2: "straight"}.get(extra[0], "") if extra else ""
    kind = _kind(layout)
    known = (
        mode
        and kind
        and len(mode) <= count <= _MOST_SAMPLES
        and layout.number(Tag.COMPRESSION, 1) in _BYTEWISE
        and layout.number(Tag.FILL_ORDER, 1) == 1
        and layout.number(Tag.PLANAR, 1) in (1, 2)
        and not (mode == "CMYK" and (alpha or layout.number(Tag.INKS, 1) != 1))
    )
    if not known or not kind:
        raise not_readable_here()
    width, height = layout.size
    if width * height * count * kind.itemsize > 8 * max_pixels:
        raise too_much_work()
    return Samples(layout.size, _Rows(layout, kind, count), mode, alpha, inverted=photometric == 0)


def _kind(layout: Layout) -> np.dtype[Any] | None:
    bits, formats = set(layout.numbers(Tag.BITS, 1)), set(layout.numbers(Tag.FORMAT, 1))
    if len(bits) != 1 or len(formats) != 1:
        return None
    letter = {1: "u", 2: "i", 3: "f", 4: "u"}.get(formats.pop(), "")
    name = f"{letter}{bits.pop() / 8:g}"
    known = {"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}
    return np.dtype(layout.order + name) if name in known else None


class _Rows:
    """Rows of a TIFF as an array (rows, width, samples), decoded strip by strip or tile by tile."""

    def __init__(self, layout: Layout, kind: np.dtype[Any], count: int) -> None:
        self._layout, self._kind = layout, kind
        width, height = layout.size
        self._planes = count if layout.number(Tag.PLANAR, 1) == 2 else 1
        self._together = count // self._planes
        self._tiled = Tag.TILE_WIDTH in layout.entries
        self._across = layout.number(Tag.TILE_WIDTH, width)
        self._down = layout.number(Tag.TILE_HEIGHT, 0) or min(
            layout.number(Tag.ROWS, height), height
        )
        self._tiles = -(-width // self._across)
        self._raw = layout.number(Tag.COMPRESSION, 1) == 1
        self._offsets = layout.numbers(Tag.TILE_OFFSETS if self._tiled else Tag.OFFSETS)
        self._counts = layout.numbers(Tag.TILE_COUNTS if self._tiled else Tag.COUNTS)
        self._predictor = layout.number(Tag.PREDICTOR, 1)
        if layout.number(Tag.COMPRESSION, 1) not in _PREDICTED:
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
            block = memoryview(self._decoded(packed, rows, wide))
        if len(block) < rows * wide:
            raise OSError("a strip is cut off")
        return np.frombuffer(block, np.uint8).reshape(rows, wide)

    def _decoded(self, packed: bytes, rows: int, wide: int) -> bytes:
        """Decode one strip or tile into rows of so many bytes."""
        if self._layout.number(Tag.COMPRESSION, 1) in _DEFLATE:
            return zlib.decompressobj().decompress(packed, rows * wide)
        # Pillow decodes it as a grey picture of bytes, which leaves nothing to misunderstand.
        values = {
            Tag.WIDTH: wide,
            Tag.HEIGHT: rows,
            Tag.BITS: 8,
            Tag.PHOTOMETRIC: 1,
            Tag.SAMPLES: 1,
        }
        values |= {Tag.ROWS: rows, Tag.OFFSETS: 0, Tag.COUNTS: len(packed)}
        tags: dict[int, Entry] = {tag: self._layout.entry(value) for tag, value in values.items()}
        tags[Tag.COMPRESSION] = self._layout.entries[Tag.COMPRESSION]
        with TiffImagePlugin.TiffImageFile(self._layout.file(tags, packed)) as picture:
            return picture.tobytes()

    def _values(self, rows: NDArray[np.uint8]) -> NDArray[Any]:
        """The samples of rows; with a predictor, each is stored as the difference to the last."""
        high, tiles, _ = rows.shape
        size, order = self._kind.itemsize, self._kind.newbyteorder("=")
        if self._predictor == 3:
            # Bytes of equal significance stand together, highest first, and are subtracted singly.
            summed = rows.reshape(high, tiles, -1, self._together).cumsum(axis=2, dtype=np.uint8)
            apart = summed.reshape(high, tiles, size, -1).swapaxes(2, 3)
            return np.ascontiguousarray(apart).view(f">f{size}")[..., 0].astype(order)
        if self._predictor == 2:
            whole = np.dtype(f"u{size}")
            steps = rows.view(whole.newbyteorder(self._kind.byteorder)).astype(whole)
            steps = steps.reshape(high, tiles, -1, self._together)
            return steps.cumsum(axis=2, dtype=whole).view(order)
        return rows.view(self._kind).astype(order, copy=False)
