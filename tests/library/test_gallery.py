"""The gallery: complete, loadable offline, and true to the words beside each picture."""

import ast
import dataclasses
import importlib.metadata
import inspect
import io
import random
import socket
from importlib.resources import files

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image, ImageCms
from torch.nn import functional as F

from hybridpool.pictures import gallery
from hybridpool.pictures.gallery import GALLERY, Picture, gallery_image
from hybridpool.pictures.image import fit_image

PHOTOS = [key for key, picture in GALLERY.items() if picture.kind == "photo"]
CARDS = [key for key, picture in GALLERY.items() if picture.kind == "card"]
#: The photographs whose files hold a colour profile other than sRGB.
PROFILES = {"rocket": "rocket.jpg", "page": "page.png"}
FUNCTIONS = {
    "stars": "hubble_deep_field",
    "tissue": "immunohistochemistry",
    "motorcycle": "stereo_motorcycle",
}


def pooled(image, kernel_size=2):
    """The image after max and after average pooling."""
    return F.max_pool2d(image, kernel_size), F.avg_pool2d(image, kernel_size)


def test_the_gallery_is_complete():
    assert len(PHOTOS) >= 14
    assert len(CARDS) >= 5
    assert list(GALLERY) == PHOTOS + CARDS
    assert all(key == picture.key for key, picture in GALLERY.items())
    assert len({picture.title for picture in GALLERY.values()}) == len(GALLERY)
    assert len({picture.words for picture in GALLERY.values()}) == len(GALLERY)


@pytest.mark.parametrize("key", GALLERY)
def test_every_picture_says_what_it_is(key):
    picture = GALLERY[key]
    assert picture.title
    assert picture.title == picture.title.strip()
    assert picture.words.endswith(".")
    assert 40 < len(picture.words) < 330
    assert picture.source
    assert picture.licence
    with pytest.raises(dataclasses.FrozenInstanceError):
        picture.title = "other"


def test_every_picture_is_written_as_literals_that_can_be_extracted():
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(gallery)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Picture"
    ]
    values = [[ast.literal_eval(argument) for argument in call.args] for call in calls]
    assert not any(call.keywords for call in calls)
    assert [Picture(*value) for value in values] == list(GALLERY.values())


