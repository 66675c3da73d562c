"""Pictures in: every kind of file gives the right pixels, and nothing but ImageError escapes."""

import ast
import gc
import inspect
import io
import random
import string
import struct
import warnings
import weakref
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, JpegImagePlugin, WebPImagePlugin

from hybridpool.pictures import ImageError
from hybridpool.pictures.image import fit_image, image_digest, read_image
from tests.picture_files import chunk, encode, packed, pixels, png, png_rows, tiff, tiff_tags

H, W = 8, 12
RAMP = np.arange(H * W, dtype=np.uint8).reshape(H, W) * 2
RGB = np.stack([RAMP, RAMP[::-1, ::-1], np.full_like(RAMP, 77)], axis=2)
RGB[:2, :5] = (250, 10, 30)
GREY = np.ascontiguousarray(RGB[..., 0])
ALPHA = np.ascontiguousarray(255 - RAMP)
WIDE = (GREY.astype(np.uint16) << 8) + np.arange(W, dtype=np.uint16)

ORIENTED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def over_white(colour, alpha):
    if colour.ndim == 2:
        colour = np.stack([colour] * 3, axis=2)
    part = alpha[..., None] / 255
    return colour * part + 255 * (1 - part)


def palette_picture():
    picture = Image.new("P", (W, H))
    picture.putpalette([value for i in range(256) for value in (i, 255 - i, i // 2)])
    picture.putdata((RAMP // 2).flatten().tolist())
    index = (RAMP // 2).astype(int)
    return picture, np.stack([index, 255 - index, index // 2], axis=2).astype(np.uint8)


def lab_tiff():
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(Image.fromarray(RGB), *profiles, outputMode="LAB")
    return encode(picture, "TIFF")


def animated(format, **options):
    later = Image.fromarray(255 - RGB)
    first = Image.fromarray(RGB)
    if format == "GIF":
        first, later = palette_picture()[0], palette_picture()[0].transpose(0)
    return encode(first, format, save_all=True, append_images=[later], **options)


def kinds():
    """Name -> (file, expected pixels from 0 to 255, tolerance)."""
    palette, palette_rgb = palette_picture()
    la, rgba = np.dstack([GREY, ALPHA]), np.dstack([RGB, ALPHA])
    bits = (GREY > 100).astype(np.uint8)
    two = (RAMP // 64).astype(np.uint8)
    four = (RAMP // 16).astype(np.uint8)
    wide_rgb = np.stack([WIDE, WIDE[::-1], WIDE // 2], axis=2)
    real = GREY.astype(np.float32) / 255
    index = RAMP // 2 % 16
    four_rgb = np.stack([index, 255 - index, index // 2], axis=2)
    cmyk = Image.fromarray(RGB).convert("CMYK")
    palette_alpha = bytes((ALPHA.flatten()[:1]).tolist()) + bytes(range(100, 200))
    alpha_of_index = np.full(256, 255)
    alpha_of_index[: len(palette_alpha)] = list(palette_alpha)
    pa = palette.copy()
    pa.putalpha(Image.fromarray(ALPHA))
    cases = {
        "png 1": (encode(Image.fromarray(bits * 255).convert("1"), "PNG"), bits * 255),
        "png 2": (png(W, H, 2, 0, png_rows(packed(two, 2))), two * 85),
        "png 4": (png(W, H, 4, 0, png_rows(packed(four, 4))), four * 17),
        "png L": (encode(GREY, "PNG"), GREY),
        "png LA": (encode(la, "PNG"), over_white(GREY, ALPHA)),
        "png LA 16": (
            png(W, H, 16, 4, png_rows(np.dstack([WIDE, ALPHA * np.uint16(257)]).astype(">u2"))),
            over_white(GREY, ALPHA),
        ),
        "png P": (encode(palette, "PNG"), palette_rgb),
        "png P 4": (encode(palette.point(lambda i: i % 16), "PNG", bits=4), four_rgb),
        "png P alpha": (
            encode(palette, "PNG", transparency=palette_alpha),
            over_white(palette_rgb, alpha_of_index[RAMP // 2]),
        ),
        "png P index": (
            encode(palette, "PNG", transparency=7),
            over_white(palette_rgb, np.where(RAMP // 2 == 7, 0, 255)),
        ),
        "png RGB": (encode(RGB, "PNG"), RGB),
        "png RGBA": (encode(rgba, "PNG"), over_white(RGB, ALPHA)),
        "png 16": (png(W, H, 16, 0, png_rows(WIDE.astype(">u2"))), WIDE / 257),
        "png RGB 16": (png(W, H, 16, 2, png_rows(wide_rgb.astype(">u2"))), wide_rgb / 257),
        "png RGBA 16": (
            png(W, H, 16, 6, png_rows((rgba * np.uint16(257)).astype(">u2"))),
            over_white(RGB, ALPHA),
        ),
        "apng": (animated("PNG"), RGB),
        "apng RGBA": (
            encode(rgba, "PNG", save_all=True, append_images=[Image.fromarray(rgba[::-1])]),
            over_white(RGB, ALPHA),
        ),
        "jpeg L": (encode(GREY, "JPEG", quality=100), GREY),
        "jpeg RGB": (encode(RGB, "JPEG", quality=100, subsampling=0), RGB),
        "jpeg progressive": (
            encode(RGB, "JPEG", quality=100, subsampling=0, progressive=True),
            RGB,
        ),
        "jpeg CMYK": (encode(cmyk, "JPEG", quality=100), RGB),
        "mpo": (
            encode(
                Image.fromarray(RGB),
                "MPO",
                save_all=True,
                append_images=[Image.fromarray(255 - RGB)],
                quality=100,
                subsampling=0,
            ),
            RGB,
        ),
        "webp RGB": (encode(RGB, "WEBP", lossless=True), RGB),
        "webp RGBA": (encode(rgba, "WEBP", lossless=True, exact=True), over_white(RGB, ALPHA)),
        "webp lossy": (encode(np.full((H, W, 3), 90, np.uint8), "WEBP"), np.full((H, W), 90)),
        "webp animated": (animated("WEBP", lossless=True), RGB),
        "bmp 1": (encode(Image.fromarray(bits * 255).convert("1"), "BMP"), bits * 255),
        "bmp P": (encode(palette, "BMP"), palette_rgb),
        "bmp L": (encode(GREY, "BMP"), GREY),
        "bmp RGB": (encode(RGB, "BMP"), RGB),
        "gif L": (encode(GREY, "GIF"), GREY),
        "gif P": (encode(palette, "GIF"), palette_rgb),
        "gif interlaced": (encode(palette, "GIF", interlace=1), palette_rgb),
        "gif index": (
            encode(palette, "GIF", transparency=7, optimize=False),
            over_white(palette_rgb, np.where(RAMP // 2 == 7, 0, 255)),
        ),
        "gif animated": (animated("GIF"), palette_rgb),
        "tiff 1": (encode(Image.fromarray(bits * 255).convert("1"), "TIFF"), bits * 255),
        "tiff 1 group4": (
            encode(Image.fromarray(bits * 255).convert("1"), "TIFF", compression="group4"),
            bits * 255,
        ),
        "tiff L": (encode(GREY, "TIFF"), GREY),
        "tiff white is zero": (
            tiff("<", tiff_tags(W, H, [8], 0), GREY.tobytes()),
            255 - GREY,
        ),
        "tiff LA": (encode(la, "TIFF"), over_white(GREY, ALPHA)),
        "tiff P": (encode(palette, "TIFF"), palette_rgb),
        "tiff PA": (encode(pa, "TIFF"), over_white(palette_rgb, ALPHA)),
        "tiff RGB": (encode(RGB, "TIFF"), RGB),
        "tiff RGB lzw": (encode(RGB, "TIFF", compression="tiff_lzw"), RGB),
        "tiff RGB deflate": (encode(RGB, "TIFF", compression="tiff_adobe_deflate"), RGB),
        "tiff RGB jpeg": (encode(RGB, "TIFF", compression="jpeg", quality=100), RGB),
        "tiff RGB big": (encode(RGB, "TIFF", big_tiff=True), RGB),
        "tiff RGB pages": (animated("TIFF"), RGB),
        "tiff RGBX": (encode(Image.fromarray(RGB).convert("RGBX"), "TIFF"), RGB),
        "tiff RGBA": (encode(rgba, "TIFF"), over_white(RGB, ALPHA)),
        "tiff RGBa": (
            tiff(
                "<",
                tiff_tags(W, H, [8] * 4, 2, t338=(3, [1])),
                np.dstack([(RGB * (ALPHA[..., None] / 255)).round(), ALPHA])
                .astype(np.uint8)
                .tobytes(),
            ),
            over_white(RGB, ALPHA),
        ),
        "tiff CMYK": (encode(cmyk, "TIFF"), RGB),
        "tiff CMYK black": (
            tiff("<", tiff_tags(W, H, [8] * 4, 5), bytes([0, 0, 0, 155]) * (H * W)),
            np.full((H, W), 100),
        ),
        "tiff YCbCr": (encode(Image.fromarray(RGB).convert("YCbCr"), "TIFF"), RGB),
        "tiff LAB": (lab_tiff(), RGB),
        "tiff float little": (
            tiff("<", tiff_tags(W, H, [32], 1, t339=(3, [3])), real.astype("<f4").tobytes()),
            GREY,
        ),
        "tiff float big": (
            tiff(">", tiff_tags(W, H, [32], 1, t339=(3, [3])), real.astype(">f4").tobytes()),
            GREY,
        ),
        "tiff float lzw": (encode(real, "TIFF", compression="tiff_lzw"), GREY),
    }
    for name, order in (("little", "<"), ("big", ">")):
        words = order + "u2"
        cases |= {
            f"tiff 16 {name}": (
                tiff(order, tiff_tags(W, H, [16], 1), WIDE.astype(words).tobytes()),
                WIDE / 257,
            ),
            f"tiff RGB 16 {name}": (
                tiff(order, tiff_tags(W, H, [16] * 3, 2), wide_rgb.astype(words).tobytes()),
                wide_rgb / 257,
            ),
        }
    return cases


KINDS = kinds()
LOSSY = {"jpeg RGB": 4, "jpeg progressive": 4, "jpeg CMYK": 6, "mpo": 4, "tiff RGB jpeg": 6}
LOSSY |= {"tiff YCbCr": 3, "tiff LAB": 12, "tiff RGBa": 2, "webp lossy": 4, "jpeg L": 2}


def check_contract(image, max_side=1024):
    assert image.dtype == torch.float32
    assert image.dim() == 3
    assert image.shape[0] == 3
    assert min(image.shape[1:]) >= 1
    assert max(image.shape[1:]) <= max_side
    assert image.is_contiguous()
    assert bool(torch.isfinite(image).all())
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1


def check_refused(error):
    assert error.template.format(**error.values) == str(error)
    assert str(error).endswith(".")
    assert "{" not in str(error)


def attempt(data, **limits):
    """The image, or None where the file is refused in an orderly way; else the test fails."""
    try:
        image = read_image(data, **limits)
    except ImageError as error:
        check_refused(error)
        return None
    check_contract(image, limits.get("max_side", 1024))
    return image


# --- what the pixels are ------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_pixels(name):
    data, expected = KINDS[name]
    image = read_image(data)
    check_contract(image)
    # One grey level for 16 bits cut to 8 and for colours multiplied by their alpha.
    tolerance = LOSSY.get(name, 1.01)
    np.testing.assert_allclose(pixels(image), in_colour(expected), atol=tolerance, rtol=0)


def test_eight_bits_are_exact():
    for name in ("png RGB", "bmp RGB", "tiff RGB", "tiff RGB lzw", "webp RGB"):
        assert torch.equal(read_image(KINDS[name][0]), torch.tensor(RGB).permute(2, 0, 1) / 255)


def test_lab_is_a_colour_space_of_its_own():
    samples = np.zeros((H, W, 3), np.uint8)
    samples[..., 0] = np.linspace(0, 255, W)
    samples[4:, 5, 1] = 60
    red, green, blue = read_image(tiff("<", tiff_tags(W, H, [8] * 3, 8), samples.tobytes()))
    np.testing.assert_allclose(red[:4], green[:4], atol=0.02)
    np.testing.assert_allclose(green[:4], blue[:4], atol=0.02)
    assert float(red[0, 0]) == pytest.approx(0, abs=0.02)
    assert float(red[0, -1]) == pytest.approx(1, abs=0.02)
    assert torch.all(red[0].diff() > 0)
    assert float(red[4, 5]) > float(green[4, 5]) + 0.2


def in_colour(expected):
    """Expected pixels as (H, W, 3) floats, from grey or from colour."""
    expected = np.asarray(expected, dtype=np.float64)
    return expected if expected.ndim == 3 else np.stack([expected] * 3, axis=2)


def with_key(depth, colour, samples, *key):
    body = struct.pack(f">{len(key)}H", *key)
    return png(W, H, depth, colour, png_rows(samples), chunk(b"tRNS", body))


def transparent_keys():
    """Name -> (file, which pixels are transparent, the pixels without the transparent colour)."""
    one, four = (RAMP > 90).astype(np.uint8), RAMP // 16
    red = np.all(RGB == (250, 10, 30), axis=2)
    wide, wide_key = WIDE.astype(">u2"), int(WIDE[4, 4])
    return {
        "1 bit": (with_key(1, 0, packed(one, 1), 1), one == 1, one * 255),
        "4 bit": (with_key(4, 0, packed(four, 4), 3), four == 3, four * 17),
        "8 bit": (with_key(8, 0, GREY, 40), GREY == 40, GREY),
        "16 bit": (with_key(16, 0, wide, wide_key), wide_key == WIDE, WIDE / 257),
        "RGB": (with_key(8, 2, RGB, 250, 10, 30), red, RGB),
        "RGB 16": (
            with_key(16, 2, wide[..., None].repeat(3, axis=2), *[wide_key] * 3),
            wide_key == WIDE,
            WIDE / 257,
        ),
    }


@pytest.mark.parametrize("name", transparent_keys())
def test_a_transparent_colour_of_a_png_becomes_white(name):
    data, where, shown = transparent_keys()[name]
    assert where.any()
    assert not where.all()
    expected = np.where(where[..., None], 255, in_colour(shown))
    np.testing.assert_allclose(pixels(read_image(data)), expected, atol=1.01)


def float_tiff(values):
    return encode(np.asarray(values, dtype=np.float32), "TIFF")


def test_floats_outside_the_unit_range_are_stretched_over_what_they_use():
    values = np.linspace(-3, 5, H * W).reshape(H, W)
    image = read_image(float_tiff(values))
    np.testing.assert_allclose(image[0].numpy(), (values + 3) / 8, atol=1e-6)


def test_what_is_not_a_number_is_black_and_the_rest_is_kept():
    values = GREY / 255.0
    values[0, :3] = np.nan, np.inf, -np.inf
    image = read_image(float_tiff(values))[0].numpy()
    np.testing.assert_array_equal(image[0, :3], 0)
    np.testing.assert_allclose(image[1:], GREY[1:] / 255.0, atol=1e-6)
    with pytest.raises(ImageError, match="no finite number"):
        read_image(float_tiff(np.full((H, W), np.nan)))


@pytest.mark.parametrize("value", [0.0, 0.25, 7.0, -1e38, 3e38])
def test_an_even_float_picture_stays_even(value):
    image = read_image(float_tiff(np.full((H, W), value)))
    assert torch.all(image == (value if value <= 1 and value >= 0 else 0))


def test_the_widest_floats_do_not_overflow():
    values = np.full((H, W), -3e38)
    values[:, 6:] = 3e38
    image = read_image(float_tiff(values))
    assert torch.all(image[..., :6] == 0)
    assert torch.all(image[..., 6:] == 1)


def test_32_bit_integers_are_stretched_over_what_they_use():
    values = (RAMP.astype(np.int32) - 90) * 1000
    image = read_image(encode(values, "TIFF"))
    np.testing.assert_allclose(pixels(image)[..., 1], RAMP / RAMP.max() * 255, atol=1e-2)


def test_twelve_bits_in_sixteen_have_their_white_at_4095():
    values = np.linspace(0, 4095, H * W).astype(np.uint16).reshape(H, W)
    for data in (encode(values, "PNG"), encode(values, "TIFF")):
        np.testing.assert_allclose(read_image(data)[0].numpy(), values / 4095, atol=1e-6)
    values[0, 0] = 4096
    assert float(read_image(encode(values, "PNG")).max()) == pytest.approx(4096 / 65535)


def test_a_gif_frame_smaller_than_its_screen_lies_on_the_screen():
    data = bytearray(KINDS["gif P"][0])
    struct.pack_into("<HH", data, 6, W + 4, H + 3)
    descriptor = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    struct.pack_into("<HH", data, descriptor + 1, 4, 3)
    image = read_image(bytes(data))
    assert image.shape == (3, H + 3, W + 4)
    np.testing.assert_allclose(pixels(image)[3:, 4:], KINDS["gif P"][1], atol=0.01)


# --- which way up -------------------------------------------------------------------------


def patches():
    """Four patches of different colours: no two turns of it are alike, and JPEG keeps it."""
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:24, :40], picture[:24, 40:] = (250, 20, 20), (20, 250, 20)
    picture[24:, :40], picture[24:, 40:] = (20, 20, 250), (250, 250, 250)
    return picture


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


FORMATS_WITH_EXIF = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF lzw": {"compression": "tiff_lzw"},
}


@pytest.mark.parametrize("name", FORMATS_WITH_EXIF)
@pytest.mark.parametrize("orientation", ORIENTED)
def test_orientation(name, orientation):
    options = FORMATS_WITH_EXIF[name]
    data = encode(patches(), name.split()[0], exif=exif(orientation), **options)
    expected = ORIENTED[orientation](patches())
    np.testing.assert_allclose(pixels(read_image(data)), expected, atol=12)


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_orientation_of_a_reduced_picture(format, orientation):
    large = patches().repeat(8, axis=0).repeat(8, axis=1)
    image = read_image(encode(large, format, exif=exif(orientation)), max_side=80)
    expected = ORIENTED[orientation](patches())
    assert image.shape[1:] == expected.shape[:2]
    assert np.mean(np.abs(pixels(image) - expected)) < 4


def test_orientation_in_xmp():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    data = encode(patches(), "WEBP", lossless=True, xmp=xmp)
    np.testing.assert_array_equal(pixels(read_image(data)).round(), ORIENTED[6](patches()))


def jpeg_with_exif(body):
    data = encode(patches(), "JPEG", quality=100, subsampling=0)
    block = b"Exif\0\0" + body
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


BROKEN_EXIF = {
    "empty": b"",
    "garbage": b"\xff" * 40,
    "no directory": b"II*\0\xff\xff\xff\x7f",
    "directory cut off": b"MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03",
    "points to itself": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8),
    "orientation 0": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, 0) + bytes(4),
    "orientation 9": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, 9) + bytes(4),
    "a text": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI4s", 0x0112, 2, 4, b"six\0") + bytes(4),
    "a huge count": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 2**31, 6),
    "by zero": b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 5, 1, 26) + bytes(12),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", BROKEN_EXIF)
def test_broken_exif_leaves_the_picture_as_it_is(name):
    image = read_image(jpeg_with_exif(BROKEN_EXIF[name]))
    np.testing.assert_allclose(pixels(image), patches(), atol=12)


# --- how large ----------------------------------------------------------------------------


def checkerboard(side):
    return (np.indices((side, side)).sum(axis=0) % 2 * 255).astype(np.uint8)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_a_fine_pattern_is_averaged_when_reduced(format):
    image = read_image(encode(checkerboard(600), format), max_side=100)
    assert image.shape == (3, 100, 100)
    np.testing.assert_allclose(pixels(image), 127.5, atol=2)


def test_floats_are_reduced_with_anti_aliasing_and_stay_in_range():
    image = read_image(float_tiff(checkerboard(600) / 255), max_side=100)
    np.testing.assert_allclose(image.numpy(), 0.5, atol=0.01)
    steps = np.kron(checkerboard(20) / 255, np.ones((30, 30)))
    check_contract(read_image(float_tiff(steps), max_side=431), max_side=431)


@pytest.mark.parametrize(("size", "expected"), [((900, 600), (67, 100)), ((300, 1200), (100, 25))])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF"])
def test_the_longer_side_is_reduced(format, size, expected):
    data = encode(Image.new("L", size, 99), format)
    assert read_image(data, max_side=100).shape == (3, *expected)


def test_a_small_picture_keeps_its_size():
    assert read_image(KINDS["png RGB"][0], max_side=W).shape == (3, H, W)


def photograph():
    """Smooth shapes with grain, 2400 x 1600."""
    generator = np.random.default_rng(3)
    down, right = np.mgrid[0:1600, 0:2400] / 300
    shapes = np.stack([np.sin(down + k) * np.cos(right * (k + 1)) for k in range(3)], axis=2)
    return (127 + 90 * shapes + generator.normal(0, 6, shapes.shape)).clip(0, 255).astype(np.uint8)


def test_a_large_jpeg_is_decoded_at_reduced_size(monkeypatch):
    data = encode(photograph(), "JPEG", quality=92)
    full = np.asarray(Image.open(io.BytesIO(data)).resize((600, 400), Image.Resampling.BICUBIC))
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(
        JpegImagePlugin.JpegImageFile,
        "load",
        lambda self: (decoded.append(self.size), load(self))[1],
    )
    image = read_image(data, max_side=600)
    assert image.shape == (3, 400, 600)
    assert set(decoded) == {(600, 400)}
    assert np.mean(np.abs(pixels(image) - full)) < 1.5


def test_colour_under_full_transparency_does_not_bleed_when_reduced():
    picture = np.zeros((400, 400, 4), np.uint8)
    picture[..., 0] = 255
    picture[:, ::2] = (0, 0, 255, 255)
    red, green, blue = read_image(encode(picture, "PNG"), max_side=50)
    np.testing.assert_allclose(red, green, atol=0.01)
    np.testing.assert_allclose(blue, 1, atol=0.01)


# --- what is refused, and before any pixel is decoded -------------------------------------


def jpeg_of(width, height):
    data = bytearray(encode(GREY, "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def gif_of(width, height, frame=(0, 0, 8, 8), between=b""):
    control = b"!\xf9\x04\x09\0\0\0\0"  # disposal to background: Pillow fills the frame
    return (
        b"GIF89a"
        + struct.pack("<HH3s", width, height, b"\xf0\0\0")
        + bytes(6)
        + b"!\xfe\x03abc\0"
        + between
        + control
        + b","
        + struct.pack("<4HB", *frame, 0)
        + b"\x02\x02\x4c\x01\0;"
    )


def webp_of(kind, width, height):
    body = {
        b"VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little"),
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }[kind]
    body = kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def bmp_of(width, height):
    data = bytearray(encode(RGB, "BMP"))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


HUGE = {
    "png": png(60000, 50000, 8, 2),
    "jpeg": jpeg_of(60000, 50000),
    "webp canvas": webp_of(b"VP8X", 60000, 50000),
    "webp lossless": webp_of(b"VP8L", 16000, 15000),
    "webp lossy": webp_of(b"VP8 ", 16000, 15000),
    "bmp": bmp_of(60000, 50000),
    "bmp from the top": bmp_of(60000, -50000),
    "gif screen": gif_of(60000, 50000),
    "gif frame": gif_of(8, 8, frame=(0, 0, 60000, 50000)),
    "gif frame far out": gif_of(8, 8, frame=(60000, 50000, 8, 8)),
    "gif stray bytes": gif_of(8, 8, frame=(0, 0, 60000, 50000), between=b"\0\1\2"),
    "tiff": tiff("<", tiff_tags(60000, 50000, [8], 1), bytes(8)),
    "tiff big": tiff(">", tiff_tags(60000, 50000, [8], 1), bytes(8)),
}


@pytest.fixture
def nothing_decoded(monkeypatch):
    """Fails the test, through the sentence it expects, where pixels are decoded or allocated."""

    def refuse(*args, **kwargs):
        raise AssertionError("pixels were allocated")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    monkeypatch.setattr(WebPImagePlugin._webp, "WebPAnimDecoder", refuse)
    for name in ("new", "fill"):
        monkeypatch.setattr(Image.core, name, refuse)


@pytest.mark.usefixtures("nothing_decoded")
@pytest.mark.parametrize("name", HUGE)
def test_too_many_pixels_are_refused_before_decoding(name):
    with pytest.raises(ImageError, match="pixels, and at most 64 million") as caught:
        read_image(HUGE[name])
    check_refused(caught.value)
    assert caught.value.values["width"] in (60000, 16000, 60008)


@pytest.mark.usefixtures("nothing_decoded")
def test_the_limit_counts_pixels_not_sides():
    with pytest.raises(ImageError, match=r"12 × 8 pixels, and at most 9\.5e-05 million"):
        read_image(KINDS["png RGB"][0], max_pixels=95)
    with pytest.raises(ImageError, match="damaged"):  # it went on to decode
        read_image(KINDS["png RGB"][0], max_pixels=96)


@pytest.mark.usefixtures("nothing_decoded")
def test_too_many_bytes_are_refused_unread():
    with pytest.raises(ImageError, match=r"is 2\.1 MB, and at most 2 MB"):
        read_image(b"\x89PNG" + bytes(2 * 2**20), max_bytes=2 * 2**20)


def tiled(width, height, tile_width, tile_height, kind=4):
    tags = tiff_tags(width, height, [8], 1)
    sides = {322: (kind, [tile_width]), 323: (kind, [tile_height])}
    return tiff("<", {**tags, **sides, 324: (4, [8]), 325: (4, [64])}, bytes(64))


@pytest.mark.usefixtures("nothing_decoded")
@pytest.mark.parametrize(
    "tile", [(40000, 40000), (64, 40_000_000), (2**31, 16)], ids=["square", "high", "wide"]
)
def test_tiles_larger_than_the_picture_are_refused(tile):
    with pytest.raises(ImageError, match="too much work"):
        read_image(tiled(64, 64, *tile))
    with pytest.raises(ImageError, match="cannot be understood"):
        read_image(tiled(64, 64, *[min(side, 2**31 - 1) for side in tile], kind=9))


@pytest.mark.usefixtures("nothing_decoded")
def test_a_tiff_of_too_many_strips_or_tags_is_refused():
    tags = tiff_tags(64, 64, [8], 1)
    with pytest.raises(ImageError, match="too much work"):
        read_image(tiff("<", {**tags, 324: (4, [8] * 2**18 + [8])}, bytes(64)))
    with pytest.raises(ImageError, match="too much work"):
        read_image(tiff("<", tags | {40000 + i: (4, [0]) for i in range(5000)}, bytes(64)))


def test_an_ordinary_tiled_tiff_is_read():
    picture = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32)
    tags = tiff_tags(32, 32, [8], 1)
    tiles = b"".join(picture[y : y + 16, x : x + 16].tobytes() for y in (0, 16) for x in (0, 16))
    offsets, counts = [8 + 256 * i for i in range(4)], [256] * 4
    sides = {322: (3, [16]), 323: (3, [16]), 324: (4, offsets), 325: (4, counts)}
    data = tiff("<", {**tags, **sides}, tiles)
    np.testing.assert_allclose(pixels(read_image(data)), in_colour(picture), atol=1e-4)


def with_scans(count):
    data = encode(np.full((64, 64), 128, np.uint8), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


ENDLESS = with_scans(100)


@pytest.mark.usefixtures("nothing_decoded")
def test_a_jpeg_of_endless_scans_is_refused():
    with pytest.raises(ImageError, match="too much work"):
        read_image(ENDLESS)


def test_scans_in_other_parts_of_a_jpeg_do_not_count():
    plain = encode(patches(), "JPEG", quality=95)
    comment = b"\xff\xfe\x7f\xfe" + b"\xff\xda" * 0x3FFE
    image = read_image(plain[:2] + comment + plain[2:] + b"\xff\xda" * 500)
    assert torch.equal(image, read_image(plain))
    assert read_image(with_scans(5)).shape == (3, 64, 64)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("size", "words"),
    [((1, 1), "too few"), ((3, 3), "too few"), ((200, 3), "too few"), ((400, 5), "too narrow")],
)
def test_pictures_too_small_or_too_narrow_are_refused_in_a_sentence(format, size, words):
    with pytest.raises(ImageError, match=words) as caught:
        read_image(encode(Image.new("L", size), format))
    assert (caught.value.values["width"], caught.value.values["height"]) == size


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("size", [(4, 4), (40, 40), (4, 256), (256, 4)])
def test_small_pictures_are_read(format, size):
    image = read_image(encode(Image.new("L", size, 60), format))
    assert image.shape == (3, size[1], size[0])
    check_contract(fit_image(image, 64), max_side=64)


OTHER_FILES = {
    "text": b"hello",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "pdf": b"%PDF-1.7 ...",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "ppm": b"P6 8 8 255 " + bytes(192),
}
NOT_PICTURES = {
    "empty": (b"", "empty"),
    **{name: (data, "not a picture") for name, data in OTHER_FILES.items()},
    "zero-sized png": (png(0, 0, 8, 2), "cannot be understood"),
    "zero-sized gif": (gif_of(0, 0, frame=(0, 0, 0, 0)), "too few"),
    "png signature": (b"\x89PNG\r\n\x1a\n", "cannot be understood"),
    "jpeg signature": (b"\xff\xd8\xff", "cannot be understood"),
    "webp signature": (b"RIFF\0\0\0\0WEBPVP8X", "too few"),
    "tiff signature": (b"II*\0", "cannot be understood"),
    "gif signature": (b"GIF89a", "cannot be understood"),
    "bmp signature": (b"BM", "cannot be understood"),
}


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_is_no_picture_is_refused_in_a_sentence(name):
    data, words = NOT_PICTURES[name]
    with pytest.raises(ImageError, match=words) as caught:
        read_image(data)
    check_refused(caught.value)


@pytest.mark.parametrize("data", [None, "text", 3, [1, 2], Path("x.png")])
def test_anything_but_bytes_is_a_type_error(data):
    with pytest.raises(TypeError, match=type(data).__name__):
        read_image(data)
    for kind in (bytearray, memoryview):
        with pytest.raises(TypeError, match=kind.__name__):
            read_image(kind(KINDS["png L"][0]))


# --- nothing else escapes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (MemoryError(), "memory"),
        (Image.DecompressionBombError("bomb"), "more pixels"),
        (Image.DecompressionBombWarning("bomb"), "more pixels"),
        (RecursionError("deep"), "damaged"),
        (struct.error("short"), "damaged"),
        (zlib.error("broken"), "damaged"),
        (UserWarning("as an error"), "damaged"),
        (OverflowError("large"), "damaged"),
        (SystemError("internal"), "damaged"),
        (KeyError("missing"), "damaged"),
        (AssertionError(), "damaged"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_goes_wrong_inside_becomes_a_sentence(monkeypatch, raised, words):
    def fail(self):
        raise raised

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match=words) as caught:
        read_image(KINDS["png RGB"][0])
    check_refused(caught.value)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("name", ["png RGB", "jpeg RGB", "gif P", "bmp RGB"])
def test_a_kept_error_does_not_keep_the_picture(monkeypatch, name):
    opened = []
    load = ImageFile.ImageFile.load_prepare
    monkeypatch.setattr(
        ImageFile.ImageFile,
        "load_prepare",
        lambda self: (opened.append(weakref.ref(self)), load(self))[1],
    )
    data = KINDS[name][0]
    try:
        read_image(data[: len(data) - 30])
    except ImageError as error:
        kept = error
    gc.collect()
    assert opened
    assert [picture() for picture in opened] == [None] * len(opened)
    assert "damaged" in str(kept)


def test_the_error_that_a_caller_is_handling_keeps_its_locals():
    def fail():
        local = "kept"
        raise LookupError(local)

    try:
        fail()
    except LookupError as error:
        assert attempt(b"no picture") is None
        inner = error.__traceback__.tb_next.tb_frame
    assert inner.f_locals == {"local": "kept"}


def test_an_interrupt_is_not_swallowed(monkeypatch):
    def fail(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(KeyboardInterrupt):
        read_image(KINDS["png RGB"][0])


def test_the_limit_of_the_process_neither_matters_nor_changes(monkeypatch):
    names = [name for name in KINDS if not name.startswith(("tiff", "webp"))]
    before = {name: read_image(KINDS[name][0]) for name in names}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for name in names:
        assert torch.equal(read_image(KINDS[name][0]), before[name])
    for name in KINDS:
        attempt(KINDS[name][0])
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for data in HUGE.values():
        assert attempt(data) is None
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


SMALLEST = ["png RGB", "png P alpha", "png 16", "apng", "jpeg RGB", "jpeg progressive", "jpeg CMYK"]
SMALLEST += ["webp RGB", "webp RGBA", "webp lossy", "webp animated", "bmp RGB", "bmp 1"]
SMALLEST += ["gif P", "gif interlaced", "gif animated", "tiff RGB", "tiff RGB lzw", "tiff 1 group4"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SMALLEST)
def test_a_file_cut_off_anywhere_is_refused_or_whole(name):
    data = KINDS[name][0]
    whole = read_image(data)
    refused = 0
    for length in range(len(data)):
        image = attempt(data[:length])
        refused += image is None
        assert image is None or torch.equal(image, whole), length
    assert refused > len(data) // 4


MUTATED = [name for name in KINDS if len(KINDS[name][0]) < 3000]


def mutate(data, generator):
    """A copy of a file with bytes changed, cut, doubled or put in, or a tail of something else."""
    data = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        at = generator.randrange(len(data))
        span = generator.choice((1, 1, 2, 4, 9))
        kind = generator.randrange(6)
        if kind == 0:
            data[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            data[at : at + span] = generator.randbytes(span)
        elif kind == 2:
            data[at : at + span] = generator.choice((b"\0", b"\xff", b"\x7f")) * span
        elif kind == 3:
            del data[at : at + span]
        elif kind == 4:
            data[at:at] = data[at : at + span * 4]
        else:
            data[at:] = generator.choice([KINDS[name][0] for name in MUTATED])[at:]
        data = data or bytearray(b"\0")
    return bytes(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MUTATED)
def test_damaged_files_are_read_or_refused(name):
    generator = random.Random(name)
    for _ in range(60):
        attempt(mutate(KINDS[name][0], generator), max_pixels=100_000, max_side=64)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", MUTATED)
def test_damaged_files_with_warnings_as_errors(name):
    generator = random.Random(f"warn {name}")
    for _ in range(20):
        attempt(mutate(KINDS[name][0], generator), max_pixels=100_000, max_side=64)


SIGNATURES = sorted({KINDS[name][0][:length] for name in KINDS for length in (3, 8, 16, 30)})


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=400))
@example(b"", b"")
def test_any_bytes_after_any_signature(signature, rest):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attempt(signature + rest, max_pixels=100_000)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from(MUTATED),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_any_bytes_changed(name, changes):
    data = bytearray(KINDS[name][0])
    for part, value in changes:
        data[int(part * len(data))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attempt(bytes(data), max_pixels=100_000)


def test_many_threads_at_once_get_what_one_gets():
    generator = random.Random(5)
    names = [name for name in KINDS for _ in range(6)]
    generator.shuffle(names)
    alone = {name: read_image(KINDS[name][0]) for name in KINDS}
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda name: read_image(KINDS[name][0]), names)
        for name, image in zip(names, together, strict=True):
            assert torch.equal(image, alone[name]), name


# --- the error ----------------------------------------------------------------------------


def test_every_sentence_is_a_literal_that_its_values_fill():
    folder = Path(inspect.getfile(read_image)).parent
    tree = ast.parse("\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py"))))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ImageError"
    ]
    assert len(calls) >= 10
    for call in calls:
        (template,) = call.args
        assert isinstance(template, ast.Constant)
        values = {keyword.arg: 1 for keyword in call.keywords}
        assert set(values) == set(_fields(template.value))
        assert template.value.endswith(".")


def _fields(template):
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


# --- fitting ------------------------------------------------------------------------------


def test_an_image_that_fits_is_the_same_image():
    image = torch.rand(3, 20, 32, generator=torch.Generator().manual_seed(0))
    assert fit_image(image, 32) is image or torch.equal(fit_image(image, 32), image)


def test_a_long_image_is_cropped_around_its_centre():
    image = torch.zeros(3, 16, 100)
    image[:, :, 34:66] = 1
    assert torch.equal(fit_image(image, 32), torch.ones(3, 16, 32))
    assert torch.equal(fit_image(image.transpose(1, 2), 32), torch.ones(3, 32, 16))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 80), st.sampled_from([1, 3]))
def test_fitted_shape_and_range(height, width, size, channels):
    generator = torch.Generator().manual_seed(height * 97 + width)
    image = (torch.rand(channels, height, width, generator=generator) > 0.5).float()
    fitted = fit_image(image, size)
    assert fitted.shape[0] == channels
    assert max(fitted.shape[1:]) == size
    assert min(fitted.shape[1:]) >= 8
    assert float(fitted.min()) >= 0
    assert float(fitted.max()) <= 1
    if 1 / 2 <= height / width <= 2 and size >= 32:
        ratio = fitted.shape[1] / fitted.shape[2]
        assert ratio == pytest.approx(height / width, abs=1.5 / size * max(1, ratio) * 2)


def test_fitting_down_averages_and_fitting_up_keeps_flat_areas():
    fine = torch.tensor(checkerboard(256) / 255, dtype=torch.float32).expand(3, -1, -1)
    np.testing.assert_allclose(fit_image(fine, 32), 0.5, atol=0.02)
    flat = torch.full((3, 5, 5), 0.3)
    np.testing.assert_allclose(fit_image(flat, 64), 0.3, atol=1e-5)


def test_fitting_refuses_what_it_cannot_fit():
    with pytest.raises(ValueError, match=r"\(C, H, W\).*\(1, 3, 8, 8\)"):
        fit_image(torch.zeros(1, 3, 8, 8), 32)
    with pytest.raises(ValueError, match=r"\(3, 0, 8\)"):
        fit_image(torch.zeros(3, 0, 8), 32)
    with pytest.raises(TypeError, match=r"torch\.uint8"):
        fit_image(torch.zeros(3, 8, 8, dtype=torch.uint8), 32)
    with pytest.raises(ValueError, match="at least 8, got 7"):
        fit_image(torch.zeros(3, 8, 8), 7)


def test_the_digest_names_the_content():
    data = KINDS["png RGB"][0]
    assert image_digest(data) == image_digest(bytes(bytearray(data)))
    assert len({image_digest(data[:length]) for length in range(len(data))}) == len(data)
    assert set(image_digest(data)) <= set("0123456789abcdef")
