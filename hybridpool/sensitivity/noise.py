"""How sensitive each pooling is to noise, level by level and seed by seed.

Every pooling sees the same noisy pictures, and max and average maps are pooled once for all blends
(see :mod:`hybridpool.sensitivity.changes`), so a sweep also answers for every blend weight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.measure import ROUNDING
from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity.changes import Study, join_changes
from hybridpool.sensitivity.poolings import Poolings
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings


@dataclass(frozen=True, kw_only=True)
class NoiseSweep(Study):
    """What noise of several levels did to the maps of one picture.

    Attributes:
        noise: A key of `CHANGES`.
        levels: The levels L.
        seeds: The seeds S that are computed, each drawing one noise for all levels and poolings.
        changes: Sums over the cells, one for each seed and level: ``(S, L, ...)``.
    """

    noise: str
    levels: tuple[float, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class BestBlendWeight:
    """The blend weight at which hybrid pooling changed least under one noise.

    Attributes:
        blend_weight: Where the mean square of the relative changes of all seeds is least; NaN if
            none is better than another.
        relative_change: The root of that mean square.
        by_seed: The best blend weight of each seed alone.
    """

    blend_weight: float
    relative_change: float
    by_seed: tuple[float, ...]


def noise_sweep(
    image: Tensor,
    stem: ConvStem,
    settings: Settings,
    noise: str,
    levels: Sequence[float],
    seeds: Sequence[int],
) -> Iterator[NoiseSweep]:
    """Send a picture with noise of several levels and seeds through the stem and every pooling.

    A seed draws what ``CHANGES[noise]`` draws from a fresh generator with that seed, the
    same for every level.

    Args:
        image: Picture of shape (3, H, W) in [0, 1].
        stem: The stem, on the CPU.
        settings: The window, the blend weight, the seed of the attention layer, and the device.
        noise: A key of `CHANGES`.
        levels: The levels of the noise.
        seeds: The seeds, in the order in which they are computed.

    Returns:
        An iterator with one record for each seed; each holds all levels and the seeds so far.

    Raises:
        ValueError: The noise is unknown, there is no level or no seed, the noise refuses a level,
            or the window does not fit the feature map.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> stem, grey = load_stem("filters"), torch.full((3, 32, 32), 0.5)
        >>> sweeps = noise_sweep(grey, stem, Settings(), "pepper", (0.0, 0.1), range(3))
        >>> [sweep.seeds for sweep in sweeps]
        [(0,), (0, 1), (0, 1, 2)]
    """
    if noise not in CHANGES:
        known = ", ".join(CHANGES)
        raise ValueError(f"noise must be one of {known}, but got {noise!r}; choose one")
    if not levels or not seeds:
        raise ValueError(
            f"a sweep needs at least one level and one seed, but got {len(levels)} levels and "
            f"{len(seeds)} seeds; add some"
        )
    return _noise_sweep(image, Poolings(stem, settings), noise, tuple(levels), tuple(seeds))


def best_blend_weight(sweep: NoiseSweep, level: int, channel: int | None = None) -> BestBlendWeight:
    r"""The blend weight at which this noise changes hybrid pooling least, in closed form.

    The squared relative change is a ratio of two quadratics in the blend weight,

    .. math:: \frac{\lVert w \Delta M + (1 - w) \Delta A \rVert^2}{\lVert w M + (1 - w) A \rVert^2}

    so its least value on [0, 1] is at an end or where a third quadratic is zero.

    Args:
        sweep: The sweep, whole or not.
        level: Which of its levels, counted from 0.
        channel: One channel; all of them together by default.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> stem, grey = load_stem("filters"), torch.full((3, 32, 32), 0.5)
        >>> *_, sweep = noise_sweep(grey, stem, Settings(), "gaussian", (0.1,), range(2))
        >>> best_blend_weight(sweep, level=0).blend_weight  # noise on a flat picture: average
        0.0
    """
    sums = (each[:, level, :, :3] for each in (sweep.changes.moved, sweep.changes.clean))
    moved, clean = (
        _quadratic(each.sum(-2) if channel is None else each[:, channel]) for each in sums
    )
    weights, _ = _least_ratio(moved, clean)
    weight, least = _least_ratio(moved.mean(0), clean.mean(0))
    return BestBlendWeight(weight.item(), least.sqrt().item(), tuple(weights.tolist()))


def expected_maximum(count: int) -> float:
    """The mean of the largest of so many independent normal values of mean 0 and deviation 1.

    By so many sigmas noise of that kind biases max pooling upwards on a flat map. Where neighbours
    share a part of their noise, as behind a convolution, it is less.

    Args:
        count: How many values, from 1.

    Example:
        >>> [round(expected_maximum(side**2), 4) for side in (1, 2, 3)]
        [0.0, 1.0294, 1.485]
    """
    at = torch.linspace(-9, 9, 6001, dtype=torch.float64)
    below = torch.special.ndtr(at)
    density = torch.exp(-at.square() / 2) / math.sqrt(2 * math.pi)
    mean = torch.trapezoid(at * count * density * below ** (count - 1), at)
    return max(mean.item(), 0.0)


def _noise_sweep(
    image: Tensor, poolings: Poolings, noise: str, levels: tuple[float, ...], seeds: tuple[int, ...]
) -> Iterator[NoiseSweep]:
    started, seconds = time.perf_counter(), 0.0
    clean = poolings.run(image)
    by_seed = []
    for number, seed in enumerate(seeds, 1):
        changes = []
        for level in levels:
            # One picture at a time stays in the cache: faster than a batch on the CPU.
            generator = torch.Generator().manual_seed(seed)
            noisy = poolings.run(CHANGES[noise].apply(image, level, generator))
            changes.append(poolings.changes(clean, noisy))
        by_seed.append(join_changes(changes))
        seconds += time.perf_counter() - started
        yield NoiseSweep(
            settings=poolings.settings,
            noise=noise,
            levels=levels,
            seeds=seeds[:number],
            changes=join_changes(by_seed, torch.stack),
            device=poolings.device,
            seconds=seconds,
        )
        started = time.perf_counter()


def _quadratic(energies: Tensor) -> Tensor:
    """Coefficients (..., 3) in the blend weight of the energy of a blend, see `blend_energy`."""
    of_max, both, of_average = energies.unbind(-1)
    return torch.stack([of_average, 2 * (both - of_average), of_max - 2 * both + of_average], -1)


def _least_ratio(above: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
    """Where on [0, 1] the ratio of two quadratics (..., 3) is least, and that ratio."""
    (a0, a1, a2), (b0, b1, b2) = above.unbind(-1), below.unbind(-1)
    # The derivative is zero where c0 + 2 c1 w + c2 w² is.
    c0, c1, c2 = a1 * b0 - a0 * b1, a2 * b0 - a0 * b2, a2 * b1 - a1 * b2
    larger = -(c1 + torch.copysign((c1.square() - c0 * c2).clamp(min=0).sqrt(), c1))
    inner = torch.stack([larger / c2, c0 / larger], -1).nan_to_num(0).clamp(0, 1)
    weights = torch.cat(
        [torch.zeros_like(inner[..., :1]), torch.ones_like(inner[..., :1]), inner], -1
    )
    powers = torch.stack([torch.ones_like(weights), weights, weights.square()], -1)
    ratios = (powers * above[..., None, :]).sum(-1) / (powers * below[..., None, :]).sum(-1)
    least, place = ratios.min(-1)
    most = ratios.amax(-1)
    changed = above.abs().sum(-1) > 0
    best = weights.gather(-1, place[..., None]).squeeze(-1)
    # What differs by rounding alone has no best place, as with a window of one cell.
    best = best.where(changed & (most - least > ROUNDING * most), torch.nan)
    return best, least.clamp(min=0).where(changed, 0)