@pytest.mark.parametrize("key", PHOTOS)
def test_every_photograph_loads_from_the_installed_package(key, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the gallery went to the network")

    monkeypatch.setattr(socket, "socket", refuse)
    image = gallery_image(key)
    assert image.dtype == torch.float32
    assert image.shape[0] == 3
    assert 100 <= max(image.shape[1:]) <= 1024
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1
    assert float(image.std()) > 0.02
    bundled = {str(path) for path in importlib.metadata.files("scikit-image") or []}
    assert f"skimage/data/{gallery._FILES[key]}" in bundled


def as_it_looks(key, pixels):
    """Pixels in the colours of a browser: those of the profile in the file, if there is one."""
    if key not in PROFILES:
        return pixels
    file = files("skimage").joinpath("data", PROFILES[key]).read_bytes()
    with Image.open(io.BytesIO(file)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    srgb = ImageCms.createProfile("sRGB")
    found = ImageCms.profileToProfile(Image.fromarray(pixels), profile, srgb, outputMode="RGB")
    return np.asarray(found)


@pytest.mark.parametrize("key", [key for key in PHOTOS if key not in FUNCTIONS | {"retina": ""}])
def test_a_photograph_has_the_pixels_that_scikit_image_gives(key):
    expected = as_it_looks(key, np.asarray(getattr(skimage.data, key)()))
    if expected.dtype == bool:
        expected = expected.astype(np.uint8) * 255
    if expected.ndim == 2:
        expected = np.stack([expected] * 3, axis=2)
    actual = gallery_image(key).permute(1, 2, 0).numpy() * 255
    # The horse is an outline with soft edges, which scikit-image makes black or white.
    np.testing.assert_allclose(
        actual, expected, atol={"horse": 128, "rocket": 1.01, "page": 1.01}.get(key, 1e-4)
    )


@pytest.mark.parametrize("key", PHOTOS)
def test_the_licence_is_the_one_that_scikit_image_states(key):
    words = " ".join(inspect.getdoc(getattr(skimage.data, FUNCTIONS.get(key, key))).split())
    stated = {
        "CC0": "CC0" in words,
        "Public domain": "public domain" in words.lower() and "CC0" not in words,
        "No known copyright restrictions": "No known copyright restrictions" in words
        and "public domain" not in words.lower(),
    }
    expected = [licence for licence, found in stated.items() if found] or ["Not stated"]
    assert [GALLERY[key].licence] == expected


def test_an_unknown_key_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match=r"no picture 'nothing'.*astronaut.*noise"):
        gallery_image("nothing")
    with pytest.raises(ValueError, match="at least 64, got 63"):
        gallery_image("dots", card_side=63)


# --- the drawn cards ----------------------------------------------------------------------


@pytest.mark.parametrize("key", CARDS)
@pytest.mark.parametrize("side", [64, 65, 96, 97, 160, 256])
def test_a_card_fills_its_side(key, side):
    image = gallery_image(key, card_side=side)
    assert image.shape == (3, side, side)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1
    assert float(image.std()) > 0.1
    assert torch.equal(fit_image(image, side), image)


@pytest.mark.parametrize("key", CARDS)
def test_a_card_is_drawn_the_same_every_time_and_draws_nothing_at_random(key):
    first = gallery_image(key, card_side=128)
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    assert torch.equal(gallery_image(key, card_side=128), first)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


def patch(row, column):
    """One checkerboard of the card at 160: 32 pixels inside a cell of 40."""
    return slice(row * 40 + 4, row * 40 + 36), slice(column * 40 + 4, column * 40 + 36)


def test_checks_under_a_window_of_two():
    image = gallery_image("checks", card_side=160)
    for row, column in ((0, 0), (1, 0), (1, 1)):
        maximum, average = pooled(image[:, *patch(row, column)])
        assert torch.all(maximum == 1)
        assert torch.all(average == 0.5)
    for column in (1, 2, 3):  # squares on the grid of the window: all poolings agree
        maximum, average = pooled(image[:, *patch(0, column)])
        assert torch.equal(maximum, average)
        square = 2**column
        corner = image[0, *patch(0, column)][: 2 * square, : 2 * square]
        assert float(corner.mean()) == 0.5
        assert torch.all(corner[:square, :square] == corner[0, 0])
    moved = image[0, *patch(1, 2)][:-1, :-1]
    assert torch.equal(moved, image[0, *patch(0, 2)][1:, 1:])


def test_the_coloured_checks_have_one_brightness_and_the_last_are_faint():
    image = gallery_image("checks", card_side=160)
    for column in range(4):
        coloured = image[:, *patch(2, column)]
        np.testing.assert_allclose(coloured.mean(dim=0), 0.5, atol=1e-6)
        assert float(coloured.std(dim=(1, 2)).max()) > 0.4
        faint = image[:, *patch(3, column)]
        assert float(faint.max() - faint.min()) == pytest.approx(0.1)


def test_max_pooling_keeps_bright_dots_and_loses_dark_ones():
    image = gallery_image("dots", card_side=160)[0]
    bright, dark = image[:80], image[80:]
    np.testing.assert_allclose(dark, 1 - bright, atol=1e-6)
    maximum, average = pooled(image[None])
    for row in range(4):
        for column in range(8):
            window = slice(row * 20, row * 20 + 20), slice(column * 20, column * 20 + 20)
            small = slice(row * 10, row * 10 + 10), slice(column * 10, column * 10 + 10)
            peak = bright[window].max()
            assert float((bright[window] > 0.081).sum()) > 0
            assert torch.equal(maximum[0, :40][small].max(), peak)
            assert torch.allclose(1 - average[0, 40:][small], average[0, :40][small], atol=1e-6)
    smallest = maximum[0, 40:50, :10]
    assert torch.all(smallest == smallest[0, 0])


def test_on_ramps_max_and_average_differ_by_the_change_inside_a_window():
    image = gallery_image("ramps", card_side=160)
    maximum, average = pooled(image[:, :40])
    np.testing.assert_allclose(maximum - average, 0.5 / 159, atol=1e-6)
    maximum, average = pooled(image[:, 40:80])
    assert torch.equal(maximum, average)  # at 160 every step is 20 pixels wide
    coloured = image[:, 80:120]
    maximum, average = pooled(coloured)
    assert float((maximum - average).max()) <= 6 / 159
    np.testing.assert_allclose(coloured.amax(dim=0), 1, atol=1e-6)
    assert len(torch.unique(image[:, 140].T, dim=0)) == 8


def test_bright_spokes_widen_under_max_pooling_only():
    image = gallery_image("star", card_side=160)
    disc = torch.zeros(80, 80, dtype=torch.bool)
    disc[20:60, 20:60] = True
    maximum, average = pooled(image)
    assert float(image.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(average[0][disc].mean()) == pytest.approx(0.5, abs=0.01)
    assert float(maximum[0][disc].mean()) > 0.6
    assert torch.allclose(image, image.flip(2), atol=1e-6)


def test_the_rings_of_the_zone_plate_grow_finer_outwards():
    line = gallery_image("zone_plate", card_side=256)[0, 128, 128:248]
    turns = torch.nonzero((line[1:-1] - line[:-2]) * (line[2:] - line[1:-1]) < 0)[:, 0]
    widths = turns.diff().float()
    assert widths[0] >= 6
    assert widths[-10:].max() <= 2
    maximum, average = pooled(gallery_image("zone_plate", card_side=256))
    outer = slice(8, 24), slice(60, 68)
    assert float(maximum[0][outer].mean()) > 0.65
    assert float(average[0][outer].mean()) == pytest.approx(0.5, abs=0.05)


def test_noise_brightens_under_max_pooling_and_quietens_under_average_pooling():
    image = gallery_image("noise", card_side=160)
    clean, noisy = image[:, :, :80], image[:, :, 80:]
    assert float(noisy.mean()) == pytest.approx(float(clean.mean()), abs=0.01)
    assert float((noisy - clean).std()) == pytest.approx(0.12, abs=0.01)
    (max_clean, average_clean), (max_noisy, average_noisy) = pooled(clean), pooled(noisy)
    assert float(max_noisy.mean() - max_clean.mean()) > 0.08
    assert float((average_noisy - average_clean).std()) < 0.6 * float((noisy - clean).std())


# --- what is said about photographs -------------------------------------------------------


@pytest.mark.parametrize("key", ["grass", "gravel"])
def test_max_pooling_lifts_a_texture_and_average_pooling_keeps_its_tone(key):
    image = fit_image(gallery_image(key), 160)
    maximum, average = pooled(image, 8)
    assert float(average.mean()) == pytest.approx(float(image.mean()), abs=1e-3)
    assert float(maximum.mean() - image.mean()) > 0.15
    assert float(average.std()) < 0.45 * float(image.std())


def test_max_pooling_turns_the_tripod_light():
    legs = fit_image(gallery_image("camera"), 160)[:1, 96:160, 80:128]
    maximum, average = (map_.flatten() for map_ in pooled(legs, 4))
    tripod = average.argsort()[:12]
    assert float(average[tripod].mean()) < float(average.median()) - 0.2
    assert float(maximum[tripod].mean()) >= float(maximum.median())


def test_stars_keep_their_peaks_under_max_pooling_and_sink_under_average_pooling():
    image = fit_image(gallery_image("stars"), 160)
    maximum, average = pooled(image, 4)
    assert float(maximum.mean()) > 2 * float(average.mean())
    assert float((average > 0.5).float().mean()) < 0.2 * float((maximum > 0.5).float().mean())


def test_max_pooling_loses_the_ink_of_a_page():
    lines = fit_image(gallery_image("page"), 160)[:1, 8:60]

    def contrast(pooled_map):
        around = F.avg_pool2d(pooled_map, 5, 1, 2, count_include_pad=False)
        return float((pooled_map - around).std())

    maximum, average = pooled(lines, 4)
    assert contrast(maximum) < 0.4 * contrast(average)


def test_the_small_eyes_of_the_cat_shrink_under_max_pooling():
    image = fit_image(gallery_image("chelsea"), 160)[:, 10:60, 40:125].mean(dim=0, keepdim=True)
    maximum, average = pooled(image, 4)
    dark = 0.3
    assert float((image < dark).float().mean()) > 0.1
    assert float((maximum < dark).sum()) < 0.3 * float((average < dark).sum())
