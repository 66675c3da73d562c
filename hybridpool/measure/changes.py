"""How large feature maps are, how far they lie apart, and how much a change moved them.

Differences below :func:`negligible` are rounding. Every count of changed cells, every winner of a
window and every spectrum uses this one threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

#: A difference below this share of a map's range is rounding, and no finding. It is less than one
#: step of 16 bits, the precision in which maps are shown.
ROUNDING = 1e-5


@dataclass(frozen=True)
class MapSummary:
    """The smallest and largest value of a feature map, its mean, and its energy (mean square)."""

    minimum: float
    maximum: float
    mean: float
    energy: float


def summarise(feature_map: Tensor) -> MapSummary:
    """Sum a feature map up in four numbers.

    Args:
        feature_map: Any shape, at least one cell.

    Raises:
        ValueError: If the map has no cells.

    Example:
        >>> summarise(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
        MapSummary(minimum=1.0, maximum=6.0, mean=3.0, energy=12.5)
    """
    values = exact(feature_map)
    if values.numel() == 0:
        raise ValueError(
            f"a summary needs at least one cell, but the feature map has shape "
            f"{tuple(feature_map.shape)}; pass a map that is not empty"
        )
    low, high = values.aminmax()
    return MapSummary(low.item(), high.item(), values.mean().item(), values.square().mean().item())


def energy_kept(pooled: Tensor, feature_map: Tensor) -> float:
    r"""Energy of a pooled map as a share of the energy of the map it was pooled from.

    .. math:: \frac{\operatorname{mean}(p^2)}{\operatorname{mean}(x^2)}

    Per cell, because a pooled map has fewer cells: in sums a constant map would seem to lose three
    quarters under 2 × 2 pooling although each value survives. Average pooling that tiles the map
    never exceeds 1; max pooling can. 0/0, a map of zeros, is NaN.

    Args:
        pooled: The pooled map, any shape.
        feature_map: The map before pooling, any shape.

    Example:
        >>> feature_map = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
        >>> energy_kept(torch.tensor([[2.0]]), feature_map)  # max: 4 out of (4 + 4) / 4
        2.0
        >>> energy_kept(torch.tensor([[1.0]]), feature_map)  # average
        0.5
    """
    after, before = summarise(pooled).energy, summarise(feature_map).energy
    if before == 0:
        return math.nan if after == 0 else math.inf
    return after / before


def relative_distance(a: Tensor, b: Tensor) -> float:
    r"""Distance of two maps in units of their own size; neither is the reference.

    .. math:: \frac{\lVert a - b \rVert_2}{\sqrt{(\lVert a \rVert_2^2 + \lVert b \rVert_2^2) / 2}}

    It is symmetric: 0 for equal maps (two maps of zeros included), :math:`\sqrt 2` for maps without
    overlap, 2 for opposite ones. :func:`relative_change` is the form with a reference.

    Args:
        a: One map.
        b: The other map, of the same shape.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> relative_distance(torch.tensor([1.0, 7.0]), torch.tensor([5.0, 5.0]))  # √20 / √50
        0.632...
    """
    same_shape(a, b)
    a, b = exact(a), exact(b)
    distance = (a - b).square().sum().item()
    size = (a.square().sum().item() + b.square().sum().item()) / 2
    return 0.0 if distance == 0 else math.sqrt(distance / size)


def distance_table(maps: Mapping[str, Tensor]) -> dict[tuple[str, str], float]:
    """Relative distance of each pair of maps, in the order in which the maps are given.

    Args:
        maps: Name to map, all of one shape.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> one, two = torch.ones(2, 2), torch.full((2, 2), -1.0)
        >>> distance_table({"max": one, "average": two, "hybrid": one})
        {('max', 'average'): 2.0, ('max', 'hybrid'): 0.0, ('average', 'hybrid'): 2.0}
    """
    values = {name: exact(feature_map) for name, feature_map in maps.items()}
    return {(a, b): relative_distance(values[a], values[b]) for a, b in combinations(values, 2)}


def relative_change(clean: Tensor, changed: Tensor, map_dims: int = 3) -> Tensor:
    r"""How far a map moved, in units of the clean map.

    .. math:: \frac{\lVert \text{changed} - \text{clean} \rVert_2}{\lVert \text{clean} \rVert_2}

    It is 0 where nothing changed, also on a map of zeros, and infinite where zeros changed.

    Args:
        clean: The map before the change; one is enough for a whole batch of changed ones.
        changed: The map, or maps, after it.
        map_dims: How many last dimensions are one map: 3 for ``(C, H, W)``, 2 for each channel by
            itself. A tensor with fewer is one map.

    Shape:
        ``(..., C, H, W)``, shapes that broadcast, to ``(...)``.

    Example:
        >>> clean = torch.tensor([[3.0, 4.0]])
        >>> relative_change(clean, torch.stack([clean, 2 * clean, clean + 3]), map_dims=2)
        tensor([0.0000, 1.0000, 0.8485], dtype=torch.float64)
    """
    clean, changed = exact(clean), exact(changed)
    moved: Tensor = torch.linalg.vector_norm(changed - clean, dim=map_axes(changed, map_dims))
    size: Tensor = torch.linalg.vector_norm(clean, dim=map_axes(clean, map_dims))
    return (moved / size).where(moved != 0, 0)


def largest_change(clean: Tensor, changed: Tensor, map_dims: int = 3) -> Tensor:
    """The largest absolute change of any cell of a map.

    Args:
        clean: The map before the change; one is enough for a whole batch of changed ones.
        changed: The map, or maps, after it.
        map_dims: How many last dimensions are one map, see :func:`relative_change`.

    Shape:
        ``(..., C, H, W)``, shapes that broadcast, to ``(...)``.

    Example:
        >>> largest_change(torch.tensor([1.0, 2.0]), torch.tensor([1.5, -1.0])).item()
        3.0
    """
    return (exact(changed) - exact(clean)).abs().amax(map_axes(changed, map_dims))


def negligible(*maps: Tensor) -> float:
    """The largest difference that counts as rounding: a hundred-thousandth of the maps' range.

    The range is that of all channels together and of zero, so that a map of one value has its size
    for a range. Resizing, filtering and summing in float32 leave errors of about a millionth of it.

    Args:
        maps: One map, or several on one scale; NaN and infinity count as zeros.

    Example:
        >>> negligible(torch.tensor([0.2, 0.5]), torch.tensor([-0.5]))
        1e-05
    """
    ends = [each.detach().float().nan_to_num(0, 0, 0).aminmax() for each in maps]
    high = max(end.max.item() for end in ends)
    low = min(end.min.item() for end in ends)
    return ROUNDING * (max(high, 0.0) - min(low, 0.0))


def alike(a: float, b: float) -> bool:
    """Whether two shares, such as relative changes, differ by no more than rounding.

    Two such shares are a tie, whichever is smaller.

    Example:
        >>> alike(0.3, 0.3000001), alike(0.3, 0.301), alike(math.inf, 0.5)
        (True, False, False)
    """
    both_unknown = math.isnan(a) and math.isnan(b)
    return both_unknown or math.isclose(a, b, rel_tol=ROUNDING, abs_tol=ROUNDING)


def changed_cells(clean: Tensor, changed: Tensor, tolerance: float = 0.0) -> Tensor:
    """Mark the cells that changed by more than `tolerance`; ``.sum()`` counts them.

    A NaN that stays NaN has not changed; a NaN that appears or disappears has.

    Args:
        clean: The map before the change.
        changed: The map after it.
        tolerance: The largest change that does not count.

    Shape:
        shapes that broadcast, to a bool tensor of the broadcast shape.

    Raises:
        ValueError: If the tolerance is below zero or NaN.

    Example:
        >>> clean = torch.tensor([1.0, 2.0, 3.0])
        >>> changed_cells(clean, clean + torch.tensor([0.0, 0.01, 1.0]), tolerance=0.1).tolist()
        [False, False, True]
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be 0 or more, but got {tolerance}; choose a larger one")
    cells = (clean != changed) & ~(clean.isnan() & changed.isnan())
    if tolerance > 0:
        cells &= ~((exact(changed) - exact(clean)).abs() <= tolerance).to(cells.device)
    return cells


def same_shape(a: Tensor, b: Tensor) -> None:
    """Refuse two maps that cannot be compared cell by cell.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> same_shape(torch.zeros(2), torch.ones(2))
    """
    if a.shape != b.shape:
        raise ValueError(
            f"two maps to compare must have one shape, but got {tuple(a.shape)} and "
            f"{tuple(b.shape)}; make both with the same settings"
        )


def exact(feature_map: Tensor) -> Tensor:
    """A map in double precision; it moves to the CPU if the device has no doubles (MPS).

    Example:
        >>> exact(torch.ones(1))
        tensor([1.], dtype=torch.float64)
    """
    feature_map = feature_map.detach()
    return (feature_map.cpu() if feature_map.device.type == "mps" else feature_map).double()


def map_axes(feature_map: Tensor, map_dims: int) -> tuple[int, ...]:
    """The last dimensions, which make one map.

    Example:
        >>> map_axes(torch.zeros(2, 3, 4), map_dims=2)
        (-2, -1)
    """
    return tuple(range(-min(map_dims, feature_map.ndim), 0))
