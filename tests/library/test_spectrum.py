"""Spectra, bands and aliasing, against waves whose frequency is known."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridpool.measure import (
    aliased_share,
    aliasing,
    ideal_downsampling,
    radial_spectrum,
    spectrum_shares,
)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def wave(height, width, rows, columns):
    """A cosine with so many cycles along rows and columns."""
    y = torch.arange(height, dtype=torch.float64)[:, None]
    x = torch.arange(width, dtype=torch.float64)
    return torch.cos(2 * math.pi * (rows * y / height + columns * x / width) + 0.3)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=50)
def test_spectrum_energy_sums_to_the_variance(seed, height, width):
    feature_map = draw(2, height, width, seed=seed).double() + 3
    spectrum = radial_spectrum(feature_map, map_dims=2)
    variance = feature_map.var((-2, -1), correction=0)
    torch.testing.assert_close(spectrum.energy.sum(-1), variance)
    assert spectrum.frequency.shape == spectrum.energy.shape[-1:]
    assert spectrum.power.isfinite().all()
    torch.testing.assert_close(radial_spectrum(feature_map).energy.sum(), variance.mean())


@pytest.mark.parametrize("cycles", [1, 2, 5, 8])
def test_a_wave_lands_in_its_ring(cycles):
    spectrum = radial_spectrum(torch.stack([wave(16, 16, cycles, 0), wave(16, 16, 0, cycles)]))
    peak = int(spectrum.energy.argmax())
    assert spectrum.frequency[peak].item() == pytest.approx(cycles / 8)
    assert spectrum.energy[peak] / spectrum.energy.sum() > 1 - 1e-12


def test_ring_power_is_the_mean_over_its_coefficients():
    spectrum = radial_spectrum(wave(8, 8, 1, 0))
    # The first ring holds (±1, 0), (0, ±1) and (±1, ±1); the wave fills two of these eight.
    assert (spectrum.energy[0] / spectrum.power[0]).item() == pytest.approx(8)
    assert spectrum.energy[0].item() == pytest.approx(0.5)


def test_white_noise_has_a_flat_spectrum():
    spectrum = radial_spectrum(draw(400, 16, 16))
    # Each power is exponential; a ring of 8 over 400 channels has a standard error below 3 %.
    torch.testing.assert_close(
        spectrum.power * 256, torch.ones_like(spectrum.power), atol=0.15, rtol=0
    )


def test_spectra_of_constant_tiny_and_broken_maps():
    constant = torch.full((3, 11, 13), 0.7, dtype=torch.float64)
    constant[:, 5, 5] = math.nextafter(0.7, 1)  # rounding is no signal
    assert (radial_spectrum(constant).energy == 0).all()
    assert spectrum_shares(constant).isnan().all()
    assert aliased_share(constant, 2).isnan()
    assert radial_spectrum(torch.ones(1, 1)).energy.shape == (0,)
    assert radial_spectrum(draw(1, 6)).frequency.tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert radial_spectrum(torch.full((4, 4), math.nan)).energy.isnan().any()
    for shape in [(4,), (3, 0, 4)]:
        with pytest.raises(ValueError, match="rows and columns"):
            radial_spectrum(torch.ones(shape))


@pytest.mark.parametrize(
    ("rows", "columns", "band"),
    [(1, 0, 0), (3, 0, 0), (4, 0, 1), (0, 7, 1), (0, 9, 2), (12, 0, 2), (3, 3, 1), (12, 12, 2)],
)
def test_a_wave_lands_in_its_band(rows, columns, band):
    shares = spectrum_shares(7 + wave(24, 24, rows, columns))
    expected = torch.zeros(3, dtype=torch.float64)
    expected[band] = 1
    torch.testing.assert_close(shares, expected, atol=1e-12, rtol=0)


@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=30)
def test_shares_sum_to_one_whatever_scale_and_offset(seed, scale, offset):
    feature_map = draw(2, 3, 8, 7, seed=seed).double()
    shares = spectrum_shares(feature_map, bands=(0.25, 0.5, 0.75))
    assert shares.shape == (2, 4)
    torch.testing.assert_close(shares.sum(-1), torch.ones(2, dtype=torch.float64))
    moved = spectrum_shares(scale * feature_map + offset, bands=(0.25, 0.5, 0.75))
    torch.testing.assert_close(shares, moved)


def test_shares_of_a_batch_equal_one_by_one_and_weigh_channels_by_energy():
    feature_map = draw(2, 3, 8, 8)
    channels = spectrum_shares(feature_map, map_dims=2)
    for i, j in product(range(2), range(3)):
        torch.testing.assert_close(channels[i, j], spectrum_shares(feature_map[i, j]))
    low, high = wave(12, 12, 1, 0), wave(12, 12, 6, 0) / math.cos(0.3) / math.sqrt(2)
    both = spectrum_shares(torch.stack([3 * low, high]))
    torch.testing.assert_close(both, torch.tensor([0.9, 0, 0.1], dtype=torch.float64))


@pytest.mark.parametrize("bands", [(), (0.5, 0.5), (0.7, 0.2), (0.0, 0.5), (-1.0,)])
def test_bands_that_do_not_rise_are_refused(bands):
    with pytest.raises(ValueError, match="bands must rise"):
        spectrum_shares(torch.ones(4, 4), bands=bands)


@pytest.mark.parametrize(("stride", "height", "width"), [(2, 12, 16), (3, 12, 15), (2, 13, 11)])
def test_downsampling_keeps_coarse_waves_and_drops_fine_ones(stride, height, width):
    coarse, fine = wave(height, width, 1, 2), wave(height, width, height // 2, 1)
    kept = ideal_downsampling(coarse + fine + 4, stride)
    torch.testing.assert_close(kept, (coarse + 4)[::stride, ::stride], atol=1e-12, rtol=0)
    folded = aliasing(coarse + fine + 4, stride)
    torch.testing.assert_close(folded, fine[::stride, ::stride], atol=1e-12, rtol=0)


def test_a_wave_at_the_limit_of_the_coarse_grid_still_fits():
    limit = wave(12, 12, 3, 3)
    assert aliased_share(limit, 2) == pytest.approx(0, abs=1e-12)
    assert aliased_share(wave(12, 12, 4, 3), 2) == pytest.approx(1)
    assert aliased_share(wave(12, 12, 4, 3), (1, 2)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("stride", [2, 3])
def test_aliased_share_is_the_mean_over_all_starts_of_the_coarse_grid(stride):
    dense = draw(4, 12, 12).double()
    folded = [
        aliasing(dense.roll((i, j), (-2, -1)), stride).square().mean()
        for i, j in product(range(stride), range(stride))
    ]
    variance = dense.var((-2, -1), correction=0).mean()
    assert aliased_share(dense, stride).item() == pytest.approx(
        (torch.stack(folded).mean() / variance).item()
    )
    channels = aliased_share(dense, stride, map_dims=2)
    assert channels.tolist() == pytest.approx([aliased_share(c, stride).item() for c in dense])


def test_blurring_before_the_stride_aliases_less_than_any_blend():
    """Max pooling aliases more than average pooling, and max then blur less than both."""
    feature_map = F.avg_pool2d(draw(8, 66, 66), 3, 1).relu()
    maximum = F.max_pool2d(feature_map, 2, 1)
    average = F.avg_pool2d(feature_map, 2, 1)
    tap = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    blurred = F.conv2d(maximum[:, None], (tap[:, None] * tap)[None, None])[:, 0]
    subsampled = aliased_share(feature_map, 2)
    hybrid = aliased_share(0.5 * (maximum + average), 2)
    assert (
        aliased_share(blurred, 2)
        < aliased_share(average, 2)
        < hybrid
        < aliased_share(maximum, 2)
        < subsampled
    )


def test_impossible_strides_are_refused():
    for measure in (ideal_downsampling, aliasing, aliased_share):
        for stride in (0, 1.5, (2, 2, 2)):
            with pytest.raises(
                ValueError, match="stride must be one integer or two, each at least 1"
            ):
                measure(torch.ones(4, 4), stride)
