"""Side data never decides over pixels: texts, profiles and the end of a file may be broken."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from hybridpool.pictures import ImageError, read_image
from tests.picture_files import chunk, encode, pixels
from tests.profiles import rgb_profile

H, W = 24, 32
RGB = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
SMOOTH = np.asarray(Image.fromarray(RGB).resize((8, 6)).resize((W * 4, H * 4)))
PNG = encode(RGB, "PNG")
LARGE = 3 * 2**20
PROFILE = rgb_profile("Adobe RGB")


def in_png(extra, *, before=b"IDAT"):
    at = PNG.index(before) - 4
    return PNG[:at] + extra + PNG[at:]


def damaged(piece):
    """A chunk whose checksum is wrong."""
    return piece[:-1] + bytes([piece[-1] ^ 1])


TEXT = b"Comment\0"
XMP = b"XML:com.adobe.xmp\0"
CHUNKS = {
    "zTXt of 3 MB": chunk(b"zTXt", TEXT + b"\0" + zlib.compress(bytes(LARGE))),
    "iTXt of 3 MB": chunk(b"iTXt", XMP + b"\0\0\0\0" + b" " * LARGE),
    "packed XMP of 3 MB": chunk(b"iTXt", XMP + b"\1\0\0\0" + zlib.compress(b" " * LARGE)),
    "tEXt with a wrong sum": damaged(chunk(b"tEXt", TEXT + b"hello")),
    "iCCP with a wrong sum": damaged(chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE))),
    "iCCP of 3 MB": chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(LARGE))),
    "iCCP of 64 MB": chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(64 * 2**20))),
    "iCCP packed otherwise": chunk(b"iCCP", b"x\0\7" + zlib.compress(PROFILE)),
    "iCCP that is no stream": chunk(b"iCCP", b"x\0\0" + b"hello"),
    "iCCP of nothing": chunk(b"iCCP"),
    "eXIf with a wrong sum": damaged(chunk(b"eXIf", b"II*\0" + bytes(8))),
    "gAMA too short": chunk(b"gAMA", b"\0"),
    "cHRM too short": chunk(b"cHRM", b"\0"),
    "pHYs too short": chunk(b"pHYs", b"\0"),
    "sRGB of nothing": chunk(b"sRGB"),
    "zTXt packed otherwise": chunk(b"zTXt", TEXT + b"\7?"),
    "animation of nothing": chunk(b"acTL"),
    "frame out of order": chunk(b"fcTL", bytes(26)),
    "unknown": chunk(b"abCd", b"?"),
}


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("name", CHUNKS)
def test_a_chunk_beside_the_pixels_of_a_png(name, place):
    image = read_image(in_png(CHUNKS[name], before=place))
    assert torch.equal(image, read_image(PNG))


def test_a_sound_profile_and_orientation_of_a_png_still_count():
    turned = chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIII", 0x112, 3, 1, 6, 0))
    assert torch.equal(read_image(in_png(turned)), read_image(PNG).rot90(-1, (1, 2)))
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE))
    assert torch.equal(
        read_image(in_png(profile)), read_image(encode(RGB, "PNG", icc_profile=PROFILE))
    )
    assert not torch.equal(read_image(in_png(profile)), read_image(PNG))


@pytest.mark.parametrize("missing", [1, 4, 8, 11, 12])
def test_a_png_without_its_end_is_read_and_one_without_pixels_is_not(missing):
    assert torch.equal(read_image(PNG[:-missing]), read_image(PNG))
    with pytest.raises(ImageError, match="damaged"):
        read_image(PNG[: len(PNG) // 2])
    broken = bytearray(PNG)
    broken[PNG.index(b"IDAT") + 40] ^= 255
    with pytest.raises(ImageError, match="damaged"):
        read_image(bytes(broken))


def test_endless_chunks_and_segments_are_refused():
    with pytest.raises(ImageError, match="too much work"):
        read_image(in_png(chunk(b"abCd") * 2**17))
    jpeg = encode(SMOOTH, "JPEG")
    with pytest.raises(ImageError, match="too much work"):
        read_image(jpeg[:2] + b"\xff\xfe\0\2" * 2**17 + jpeg[2:])


JPEGS = {
    "plain": {},
    "fine": {"quality": 100, "subsampling": 0},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "restarts": {"restart_marker_blocks": 2},
}


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_its_last_bytes_is_read(name, mode, missing):
    data = encode(Image.fromarray(SMOOTH).convert(mode), "JPEG", **JPEGS[name])
    assert data.endswith(b"\xff\xd9")
    assert torch.equal(read_image(data[:-missing]), read_image(data))


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_more_is_refused_or_whole(name):
    data = encode(SMOOTH, "JPEG", **JPEGS[name])
    whole = read_image(data)
    for missing in [*range(3, 60), *range(60, len(data), 41)]:
        try:
            image = read_image(data[:-missing])
        except ImageError:
            continue
        assert torch.equal(image, whole), missing


def segment(kind, body):
    return b"\xff" + bytes([kind]) + struct.pack(">H", len(body) + 2) + body


SEGMENTS = {
    "short JFIF": segment(0xE0, b"JFIF"),
    "short profile": segment(0xE2, b"ICC_PROFILE\0"),
    "half a profile": segment(0xE2, b"ICC_PROFILE\0\1\2" + PROFILE),
    "profile twice": segment(0xE2, b"ICC_PROFILE\0\1\2" + PROFILE) * 2,
    "short Adobe": segment(0xEE, b"Adobe"),
    "short Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM"),
    "index of many pictures": segment(0xE2, b"MPF\0" + b"\xff" * 30),
    "XMP that is no text": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"\xff" * 99),
    "comment": segment(0xFE, b"\xff" * 99),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_segment_beside_the_pixels_of_a_jpeg(name):
    data = encode(SMOOTH, "JPEG")
    image = read_image(data[:2] + SEGMENTS[name] + data[2:])
    assert torch.equal(image, read_image(data))


def test_a_profile_in_parts_is_joined_in_their_order():
    data = encode(SMOOTH, "JPEG")
    parts = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + PROFILE[start : start + 200])
        for number, start in ((1, 0), (2, 200))
    ]
    parts.append(segment(0xE2, b"ICC_PROFILE\0\3\3" + PROFILE[400:]))
    expected = read_image(encode(SMOOTH, "JPEG", icc_profile=PROFILE))
    assert torch.equal(read_image(data[:2] + b"".join(parts[::-1]) + data[2:]), expected)


def test_what_is_cut_off_behind_the_pixels_of_a_webp():
    data = encode(RGB, "WEBP", lossless=True, xmp=b"x" * 100, exif=b"Exif\0\0II*\0" + bytes(8))
    whole = read_image(data)
    assert torch.equal(read_image(data[:-30]), whole)
    assert torch.equal(read_image(data[: data.index(b"EXIF") + 9]), whole)


def test_a_gif_without_its_end_is_read():
    data = encode(Image.fromarray(RGB).quantize(64), "GIF")
    assert torch.equal(read_image(data[:-1]), read_image(data))


def bmp(bits, compression, masks=b""):
    head = struct.pack("<IiiHHIIiiII", 40, W, H, 1, bits, compression, 0, 0, 0, 0, 0)
    start = 14 + len(head) + len(masks)
    body = bytes(W * H * bits // 8)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + masks + body


def jpeg_with_frame(kind, bits=8):
    data = bytearray(encode(SMOOTH, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = kind, bits
    return bytes(data)


SOUND_BUT_UNKNOWN = {
    "BMP of 64 bits": bmp(64, 0),
    "BMP with masks of its own": bmp(16, 3, struct.pack("<III", 0xF000, 0x0F00, 0x00F0)),
    "BMP that holds a PNG": bmp(24, 5),
    "lossless JPEG": jpeg_with_frame(0xC3),
    "hierarchical JPEG": jpeg_with_frame(0xC5),
    "JPEG of 12 bits": jpeg_with_frame(0xC1, bits=12),
}


@pytest.mark.parametrize("name", SOUND_BUT_UNKNOWN)
def test_what_pillow_lacks_is_not_called_damaged(name):
    with pytest.raises(ImageError, match=r"may be sound.*save it as PNG"):
        read_image(SOUND_BUT_UNKNOWN[name])


@pytest.mark.parametrize("signature", [b"P6 8 8 255 ", b"\0\0\1\0\1\0", b"\0\0\0\x1cftypavif"])
def test_other_formats_are_named_as_what_they_are(signature):
    with pytest.raises(ImageError, match="not a picture in a format that can be read here"):
        read_image(signature + bytes(500))


def test_the_pixels_of_a_picture_with_all_of_it_are_right():
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "PNG")
    extra = b"".join(CHUNKS[name] for name in sorted(CHUNKS))
    np.testing.assert_allclose(pixels(read_image(in_png(extra))), RGB, atol=1e-3)
