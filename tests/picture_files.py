"""Picture files made by hand, for what no program writes."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def encode(picture, format, **options):
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, rows=b"", *extra):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def png_rows(samples):
    """Rows of a PNG from an array of bytes or of big-endian 16-bit samples, without a filter."""
    return b"".join(b"\0" + row.tobytes() for row in samples)


def packed(samples, depth):
    """Samples of less than 8 bits, packed the way PNG and TIFF do it."""
    bits = np.unpackbits(samples[..., None], axis=-1)[..., -depth:]
    return np.packbits(bits.reshape(len(samples), -1), axis=1)


def tiff(order, tags, pixels):
    """A TIFF of one strip, or of the tiles that its tags describe: number -> (type, values)."""
    form = {1: "B", 3: "H", 4: "I", 9: "i"}
    if 324 not in tags:
        tags = {**tags, 273: (4, [8]), 279: (4, [len(pixels)])}
    later, entries = b"", b""
    start = 8 + len(pixels) + len(pixels) % 2
    start_later = start + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        body = struct.pack(f"{order}{len(values)}{form[kind]}", *values)
        if len(body) > 4:
            body, later = struct.pack(order + "I", start_later + len(later)), later + body
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + body.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    directory = struct.pack(order + "H", len(tags)) + entries + bytes(4)
    return head + pixels.ljust(start - 8, b"\0") + directory + later


def tiff_tags(width, height, bits, photometric, **extra):
    basic = {256: width, 257: height, 259: 1, 262: photometric, 277: len(bits), 278: height}
    return {
        **{tag: (4, [value]) for tag, value in basic.items()},
        258: (3, bits),
        **{int(tag[1:]): value for tag, value in extra.items()},
    }


def pixels(image):
    """The image as an (H, W, 3) array from 0 to 255."""
    return image.permute(1, 2, 0).numpy() * 255.0
