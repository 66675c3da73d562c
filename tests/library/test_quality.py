"""Blur, JPEG, brightness and contrast: against other people's code, and what must hold of each."""

import math

import numpy as np
import pytest
import torch
from skimage.filters import gaussian

from hybridpool.pictures.corruptions import CIFAR10C_STYLE, corrupt
from hybridpool.pictures.perturb import (
    CHANGES,
    NOISES,
    QUALITIES,
    defocus_blur,
    gaussian_blur,
)
from hybridpool.sensitivity import Perturbation, noise_sweep
from hybridpool.sensitivity.perturbation import curve_levels, level_options
from hybridpool.stem import load_stem
from hybridpool.trace import Settings
from tests.draws import photo, picture, seeded


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.7, 5.0])
def test_a_gaussian_blur_is_that_of_scikit_image(sigma):
    image = photo().double()
    expected = gaussian(image.numpy(), sigma, mode="nearest", truncate=4.0, channel_axis=0)
    np.testing.assert_allclose(gaussian_blur(image, sigma).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("radius", [0.7, 1.0, 2.3, 5.0])
def test_defocus_makes_a_disc_of_the_area_of_a_circle_out_of_a_point(radius):
    spot = torch.zeros(21, 21, dtype=torch.float64)
    spot[10, 10] = 1
    disc = defocus_blur(spot, radius)
    assert disc.sum().item() == pytest.approx(1)
    assert torch.equal(disc, disc.T)
    assert torch.equal(disc, disc.flip(0))
    # A pixel that the disc covers wholly has one part in as many as the circle has pixels.
    if radius >= math.sqrt(0.5):
        assert 1 / disc.max().item() == pytest.approx(math.pi * radius**2, rel=0.02)
    far = [10 + math.ceil(radius + 0.5), 10]
    assert disc[tuple(far)] == 0


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus_blur"])
def test_a_blur_keeps_one_colour_also_at_the_border(name):
    flat = torch.full((3, 9, 7), 0.3)
    for level in level_options(QUALITIES[name])[::7]:
        torch.testing.assert_close(QUALITIES[name].function(flat, level), flat)


@pytest.mark.parametrize("name", QUALITIES)
@pytest.mark.parametrize("shape", [(3, 17, 12), (2, 3, 9, 16)])
def test_every_quality_stays_in_range_and_needs_no_chance(name, shape):
    kind, image = QUALITIES[name], picture(*shape)
    before = image.clone()
    for level in curve_levels(kind):
        changed = kind.apply(image, level, seeded(1))
        assert torch.equal(image, before)
        assert (changed.shape, changed.dtype) == (image.shape, image.dtype)
        assert -1e-6 <= changed.min() <= changed.max() <= 1 + 1e-6
        assert torch.equal(changed, kind.apply(image, level, seeded(2)))


@pytest.mark.parametrize("name", QUALITIES)
def test_the_table_describes_its_functions(name):
    kind, image = QUALITIES[name], photo()
    assert kind.low < kind.default < kind.high
    assert kind.function.__code__.co_varnames[1] == kind.level
    assert kind.default in level_options(kind)
    gentle, strong = (kind.low, kind.high) if kind.more_is_noisier else (kind.high, kind.low)
    errors = [
        (kind.function(image, level) - image).square().mean()
        for level in (gentle, kind.default, strong)
    ]
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_a_level_of_the_benchmark_is_what_the_benchmark_makes_of_it(name):
    image = (photo() * 255).round() / 255
    for severity, level in enumerate(CIFAR10C_STYLE[name].severities, 1):
        stored = (QUALITIES[name].function(image.double(), level) * 255).floor() / 255
        assert (stored - corrupt(image.double(), name, severity)).abs().max() <= 1.001 / 255


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("gaussian_blur", -1.0),
        ("defocus_blur", math.inf),
        ("jpeg", 0.0),
        ("brightness", 1.5),
        ("contrast", math.nan),
    ],
)
def test_a_level_that_cannot_be_is_refused_in_words(name, level):
    kind = QUALITIES[name]
    with pytest.raises(ValueError, match=f"{kind.level} must be .* choose another level"):
        kind.function(photo(), level)


def test_changes_are_noise_and_quality_and_keep_their_place_in_a_link():
    assert list(CHANGES) == [*NOISES, *QUALITIES]
    assert all(kind.random for kind in NOISES.values())
    assert not any(kind.random for kind in QUALITIES.values())


def test_the_seed_is_nothing_to_a_change_without_chance():
    blurred = [Perturbation(noise="gaussian_blur", level=1.0, draw=draw) for draw in (0, 7)]
    assert blurred[0].canonical() == blurred[1].canonical()
    assert torch.equal(blurred[0].apply(photo()), blurred[1].apply(photo()))


def test_a_sweep_over_levels_of_a_quality_moves_the_maps_more_and_more():
    stem, levels = load_stem("filters"), curve_levels(QUALITIES["gaussian_blur"])
    *_, sweep = noise_sweep(photo(), stem, Settings(), "gaussian_blur", levels, (0,))
    for name in ("max", "average", "hybrid"):
        (changes,) = sweep.relative_change(name).tolist()
        assert changes[0] == 0
        assert changes == sorted(changes)
