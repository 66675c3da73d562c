"""Corruptions in the style of CIFAR-10-C, against the benchmark's own steps in numpy and pillow."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import color

from hybridpool.pictures.corruptions import CIFAR10C_STYLE, corrupt
from tests.draws import photo, seeded, sound

RANDOM_CORRUPTIONS = {"gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"}


def test_severities_are_those_of_the_benchmark():
    assert {name: corruption.severities for name, corruption in CIFAR10C_STYLE.items()} == {
        "gaussian_noise": (0.04, 0.06, 0.08, 0.09, 0.10),
        "shot_noise": (500, 250, 100, 75, 50),
        "impulse_noise": (0.01, 0.02, 0.03, 0.05, 0.07),
        "speckle_noise": (0.06, 0.1, 0.12, 0.16, 0.2),
        "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
        "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
        "jpeg_compression": (80, 65, 58, 50, 40),
        "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),
    }
    assert {name for name, c in CIFAR10C_STYLE.items() if c.random} == RANDOM_CORRUPTIONS


def reference(name, levels, severity):
    """Levels of one corrupted picture (H, W, 3), not yet cut to whole ones, in plain numpy."""
    parameter = CIFAR10C_STYLE[name].severities[severity - 1]
    values, image = levels / 255.0, Image.fromarray(levels)
    if name == "brightness":
        hsv = color.rgb2hsv(values)
        hsv[..., 2] = np.minimum(hsv[..., 2] + parameter, 1)
        return color.hsv2rgb(hsv).clip(0, 1) * 255
    if name == "contrast":
        mean = values.mean((0, 1))
        return ((values - mean) * parameter + mean).clip(0, 1) * 255
    if name == "jpeg_compression":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=parameter)
        return np.asarray(Image.open(file))
    small = [int(side * parameter) for side in image.size]
    return np.asarray(
        image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX)
    )


@pytest.mark.parametrize("name", sorted(CIFAR10C_STYLE.keys() - RANDOM_CORRUPTIONS))
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_corruptions_without_chance_equal_the_benchmarks_own_steps(name, severity):
    batch = torch.stack([photo(seed=seed) for seed in range(4)])
    batch[0, :, :4, :4] = 0  # black has no hue
    batch[0, :, 4:8, :4] = 1
    corrupted = (corrupt(batch, name, severity) * 255).round()
    for image, got in zip(batch, corrupted, strict=True):
        levels = (image * 255).round().to(torch.uint8).movedim(0, -1).numpy()
        exact = torch.tensor(reference(name, levels, severity)).movedim(-1, 0).double()
        # Where the exact value is a whole level, its rounding decides between it and one below.
        whole = (exact - exact.round()).abs() < 1e-9
        assert torch.equal(got.double()[~whole], exact.floor()[~whole])
        if name in ("brightness", "contrast"):
            assert ((exact - got)[whole].abs() < 1.001).all()
            assert whole.double().mean() < 0.4
        else:
            assert torch.equal(got.double(), exact)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_noise_corruptions_have_the_benchmarks_strength(severity):
    level, count = 128, 3 * 200 * 200
    value = level / 255
    flat = torch.full((3, 200, 200), value)

    def of(name):
        parameter = CIFAR10C_STYLE[name].severities[severity - 1]
        return parameter, corrupt(flat, name, severity, seeded(severity)).double() * 255

    for name, sigma in (
        ("gaussian_noise", lambda c: c),
        ("speckle_noise", lambda c: c * value),
        ("shot_noise", lambda c: math.sqrt(value / c)),
    ):
        parameter, noisy = of(name)
        spread = sigma(parameter) * 255
        # Cutting to whole levels takes half a level off the mean and adds 1/12 to the variance.
        coarse = 1 if name == "shot_noise" else 0.05
        assert abs(noisy.mean() - level + 0.5) < 5 * spread / math.sqrt(count) + coarse / 2
        variance = spread**2 + 1 / 12
        assert abs(noisy.var() / variance - 1) < 5 * math.sqrt(3 / count) + coarse * 0.02
    amount, noisy = of("impulse_noise")
    assert set(noisy.round().unique().tolist()) == {0, level, 255}
    assert abs((noisy.round() != level).double().mean() - amount) < sound(amount, count)


@pytest.mark.parametrize("name", CIFAR10C_STYLE)
def test_every_corruption_gives_levels_of_8_bit_and_works_on_any_batch(name):
    batch = torch.stack([photo(20, 26, seed=s) for s in range(4)]).reshape(2, 2, 3, 20, 26)
    generators = [seeded(s) for s in range(2)]
    corrupted = corrupt(batch.double(), name, 3, generators)
    assert corrupted.dtype == torch.float64
    assert corrupted.shape == batch.shape
    torch.testing.assert_close(corrupted * 255, (corrupted * 255).round())
    assert 0 <= corrupted.min() <= corrupted.max() <= 1
    for i, images in enumerate(batch):
        assert torch.equal(corrupted[i], corrupt(images.double(), name, 3, seeded(i)))
    alone = corrupt(batch[0, 0].double(), name, 3, seeded(0))
    if name in RANDOM_CORRUPTIONS:
        assert alone.shape == (3, 20, 26)
    else:
        assert torch.equal(alone, corrupted[0, 0])
    errors = [
        (corrupt(batch, name, severity, seeded()) - batch).square().mean() for severity in (1, 3, 5)
    ]
    assert errors[0] < errors[1] < errors[2]


def test_every_level_survives_where_an_impulse_does_not_hit():
    levels = torch.arange(256.0).reshape(1, 16, 16).expand(3, 16, 16) / 255
    corrupted = corrupt(levels, "impulse_noise", 1, seeded())
    hit = (corrupted == 0) | (corrupted == 1)
    torch.testing.assert_close(corrupted[~hit], levels[~hit])


def test_impossible_corruptions_are_refused():
    image = photo()
    for arguments, words in [
        ((image, "fog", 1), r"corruption must be one of gaussian_noise.*'fog'"),
        ((image, "jpeg_compression", 6), "severity must be 1, 2, 3, 4 or 5, but got 6"),
        ((image, "jpeg_compression", 0), "severity must be"),
        ((image, "gaussian_noise", 1), "draws noise, but got no generator"),
        ((image[:1], "contrast", 1), r"\(\.\.\., 3, H, W\).*\(1, 32, 32\)"),
        ((image[0], "contrast", 1), "3, H, W"),
        ((image[:, :0], "contrast", 1), r"not empty.*\(3, 0, 32\)"),
        ((image + 1, "contrast", 1), "clip it"),
        ((image * math.nan, "contrast", 1), "clip it"),
    ]:
        with pytest.raises(ValueError, match=words):
            corrupt(*arguments)
    with pytest.raises(TypeError, match=r"floating point.*uint8"):
        corrupt(torch.zeros(3, 4, 4, dtype=torch.uint8), "contrast", 1)
