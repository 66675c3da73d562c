"""TIFF files of every layout: the right pixels, or a sentence that is true."""

import io
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridpool.pictures import ImageError, read_image
from tests.picture_files import pixels, tiff, tiff_tags

H, W = 16, 24
GREY = np.linspace(0, 1, H * W).reshape(H, W)
RGB = np.stack([GREY, GREY[::-1], GREY * 0.5], axis=2)
ALPHA = GREY[:, ::-1, None]
OVER_WHITE = RGB * ALPHA + 1 - ALPHA
INTEGERS = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8")
FLOATS = ("f2", "f4", "f8")


def stored(values, kind, *, white=None):
    """Values from 0 to 1 as samples of a type: a whole number's largest is white."""
    if kind.startswith("f"):
        return values.astype(kind)
    white = np.iinfo(kind).max if white is None else white
    # A float can be 2**64 but not 2**64 - 1.
    return np.floor(values * (white * (1 - 1e-12)) + 0.5).astype(kind)


def written(samples, photometric, **options):
    file = io.BytesIO()
    if options.get("planarconfig") == "separate":
        samples = np.ascontiguousarray(samples.transpose(2, 0, 1))
    tifffile.imwrite(file, samples, photometric=photometric, **options)
    return file.getvalue()


def check(data, expected, tolerance=2.6):
    expected = expected if expected.ndim == 3 else expected[..., None].repeat(3, axis=2)
    np.testing.assert_allclose(pixels(read_image(data)), expected * 255, atol=tolerance, rtol=0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_grey(kind, order, white_is_zero):
    photometric = "miniswhite" if white_is_zero else "minisblack"
    data = written(stored(GREY, kind), photometric, byteorder=order)
    check(data, 1 - GREY if white_is_zero else GREY)


def test_white_is_zero_in_twelve_bits_of_sixteen():
    data = written(stored(GREY, "u2", white=4095), "miniswhite")
    check(data, 1 - GREY, tolerance=0.1)


def test_integers_above_two_billion_do_not_wrap_around():
    samples = np.full((H, W), 2**31 + 5, np.uint32)
    samples[:, :4], samples[:, -4:] = 2**31, 2**31 + 10
    red = pixels(read_image(written(samples, "minisblack")))[0, :, 0]
    np.testing.assert_allclose(red, [0] * 4 + [127.5] * 16 + [255] * 4, atol=0.1)


@pytest.mark.parametrize("compression", [None, "zlib", "zlib predicted"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "u4", *FLOATS])
def test_colour(kind, order, planar, compression):
    options = {"byteorder": order, "planarconfig": planar}
    if compression == "zlib predicted" and kind.startswith("f"):
        pytest.skip("tifffile alone does not write it: see the next test")
    if compression:
        options |= {"compression": "zlib", "predictor": "predicted" in compression}
    straight = np.dstack([RGB, ALPHA])
    multiplied = np.dstack([RGB * ALPHA, ALPHA])
    check(written(stored(RGB, kind), "rgb", **options), RGB)
    for samples, meaning, expected in (
        (straight, "unassalpha", OVER_WHITE),
        (multiplied, "assocalpha", OVER_WHITE),
        (straight, "unspecified", RGB),
    ):
        check(written(stored(samples, kind), "rgb", extrasamples=[meaning], **options), expected)


def test_floats_with_a_predictor():
    file = io.BytesIO()
    grey = Image.fromarray(stored(GREY, "f4"))
    grey.save(file, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 3})
    assert Image.open(file).tag_v2[317] == 3
    check(file.getvalue(), GREY, tolerance=0.1)
    for kind, order in (("f2", "<"), ("f4", ">"), ("f8", "<")):
        size = np.dtype(kind).itemsize
        rows = RGB.astype(f">{kind}").reshape(H, -1, 1).view(np.uint8)
        rows = rows.reshape(H, -1, size).swapaxes(1, 2).reshape(H, -1, 3)
        steps = np.diff(rows, axis=1, prepend=np.zeros((H, 1, 3), np.uint8))
        tags = tiff_tags(W, H, [8 * size] * 3, 2, t259=(3, [8]), t317=(3, [3]), t339=(3, [3] * 3))
        check(tiff(order, tags, zlib.compress(steps.tobytes())), RGB)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_grey_with_alpha_and_cmyk(kind, planar):
    both = stored(np.dstack([GREY, ALPHA]), kind)
    alpha = ALPHA[..., 0]
    data = written(both, "minisblack", planarconfig=planar, extrasamples=["unassalpha"])
    check(data, GREY * alpha + 1 - alpha)
    inks = np.dstack([RGB, GREY * 0.3])
    expected = (1 - RGB) * (1 - GREY[..., None] * 0.3)
    check(written(stored(inks, kind), "separated", planarconfig=planar), expected)


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_tiles_that_reach_over_the_edge(kind, planar, predictor):
    large = np.tile(RGB, (3, 3, 1))[:40, :67]
    options = {"tile": (16, 32), "planarconfig": planar}
    options |= {"compression": "zlib", "predictor": predictor and kind != "f4"}
    check(written(stored(large, kind), "rgb", **options), large)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate"])
