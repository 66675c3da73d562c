"""Noise, occlusion, shift and bands, and what poolings provably make of them."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridpool.pictures.perturb import (
    FILLS,
    NOISES,
    SHAPES,
    band_pass,
    gaussian_noise,
    occlude,
    occlusion_mask,
    patch_content,
    pepper_noise,
    poisson_noise,
    salt_and_pepper_noise,
    salt_noise,
    shift,
    speckle_noise,
)
from tests.draws import photo, picture, seeded, sound

FLAT = torch.full((3, 400, 400), 0.5)
COUNT = FLAT.numel()


def test_gaussian_noise_has_its_mean_and_variance():
    noise = (gaussian_noise(FLAT.double(), 0.2, seeded(), clip=False) - 0.5) / 0.2
    assert abs(noise.mean()) < 5 / math.sqrt(COUNT)
    assert abs(noise.var() - 1) < 5 * math.sqrt(2 / COUNT)
    assert abs((noise.abs() < 1).double().mean() - 0.6827) < sound(0.6827, COUNT)


def test_speckle_noise_grows_with_the_value():
    for value in (0.25, 0.5):
        noise = speckle_noise(torch.full_like(FLAT, value), 0.3, seeded(), clip=False) - value
        assert abs(noise.mean()) < 5 * 0.3 * value / math.sqrt(COUNT)
        assert abs(noise.double().var() / (0.3 * value) ** 2 - 1) < 5 * math.sqrt(2 / COUNT)


@pytest.mark.parametrize("photons", [5, 40])
def test_poisson_noise_counts_whole_photons_with_variance_x_over_n(photons):
    noisy = poisson_noise(FLAT.double(), photons, seeded(), clip=False)
    counts = noisy * photons
    torch.testing.assert_close(counts, counts.round())
    assert abs(noisy.mean() - 0.5) < 5 * math.sqrt(0.5 / photons / COUNT)
    # The fourth central moment of a Poisson count is λ (1 + 3 λ).
    rate = 0.5 * photons
    error = math.sqrt((rate * (1 + 3 * rate) - rate**2) / COUNT)
    assert abs(counts.var() - rate) < 5 * error


@pytest.mark.parametrize("amount", [0.03, 0.4])
def test_impulses_hit_their_share_and_leave_the_rest(amount):
    for noise, ends in (
        (salt_noise, {1.0: amount}),
        (pepper_noise, {0.0: amount}),
        (salt_and_pepper_noise, {0.0: amount / 2, 1.0: amount / 2}),
    ):
        noisy = noise(FLAT, amount, seeded())
        assert set(noisy.unique().tolist()) == {0.5, *ends}
        for end, share in ends.items():
            assert abs((noisy == end).double().mean() - share) < sound(share, COUNT)


@pytest.mark.parametrize("noise", [salt_noise, pepper_noise, salt_and_pepper_noise])
def test_a_larger_amount_hits_what_a_smaller_one_hits(noise):
    few, many = (noise(FLAT, amount, seeded(3)) for amount in (0.1, 0.2))
    assert torch.equal(many[few != 0.5], few[few != 0.5])
    assert torch.equal(noise(FLAT, 0.0, seeded()), FLAT)
    assert not (noise(FLAT, 1.0, seeded()) == 0.5).any()


@pytest.mark.parametrize("name", NOISES)
@given(st.integers(0, 10_000), st.floats(0, 1), st.sampled_from([(3, 6, 5), (2, 3, 4, 7), (5, 6)]))
@settings(max_examples=15)
def test_every_noise_stays_in_range_and_repeats_with_its_seed(name, seed, place, shape):
    noise, image = NOISES[name], picture(*shape, seed=seed)
    level = noise.low + place * (noise.high - noise.low)
    before = image.clone()
    noisy = noise.function(image, level, seeded(seed))
    assert torch.equal(image, before)
    assert noisy.shape == image.shape
    assert 0 <= noisy.min() <= noisy.max() <= 1
    assert torch.equal(noisy, noise.function(image, level, seeded(seed)))


@pytest.mark.parametrize("name", NOISES)
def test_a_generator_for_each_image_gives_what_it_gets_alone(name):
    noise, batch = NOISES[name], picture(3, 3, 9, 7)
    together = noise.function(batch, noise.default, [seeded(s) for s in (5, 6, 5)])
    for image, noisy, seed in zip(batch, together, (5, 6, 5), strict=True):
        assert torch.equal(noisy, noise.function(image, noise.default, seeded(seed)))
    assert not torch.equal(
        noise.function(batch, noise.default, seeded(5)),
        noise.function(batch, noise.default, seeded(6)),
    )
    with pytest.raises(ValueError, match=r"one for each image of a batch.*2 for shape \(3, 3"):
        noise.function(batch, noise.default, [seeded(), seeded()])


@pytest.mark.parametrize("name", NOISES)
def test_the_table_describes_its_functions(name):
    noise, image = NOISES[name], picture(3, 64, 64)
    assert noise.low < noise.default < noise.high
    assert noise.function.__code__.co_varnames[1] == noise.level
    gentle, strong = (noise.low, noise.high) if noise.more_is_noisier else (noise.high, noise.low)
    errors = [
        (noise.function(image, level, seeded()) - image).square().mean()
        for level in (gentle, noise.default, strong)
    ]
    assert errors[0] < errors[1] < errors[2]
    assert not noise.logarithmic or noise.low > 0


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_noise_keeps_the_dtype_and_draws_the_same(name, dtype):
    noise, image = NOISES[name], photo().to(dtype)
    noisy = noise.function(image, noise.default, seeded())
    assert noisy.dtype == dtype
    expected = noise.function(image.float(), noise.default, seeded())
    torch.testing.assert_close(noisy.float(), expected, atol=4e-3, rtol=0)


@pytest.mark.parametrize(
    ("noise", "level", "words"),
    [
        (gaussian_noise, -0.1, "sigma must be a finite number from 0, but got -0.1"),
        (gaussian_noise, math.nan, "sigma must be"),
        (speckle_noise, math.inf, "sigma must be"),
        (poisson_noise, 0, "photons must be a finite number above 0, but got 0"),
        (salt_noise, 1.1, "amount must be a share from 0 to 1, but got 1.1"),
        (pepper_noise, -0.1, "amount must be"),
        (salt_and_pepper_noise, math.nan, "amount must be"),
    ],
)
def test_impossible_levels_are_refused(noise, level, words):
    with pytest.raises(ValueError, match=words):
        noise(FLAT, level, seeded())


def test_what_is_no_image_is_refused():
    with pytest.raises(TypeError, match=r"floating point.*uint8"):
        gaussian_noise(torch.zeros(3, 4, 4, dtype=torch.uint8), 0.1, seeded())
    for shape in [(4,), (3, 0, 4)]:
        with pytest.raises(ValueError, match="not empty"):
            shift(torch.zeros(shape), 0, 0)
    for value in (-0.1, math.nan):
        with pytest.raises(ValueError, match="below or NaN"):
            poisson_noise(torch.tensor([[0.5, value]]), 50, seeded())


def order_statistics(cells, maximum_mean, maximum_variance):
    """Mean and variance of s · max + (1 − s) · average of standard normal noise."""

    def of(s):
        # The average is independent of the distance of the maximum from it (Basu's theorem).
        return s * maximum_mean, 1 / cells + s**2 * (maximum_variance - 1 / cells)

    return of


@pytest.mark.parametrize(
    ("kernel_size", "expected"),
    [(2, order_statistics(4, 1.0294, 0.4917)), (3, order_statistics(9, 1.4850, 0.3574))],
)
@pytest.mark.parametrize("blend_weight", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_gaussian_noise_on_a_flat_patch_biases_max_and_not_average(
    kernel_size, expected, blend_weight
):
    sigma = 0.1
    flat = torch.full((600, 600), 0.5, dtype=torch.float64)
    noisy = gaussian_noise(flat, sigma, seeded(), clip=False)[None]
    maximum, average = F.max_pool2d(noisy, kernel_size), F.avg_pool2d(noisy, kernel_size)
    hybrid = (torch.lerp(average, maximum, blend_weight) - 0.5) / sigma
    bias, variance = expected(blend_weight)
    windows = hybrid.numel()
    assert abs(hybrid.mean() - bias) < 5 * math.sqrt(variance / windows) + 1e-4
    assert abs(hybrid.var() / variance - 1) < 5 * math.sqrt(3 / windows) + 1e-3


def test_pepper_leaves_the_max_of_a_flat_patch_unless_it_hits_the_whole_window():
    amount = 0.3
    flat = torch.full((1, 600, 600), 0.8)
    noisy = pepper_noise(flat, amount, seeded())
    hit = F.avg_pool2d((noisy == 0).double(), 2)
    maximum, average = F.max_pool2d(noisy, 2), F.avg_pool2d(noisy, 2)
    assert (maximum[hit < 1] == 0.8).all()
    assert abs((maximum != 0.8).double().mean() - amount**4) < sound(amount**4, hit.numel())
    torch.testing.assert_close(average.double(), 0.8 * (1 - hit), atol=1e-6, rtol=0)
    hybrid = 0.5 * (maximum + average)
    partly = (hit > 0) & (hit < 1)
    assert ((average < hybrid) & (hybrid < maximum))[partly].all()


def test_salt_moves_max_all_the_way_and_average_by_its_share():
    flat = torch.full((1, 400, 400), 0.2)
    noisy = salt_noise(flat, 0.05, seeded())
    hit = F.avg_pool2d((noisy == 1).double(), 2)
    assert (F.max_pool2d(noisy, 2)[hit > 0] == 1).all()
    moved = F.avg_pool2d(noisy, 2).double() - 0.2
    torch.testing.assert_close(moved, 0.8 * hit, atol=1e-6, rtol=0)


@given(st.integers(-6, 12), st.integers(-6, 12), st.integers(0, 9), st.integers(0, 9), st.data())
@settings(max_examples=150)
def test_occlusion_covers_what_its_mask_says_and_nothing_else(top, left, height, width, data):
    shape, fill = data.draw(st.sampled_from(SHAPES)), data.draw(st.sampled_from(FILLS))
    expected = torch.zeros(8, 7, dtype=torch.bool)
    for row, column in product(range(8), range(7)):
        y, x = row + 0.5 - top, column + 0.5 - left
        inside = 0 < y < height and 0 < x < width
        if shape == "disc" and inside:
            inside = (2 * y / height - 1) ** 2 + (2 * x / width - 1) ** 2 <= 1 + 1e-12
        expected[row, column] = inside
    assert torch.equal(occlusion_mask((8, 7), top, left, height, width, shape), expected)
    image = picture(2, 3, 8, 7)
    occluded = occlude(image, top, left, height, width, fill, seeded(1), shape)
    assert torch.equal(occluded[..., ~expected], image[..., ~expected])
    assert (occluded[..., expected] != image[..., expected]).all()
    assert torch.equal(image, picture(2, 3, 8, 7))


def test_occlusion_counts():
    assert occlusion_mask((9, 9), 2, 3, 4, 5).sum() == 20
    assert occlusion_mask((9, 9), -2, 7, 4, 5).sum() == 4
    assert occlusion_mask((9, 9), 20, 0, 4, 5).sum() == 0
    assert occlusion_mask((4, 4), 0, 0, 4, 4, "disc").sum() == 12
    disc = occlusion_mask((400, 300), 0, 0, 400, 300, "disc").double().mean()
    assert disc.item() == pytest.approx(math.pi / 4, abs=1e-3)


def test_fills():
    image = picture(2, 3, 12, 10)

    def covered(fill, **more):
        return occlude(image, 3, 2, 4, 5, fill, **more)[..., 3:7, 2:7]

    assert (covered("black") == 0).all()
    assert (covered("grey") == 0.5).all()
    means = image.mean((-2, -1), keepdim=True).expand(2, 3, 4, 5)
    assert torch.equal(covered("mean"), means)
    noise = covered("noise", generator=seeded(4))
    assert torch.equal(noise, torch.rand((2, 3, 4, 5), generator=seeded(4)))


def test_blur_fill_is_a_normalised_gaussian():
    image = picture(3, 12, 10)
    blurred = occlude(image, 3, -2, 4, 6, "blur")
    sigma = 6 / 4
    for row, column in product(range(3, 7), range(4)):
        total = weights = 0
        for y, x in product(range(12), range(10)):
            weight = math.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
            total, weights = total + weight * image[:, y, x], weights + weight
        torch.testing.assert_close(blurred[:, row, column], total / weights)
    flat = torch.full((3, 8, 8), 0.7)
    torch.testing.assert_close(occlude(flat, 1, 1, 5, 5, "blur"), flat)


def test_noise_fill_moves_along_with_its_patch():
    image = picture(3, 12, 12)
    inside = occlude(image, 0, 4, 6, 6, "noise", seeded())
    cut = occlude(image, -2, 8, 6, 6, "noise", seeded())
    assert torch.equal(cut[..., :4, 8:], inside[..., 2:6, 4:8])
    together = occlude(torch.stack([image, image]), 1, 1, 5, 5, "noise", [seeded(1), seeded(2)])
    for occluded, seed in zip(together, (1, 2), strict=True):
        assert torch.equal(occluded, occlude(image, 1, 1, 5, 5, "noise", seeded(seed)))


@pytest.mark.parametrize("fill", FILLS)
def test_the_content_of_a_patch_is_what_is_seen_through_it_everywhere(fill):
    image = picture(2, 3, 12, 10)
    content = patch_content(image, 5, 4, fill, seeded(3))
    for top, left in [(0, 0), (2, 3), (-2, -1), (9, 8)]:
        occluded = occlude(image, top, left, 5, 4, fill, seeded(3))
        rows, columns = range(max(0, top), min(12, top + 5)), range(max(0, left), min(10, left + 4))
        for row, column in product(rows, columns):
            place = (row - top, column - left) if fill == "noise" else (row, column)
            torch.testing.assert_close(occluded[..., row, column], content[(..., *place)])
    with pytest.raises(ValueError, match="from 1 x 1 on, but got 0 x 4"):
        patch_content(image, 0, 4, fill, seeded())


@pytest.mark.parametrize("fill", [fill for fill in FILLS if fill != "noise"])
def test_occluding_a_batch_equals_one_by_one(fill):
    batch = picture(2, 2, 3, 9, 8)
    together = occlude(batch, 2, 3, 4, 9, fill, shape="disc")
    for i, j in product(range(2), range(2)):
        torch.testing.assert_close(
            together[i, j], occlude(batch[i, j], 2, 3, 4, 9, fill, shape="disc")
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("fill", FILLS)
def test_occlusion_keeps_the_dtype(dtype, fill):
    assert occlude(photo().to(dtype), 2, 3, 4, 9, fill, seeded()).dtype == dtype


def test_impossible_occlusions_are_refused():
    image = picture(3, 8, 8)
    with pytest.raises(ValueError, match=r"fill must be one of black.*'pink'"):
        occlude(image, 0, 0, 2, 2, "pink")
    with pytest.raises(ValueError, match=r"shape must be one of rectangle.*'star'"):
        occlude(image, 0, 0, 2, 2, shape="star")
    with pytest.raises(ValueError, match=r"0 or more, but got -1 x 2"):
        occlude(image, 0, 0, -1, 2)
    with pytest.raises(ValueError, match="needs a generator"):
        occlude(image, 0, 0, 2, 2, "noise")


@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 2))
@settings(max_examples=60)
def test_a_cropped_shift_is_another_view_of_the_same_picture(rows, columns, more):
    image = picture(2, 3, 16, 18)
    margin = max(abs(rows), abs(columns)) + more
    still, moved = shift(image, 0, 0, margin=margin), shift(image, rows, columns, margin=margin)
    assert still.shape == moved.shape == (2, 3, 16 - 2 * margin, 18 - 2 * margin)
    height, width = still.shape[-2:]
    for row, column in product(range(height), range(width)):
        if 0 <= row - rows < height and 0 <= column - columns < width:
            assert torch.equal(moved[..., row, column], still[..., row - rows, column - columns])


def test_a_circular_shift_comes_back():
    image = picture(3, 8, 9)
    moved = shift(image, 3, -2, mode="circular")
    assert torch.equal(moved[:, 3, 0], image[:, 0, 2])
    assert torch.equal(shift(moved, -3, 2, mode="circular"), image)
    assert torch.equal(shift(image, 8, 9, mode="circular"), image)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rows": 4, "columns": 0}, r"needs a margin from 4.*but got 4 for 8 x 9"),
        ({"rows": 2, "columns": -3, "margin": 2}, "needs a margin from 3"),
        ({"rows": 0, "columns": 0, "mode": "mirror"}, r"crop, circular.*'mirror'"),
        ({"rows": 0, "columns": 0, "mode": "circular", "margin": 1}, "crops nothing"),
    ],
)
def test_impossible_shifts_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        shift(picture(3, 8, 9), **arguments)


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(2, 12), st.floats(0.05, 1.4))
@settings(max_examples=20)
def test_bands_that_join_add_up(seed, height, width, edge):
    image = picture(2, 3, height, width, seed=seed).double()
    mean = image.mean((-2, -1), keepdim=True)
    low, high = band_pass(image, 0, edge), band_pass(image, edge)
    torch.testing.assert_close((low - mean) + (high - mean), image - mean)
    torch.testing.assert_close(band_pass(low, 0, edge), low)
    assert torch.allclose(band_pass(low, edge), mean.expand_as(low))


def test_a_band_keeps_the_waves_that_lie_in_it():
    y = torch.arange(24.0)[:, None].expand(24, 24)
    slow, fast = torch.cos(2 * math.pi * 3 * y / 24), torch.cos(2 * math.pi * 9 * y / 24)
    image = 0.5 + 0.2 * slow + 0.2 * fast
    torch.testing.assert_close(band_pass(image, 0.2, 0.5), 0.5 + 0.2 * slow, atol=1e-6, rtol=0)
    torch.testing.assert_close(band_pass(image, 0.5), 0.5 + 0.2 * fast, atol=1e-6, rtol=0)
    torch.testing.assert_close(band_pass(image, 0), image, atol=1e-6, rtol=0)
    at_edge = 0.5 + 0.2 * torch.cos(2 * math.pi * 6 * y / 24)
    flat = torch.full_like(image, 0.5)
    torch.testing.assert_close(band_pass(at_edge, 0.5), at_edge, atol=1e-6, rtol=0)
    torch.testing.assert_close(band_pass(at_edge, 0, 0.5), flat, atol=1e-6, rtol=0)
    assert band_pass(image.half(), 0.2).dtype == torch.float16
    for low, high in [(-0.1, 1), (0.5, 0.5), (0.6, 0.2), (math.nan, None)]:
        with pytest.raises(ValueError, match="must rise"):
            band_pass(image, low, high)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", NOISES)
def test_a_generator_on_the_cpu_gives_a_gpu_the_same_numbers(name):
    noise, image = NOISES[name], photo()
    expected = noise.function(image, noise.default, seeded())
    on_gpu = noise.function(image.cuda(), noise.default, seeded())
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), expected)
    for fill in FILLS:
        torch.testing.assert_close(
            occlude(image.cuda(), 3, 3, 9, 9, fill, seeded(), "disc").cpu(),
            occlude(image, 3, 3, 9, 9, fill, seeded(), "disc"),
        )
