"""The frequencies of feature maps: which are there, which are left, and which aliasing adds.

Every function takes feature maps as ``(..., H, W)``, on any device, and sums in double precision.
NaN is never hidden: a number that is computed from NaN is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.measure.changes import exact, map_axes, negligible
from hybridpool.window import Size2d, check_window


@dataclass(frozen=True)
class RadialSpectrum:
    """Power of a map by spatial frequency, whatever the direction; see :func:`radial_spectrum`.

    Attributes:
        frequency: ``(K,)``, the middle of each ring as a share of the map's own Nyquist frequency.
        power: ``(..., K)``, mean power of the ring's Fourier coefficients.
        energy: ``(..., K)``, their sum: what the ring adds to the variance of the map.
    """

    frequency: Tensor
    power: Tensor
    energy: Tensor


def radial_spectrum(feature_map: Tensor, map_dims: int = 3) -> RadialSpectrum:
    r"""Radially averaged power spectrum of a map, its mean removed.

    With the coefficients :math:`X_k` of the two-dimensional Fourier transform of the map minus its
    mean, the power is :math:`|X_k|^2 / (HW)^2`, so that all of it sums to the variance (Parseval).
    Rings are one Fourier step of the longer side wide. Frequency 1 is the Nyquist frequency of an
    axis, half a cycle a cell; corners reach :math:`\sqrt 2`. The map is taken as periodic: a jump
    from one edge to the opposite one counts as an edge.

    Args:
        feature_map: The map, taken as it is, without a taper.
        map_dims: 3 averages over the channels, 2 gives each channel its own spectrum.

    Shape:
        ``(..., C, H, W)`` to ``(..., K)``, double precision.

    Example:
        >>> stripes = torch.tensor([[1.0, -1.0, 1.0, -1.0]]).expand(4, 4)
        >>> spectrum = radial_spectrum(stripes)
        >>> spectrum.frequency.tolist(), spectrum.energy.tolist()
        ([0.5, 1.0, 1.5], [0.0, 1.0, 0.0])
    """
    power = _power(feature_map)
    if map_dims > 2 and power.ndim > 2:
        power = power.mean(tuple(range(-min(map_dims, power.ndim), -2)))
    step = 2 / max(power.shape[-2:])
    ring = (_radius(power) / step).round().long().flatten()
    count = ring.bincount()
    energy = power.new_zeros(*power.shape[:-2], len(count))
    energy.index_add_(-1, ring, power.flatten(-2))
    frequency = step * torch.arange(1, len(count), dtype=power.dtype, device=power.device)
    return RadialSpectrum(frequency, (energy / count)[..., 1:], energy[..., 1:])


def spectrum_shares(
    feature_map: Tensor, bands: tuple[float, ...] = (1 / 3, 2 / 3), map_dims: int = 3
) -> Tensor:
    """The share of a map's energy in low, middle and high frequencies, without its mean.

    Frequencies are those of :func:`radial_spectrum`, in units of the map's own Nyquist frequency,
    so the bands of a pooled map are coarser in the picture than those of the map before pooling.

    Args:
        feature_map: The map.
        bands: Where one band ends and the next begins, rising; the last band has no end.
        map_dims: 3 takes the channels together, 2 each by itself.

    Shape:
        ``(..., C, H, W)`` to ``(..., bands)``; each row sums to 1, or is NaN for a constant map,
        which has no energy to share out.

    Raises:
        ValueError: If the bands do not rise.

    Example:
        >>> stripes = torch.tensor([[1.0, -1.0, 1.0, -1.0]]).expand(4, 4)
        >>> spectrum_shares(stripes).tolist()
        [0.0, 0.0, 1.0]
    """
    if not bands or any(low >= high for low, high in zip((0, *bands), bands, strict=False)):
        raise ValueError(f"bands must rise from above 0, but got {bands}; sort them")
    power = _power(feature_map)
    edges = torch.tensor(bands, dtype=power.dtype, device=power.device)
    band = torch.bucketize(_radius(power), edges, right=True)
    axes = map_axes(power, map_dims)
    energy = [power.where(band == i, 0).sum(axes) for i in range(len(bands) + 1)]
    shares = torch.stack(energy, -1)
    return shares / shares.sum(-1, keepdim=True)


def ideal_downsampling(dense: Tensor, stride: Size2d) -> Tensor:
    """Take every stride-th cell, after removing the frequencies that so few cells cannot carry.

    Frequencies above the Nyquist frequency of the coarse grid, 1/stride of the fine one's along
    each axis, are cut off in the Fourier transform; nothing else is touched.

    Args:
        dense: The map on the fine grid, taken as periodic.
        stride: Keep one row and one column of so many.

    Shape:
        ``(..., H, W)`` to the shape of ``dense[..., ::stride, ::stride]``.

    Example:
        >>> stripes = torch.tensor([[1.0, -1.0, 1.0, -1.0]]) + 5
        >>> ideal_downsampling(stripes, (1, 2))
        tensor([[5., 5.]])
    """
    rows, columns = check_window(1, stride).stride
    spectrum: Tensor = torch.fft.fft2(exact(dense))
    kept: Tensor = torch.fft.ifft2(spectrum.where(~_too_fine(spectrum, rows, columns), 0))
    return kept.real[..., ::rows, ::columns].to(dense)


def aliasing(dense: Tensor, stride: Size2d) -> Tensor:
    """The alias part of a strided pooled map: what subsampling adds, as a map.

    Pooling with a stride is the same pooling at stride 1 followed by taking every stride-th cell.
    The second step folds frequencies that are too fine for the coarse grid onto coarser ones. This
    part is the strided map minus :func:`ideal_downsampling`, for linear and non-linear poolings.

    Args:
        dense: The map pooled at stride 1, else with the same window.
        stride: The stride of the strided map.

    Shape:
        ``(..., H, W)`` to the shape of ``dense[..., ::stride, ::stride]``.

    Source:
        The view of strided pooling as dense pooling and subsampling: Zhang, Making Convolutional
        Networks Shift-Invariant Again, 2019.

    Example:
        >>> stripes = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
        >>> aliasing(stripes, (1, 2))  # stripes fold into a constant
        tensor([[1., 1.]])
    """
    rows, columns = check_window(1, stride).stride
    return dense[..., ::rows, ::columns] - ideal_downsampling(dense, stride)


def aliased_share(dense: Tensor, stride: Size2d, map_dims: int = 3) -> Tensor:
    """The share of a map's energy that subsampling cannot carry and folds onto other frequencies.

    This is the energy of ``dense`` above the Nyquist frequency of the coarse grid, divided by all
    its energy, without the mean. It equals the mean energy of the :func:`aliasing` map over all
    places where the coarse grid can begin, so it does not depend on where the grid does begin.

    Args:
        dense: The map pooled at stride 1, else with the same window.
        stride: The stride of the strided map.
        map_dims: 3 takes the channels together, 2 each by itself.

    Shape:
        ``(..., C, H, W)`` to ``(...)``; NaN for a constant map.

    Example:
        >>> aliased_share(torch.tensor([[1.0, -1.0, 1.0, -1.0]]), (1, 2)).item()
        1.0
    """
    rows, columns = check_window(1, stride).stride
    power = _power(dense)
    axes = map_axes(power, map_dims)
    return power.where(_too_fine(power, rows, columns), 0).sum(axes) / power.sum(axes)


def _power(feature_map: Tensor) -> Tensor:
    """The power of each Fourier coefficient of the map minus its mean; it sums to the variance."""
    if feature_map.ndim < 2 or 0 in feature_map.shape[-2:]:
        raise ValueError(
            f"a spectrum needs a map (..., H, W) with rows and columns, but got shape "
            f"{tuple(feature_map.shape)}; pass a whole map"
        )
    values = exact(feature_map)
    centred = values - values.mean((-2, -1), keepdim=True)
    # Equal cells leave nothing but rounding, which must not become a spectrum.
    flat = centred.abs().amax((-2, -1), keepdim=True) <= negligible(values)
    spectrum: Tensor = torch.fft.fft2(centred.where(~flat, 0), norm="forward")
    return spectrum.abs().square()


def _frequencies(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Absolute frequency along rows and columns in units of Nyquist, to broadcast with a map."""
    rows, columns = (
        2 * torch.fft.fftfreq(size, dtype=torch.float64, device=spectrum.device).abs()
        for size in spectrum.shape[-2:]
    )
    return rows[:, None], columns


def _radius(spectrum: Tensor) -> Tensor:
    return torch.hypot(*_frequencies(spectrum))


def _too_fine(spectrum: Tensor, row_stride: int, column_stride: int) -> Tensor:
    """Coefficients above the Nyquist frequency of a grid that takes every stride-th cell."""
    rows, columns = _frequencies(spectrum)
    # Rounding must not decide about a wave exactly at the limit, which still fits.
    return (rows * row_stride > 1 + 1e-9) | (columns * column_stride > 1 + 1e-9)