def test_other_compressions_of_sixteen_bits(compression, bigtiff):
    file = io.BytesIO()
    samples = Image.fromarray(stored(GREY, "u2"))
    samples.save(file, "TIFF", compression=compression, big_tiff=bigtiff)
    check(file.getvalue(), GREY, tolerance=0.1)


def test_many_strips_and_more_pages():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as pages:
        for page in (RGB, 1 - RGB):
            pages.write(stored(page, "u2"), photometric="rgb", rowsperstrip=3)
    check(file.getvalue(), RGB)


def test_which_way_up_is_known_where_pillow_does_not_read_the_file():
    data = written(stored(RGB, "f4"), "rgb", extratags=[(274, "H", 1, 6, True)])
    check(data, np.rot90(RGB, -1))


def test_large_pictures_are_reduced_by_averaging():
    fine = (np.indices((600, 500)).sum(axis=0) % 2)[..., None].repeat(3, axis=2)
    image = read_image(written(stored(fine, "u2"), "rgb"), max_side=100)
    assert image.shape == (3, 100, 83)
    np.testing.assert_allclose(image, 0.5, atol=0.02)
    steps = np.kron(GREY > 0.5, np.ones((40, 40)))
    reduced = read_image(written(steps.astype(np.float32), "minisblack"), max_side=W)
    np.testing.assert_allclose(reduced[0], GREY > 0.5, atol=0.25)


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_no_row_is_lost_between_bands(monkeypatch, rows):
    whole = read_image(written(stored(RGB, "f4"), "rgb"))
    monkeypatch.setattr("hybridpool.pictures.samples._BAND", rows * W * 3)
    assert np.array_equal(read_image(written(stored(RGB, "f4"), "rgb")), whole)


def with_tags(samples, photometric, bits=8, **extra):
    count = samples.shape[2] if samples.ndim == 3 else 1
    tags = tiff_tags(W, H, [bits] * count, photometric, **extra)
    return tiff("<", tags, samples.tobytes())


BYTES = stored(RGB, "u1")
NOT_READABLE = {
    "complex": written(GREY.astype(np.complex64), "minisblack"),
    "index of 16 bits": written(
        stored(GREY, "u2"), "palette", colormap=np.zeros((3, 2**16), np.uint16)
    ),
    "colour filter": written(stored(GREY, "u2"), "cfa"),
    "ICC LAB": with_tags(BYTES, 9),
    "six inks": with_tags(np.dstack([BYTES, BYTES]), 5, t332=(3, [2])),
    "four other inks": with_tags(np.dstack([BYTES, BYTES[..., 0]]), 5, t332=(3, [2])),
    "unequal bits": tiff("<", tiff_tags(W, H, [5, 6, 5], 2), bytes(W * H * 2)),
    "24 bits": with_tags(np.zeros((H, W, 3), np.uint8), 1, t258=(3, [24]), t277=(3, [1])),
    "unknown compression": with_tags(BYTES, 2, t259=(3, [34712])),
    "YCbCr that shares colours": with_tags(BYTES, 6, t530=(3, [2, 2])),
}


@pytest.mark.parametrize("name", NOT_READABLE)
def test_a_layout_that_is_not_known_is_not_called_damaged(name):
    with pytest.raises(ImageError, match=r"may be sound.*save it as PNG"):
        read_image(NOT_READABLE[name])


def test_too_many_samples_are_refused_before_they_are_decoded():
    data = written(np.zeros((H, W, 9), np.float64), "rgb", extrasamples=["unspecified"] * 6)
    with pytest.raises(ImageError, match="too much work"):
        read_image(data, max_pixels=H * W)


@pytest.mark.parametrize("kind", ["u2", "f4"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_is_cut_off_is_refused_or_whole(kind, compression):
    data = written(stored(RGB, kind), "rgb", compression=compression)
    whole = read_image(data)
    for length in range(0, len(data), 7):
        try:
            image = read_image(data[:length])
        except ImageError:
            continue
        assert np.array_equal(image, whole), length
    with pytest.raises(ImageError):
        read_image(data[: len(data) * 3 // 4])


BROKEN_TAGS = {
    "a text without end": (270, 2, 2**31, 8),
    "a profile without end": (34675, 7, 2**30, 8),
    "a profile of nothing": (34675, 7, 4, 0),
    "a resolution by zero": (282, 5, 1, 0),
    "EXIF nowhere": (34665, 4, 1, 2**31),
    "an unknown type": (700, 99, 7, 7),
    "an orientation in words": (274, 2, 4, 0x00786973),
}


@pytest.mark.parametrize("name", BROKEN_TAGS)
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_broken_tag_beside_the_pixels_decides_nothing(name, kind):
    tag, form, count, value = BROKEN_TAGS[name]
    data = tiff(
        "<",
        tiff_tags(W, H, [int(kind[1]) * 8] * 3, 2) | {tag: (4, [1])},
        stored(RGB, kind).tobytes(),
    )
    entry = tag.to_bytes(2, "little") + b"\4\0\1\0\0\0\1\0\0\0"
    broken = tag.to_bytes(2, "little") + form.to_bytes(2, "little")
    broken += count.to_bytes(4, "little") + value.to_bytes(4, "little")
    assert data.count(entry) == 1
    check(data.replace(entry, broken), RGB)
