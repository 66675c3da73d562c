"""Embedded colour profiles: followed to sRGB in every format, and ignored where they are broken."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridpool.pictures import read_image
from tests.picture_files import encode, pixels
from tests.profiles import cmyk_profile, grey_profile, printed, rgb_profile, shown

PATCHES = np.array(
    [
        [(200, 60, 40), (20, 180, 60), (30, 60, 200), (128, 128, 128)],
        [(255, 255, 255), (0, 0, 0), (230, 200, 150), (90, 120, 60)],
    ],
    np.uint8,
)
COLOURS = PATCHES.repeat(16, axis=0).repeat(16, axis=1)
INKS = (
    np.array(
        [
            [(200, 20, 30, 0), (10, 200, 60, 20), (0, 30, 200, 10), (0, 0, 0, 255)],
            [(0, 0, 0, 0), (120, 110, 100, 30), (60, 0, 0, 128), (0, 90, 140, 0)],
        ],
        np.uint8,
    )
    .repeat(16, axis=0)
    .repeat(16, axis=1)
)
JPEG = {"quality": 100, "subsampling": 0}
FORMATS = {"PNG": {}, "JPEG": JPEG, "WEBP": {"lossless": True}, "TIFF": {}}


def with_profile(picture, format, profile, **options):
    return encode(picture, format, icc_profile=profile, **FORMATS[format] | options)


def middles(values):
    """The middle of each patch, away from what JPEG does at the edges."""
    return np.asarray(values)[8::16, 8::16]


def check(data, expected, tolerance=2):
    np.testing.assert_allclose(
        middles(pixels(read_image(data))), middles(expected), atol=tolerance, rtol=0
    )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("space", ["Adobe RGB", "Display P3", "Generic RGB", "sRGB"])
def test_a_profile_is_followed(format, space):
    expected = shown(COLOURS, space)
    if space != "sRGB":
        assert np.abs(expected - COLOURS).max() > 15
    check(with_profile(COLOURS, format, rgb_profile(space)), expected)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_alpha_lies_over_white_after_the_profile(format):
    both = np.dstack([COLOURS, np.full(COLOURS.shape[:2], 128, np.uint8)])
    part = 128 / 255
    expected = shown(COLOURS, "Adobe RGB") * part + 255 * (1 - part)
    check(with_profile(both, format, rgb_profile("Adobe RGB"), **{}), expected, tolerance=3)


def test_a_palette_and_sixteen_bits_have_a_profile_too():
    profile = rgb_profile("Adobe RGB")
    expected = shown(COLOURS, "Adobe RGB")
    check(with_profile(Image.fromarray(COLOURS).quantize(16), "PNG", profile), expected)
    file = io.BytesIO()
    tifffile.imwrite(file, COLOURS * np.uint16(257), photometric="rgb", iccprofile=profile)
    check(file.getvalue(), expected)


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_with_a_profile_of_its_own(depth):
    grey = COLOURS[..., 1]
    light = shown(grey[..., None].repeat(3, axis=2), "sRGB")  # sRGB's own curve: nothing changes
    np.testing.assert_allclose(light[..., 0], grey, atol=1e-2)
    samples = grey if depth == 8 else grey * np.uint16(257)
    linear = (grey / 255.0) ** 1.0
    expected = 255 * np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    data = encode(samples, "PNG", icc_profile=grey_profile(1.0))
    check(data, expected[..., None].repeat(3, axis=2))
    check(encode(samples, "PNG", icc_profile=cmyk_profile(3)), light)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_with_a_profile_is_what_the_press_prints(format):
    picture = Image.frombytes("CMYK", (INKS.shape[1], INKS.shape[0]), INKS.tobytes())
    options = {"quality": 100} if format == "JPEG" else {}
    data = encode(picture, format, icc_profile=cmyk_profile(), **options)
    check(data, printed(INKS), tolerance=6)
    plain = np.abs(middles(pixels(read_image(encode(picture, format, **options)))))
    assert np.abs(plain - middles(printed(INKS))).max() > 30


BROKEN = {
    "nothing": b"\0",
    "garbage": b"garbage" * 100,
    "cut off": rgb_profile("Adobe RGB")[:200],
    "another kind": cmyk_profile(3),
    "no signature": rgb_profile("Adobe RGB").replace(b"acsp", b"ACSP"),
    "tags nowhere": rgb_profile("Adobe RGB").replace(b"rXYZ", b"qXYZ"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("format", FORMATS)
def test_a_broken_profile_is_ignored(format, name):
    check(with_profile(COLOURS, format, BROKEN[name]), COLOURS, tolerance=3)


def test_the_caller_keeps_what_a_profile_says_of_a_reduced_picture():
    large = PATCHES.repeat(200, axis=0).repeat(200, axis=1)
    data = with_profile(large, "JPEG", rgb_profile("Display P3"))
    small = pixels(read_image(data, max_side=64))
    np.testing.assert_allclose(middles(small), middles(shown(COLOURS, "Display P3")), atol=2)
