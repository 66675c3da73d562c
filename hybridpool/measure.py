"""Feature maps to numbers: how poolings differ, and what a change to the picture did.

Every function takes feature maps as ``(..., H, W)``, on any device, and sums in double precision.
``kernel_size``, ``stride``, ``padding`` and ``ceil_mode`` mean what they mean in
:class:`torch.nn.MaxPool2d`: a ``stride`` of None is the kernel size, and padding belongs to no
window. NaN is never hidden: a number that was computed from one is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Size = int | tuple[int, int]

# A channel whose range is below this share of the widest one is left out of `most_telling`:
# a colour-opponent filter on a grey picture answers with nothing but rounding, and rounding has
# the contrast of noise.
FAINT = 0.05


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
        feature_map: any shape, at least one cell.

    Raises:
        ValueError: the map has no cells.

    Example:
        >>> summarise(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
        MapSummary(minimum=1.0, maximum=6.0, mean=3.0, energy=12.5)
    """
    values = _exact(feature_map)
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
        pooled: the pooled map, any shape.
        feature_map: the map before pooling, any shape.

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

    Symmetric, 0 for equal maps (two maps of zeros included), :math:`\sqrt 2` for maps without
    overlap, 2 for opposite ones. :func:`relative_change` is the form with a reference.

    Args:
        a: one map.
        b: the other map, of the same shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> relative_distance(torch.tensor([1.0, 7.0]), torch.tensor([5.0, 5.0]))  # √20 / √50
        0.632...
    """
    _same_shape(a, b)
    a, b = _exact(a), _exact(b)
    distance = (a - b).square().sum().item()
    size = (a.square().sum().item() + b.square().sum().item()) / 2
    return 0.0 if distance == 0 else math.sqrt(distance / size)


def distance_table(maps: Mapping[str, Tensor]) -> dict[tuple[str, str], float]:
    """Relative distance of each pair of maps, in the order in which the maps are given.

    Args:
        maps: name to map, all of one shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> one, two = torch.ones(2, 2), torch.full((2, 2), -1.0)
        >>> distance_table({"max": one, "average": two, "hybrid": one})
        {('max', 'average'): 2.0, ('max', 'hybrid'): 0.0, ('average', 'hybrid'): 2.0}
    """
    exact = {name: _exact(feature_map) for name, feature_map in maps.items()}
    return {(a, b): relative_distance(exact[a], exact[b]) for a, b in combinations(exact, 2)}


def window_winners(
    feature_map: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Which cell of each window is its maximum, counted row by row from the window's corner.

    The corner is where the window starts before it is clipped at the border, so the same number
    always means the same place in the window. Of several equal maxima the first wins, as in
    PyTorch, whose max pooling sends the gradient there; of several NaN, the last.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling, and so are the next three.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64, from 0 to the window's cells minus 1.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 8.0, 5.0]])
        >>> window_winners(feature_map, 2)
        tensor([[1, 2]])
    """
    rows, columns = _axes(feature_map, kernel_size, stride, padding, ceil_mode)
    planes = _planes(feature_map)
    _, cells = F.max_pool2d(
        planes,
        (rows.kernel, columns.kernel),
        (rows.stride, columns.stride),
        (rows.padding, columns.padding),
        ceil_mode=ceil_mode,
        return_indices=True,
    )
    width = feature_map.shape[-1]
    top, left = rows.starts(cells.device), columns.starts(cells.device)
    winners = (cells // width - top[:, None]) * columns.kernel + (cells % width - left)
    return winners.reshape(*feature_map.shape[:-2], rows.outputs, columns.outputs)


def winner_ties(
    feature_map: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """How many cells of each window share its maximum: 1 where the winner is clear.

    A window with a NaN has no maximum and counts 0.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling, and so are the next three.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64.

    Example:
        >>> winner_ties(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 4.0, 1.0]]), 2)
        tensor([[1, 3]])
    """
    axes = _axes(feature_map, kernel_size, stride, padding, ceil_mode)
    windows = _windows(feature_map, axes, fill=0)
    is_maximum = windows == windows.where(_inside(feature_map, axes), -math.inf).amax(-1, True)
    return (is_maximum & _inside(feature_map, axes)).sum(-1)


def winners_changed(
    a: Tensor,
    b: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    *,
    clear_only: bool = False,
) -> float:
    """Share of the windows whose winner is another cell in one map than in the other.

    Where several cells are equal the first one wins (see :func:`window_winners`), so in a map with
    many zeros the slightest noise seems to change many winners that never were any.

    Args:
        a: the map before pooling, as it was.
        b: the map before pooling, changed, of the same shape.
        kernel_size: window of the pooling, and so are the next three.
        clear_only: count among the windows of `a` whose winner is clear only; NaN if none is.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> a = torch.tensor([[1.0, 9.0, 0.0, 0.0]])
        >>> b = torch.tensor([[1.0, 8.0, 0.0, 0.1]])
        >>> winners_changed(a, b, kernel_size=(1, 2))
        0.5
        >>> winners_changed(a, b, kernel_size=(1, 2), clear_only=True)
        0.0
    """
    _same_shape(a, b)
    window = (kernel_size, stride, padding, ceil_mode)
    changed = window_winners(a, *window) != window_winners(b, *window)
    if clear_only:
        changed = changed[winner_ties(a, *window) == 1]
    return changed.double().mean().item()


def window_contrast(
    feature_map: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Maximum minus average of each window: how far the blend weight can move that cell.

    Hybrid pooling is ``average + blend_weight * (maximum - average)``, so this is its slope in the
    blend weight. It is zero exactly where all cells of the window are equal.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling, and so are the next three.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``.

    Example:
        >>> window_contrast(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 4.0, 4.0, 4.0]]), 2)
        tensor([[5., 0.]])
    """
    maximum, average = _maximum_and_average(
        feature_map, _axes(feature_map, kernel_size, stride, padding, ceil_mode), ceil_mode
    )
    return (maximum - average).clamp(min=0)  # the average of equal cells may round above them


def most_telling(
    feature_map: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
) -> tuple[int, int, int]:
    """The channel and the pooled cell that show best how max and average pooling differ.

    The channel is the one with the largest mean contrast (see :func:`window_contrast`) in units of
    its own range: painted over that range, its max and average maps differ most to the eye. A
    single bright cell has a small mean, so nearly empty channels lose; channels whose range is
    below 5 % of the widest are left out, for they may be nothing but rounding. The cell is the one
    of highest contrast there. Where no window has any contrast it is the window that is furthest
    from zero, so a window of zeros is chosen only when there is no other. NaN and infinity count as
    zeros.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling, and so are the next three.

    Shape:
        ``(C, H, W)`` with at least one channel.

    Returns:
        channel, row and column in the pooled map.

    Raises:
        ValueError: the map is not ``(C, H, W)`` or has no channels.

    Example:
        >>> flat, busy = torch.ones(1, 2, 4), torch.tensor([[[0.0, 0, 0, 4], [0, 0, 0, 0]]])
        >>> most_telling(torch.cat([flat, busy]), kernel_size=2)
        (1, 0, 1)
    """
    if feature_map.ndim != 3 or len(feature_map) == 0:
        raise ValueError(
            f"the most telling cell needs a feature map (C, H, W) with at least one channel, but "
            f"got shape {tuple(feature_map.shape)}; pass one image's map"
        )
    axes = _axes(feature_map, kernel_size, stride, padding, ceil_mode)
    finite = feature_map.detach().float().nan_to_num(0, 0, 0)
    maximum, average = _maximum_and_average(finite, axes, ceil_mode)
    contrast = maximum - average
    span = finite.amax((-2, -1)) - finite.amin((-2, -1))
    score = (contrast.mean((-2, -1)) / span).where(span > FAINT * span.max(), -1)
    channel = int(score.argmax())
    if score[channel] <= 0:
        contrast = average.abs()
        channel = int(contrast.amax((-2, -1)).argmax())
    row, column = divmod(int(contrast[channel].argmax()), axes[1].outputs)
    return channel, row, column


def relative_change(clean: Tensor, changed: Tensor, map_dims: int = 3) -> Tensor:
    r"""How far a map moved, in units of the clean map.

    .. math:: \frac{\lVert \text{changed} - \text{clean} \rVert_2}{\lVert \text{clean} \rVert_2}

    0 where nothing changed, also on a map of zeros; infinity where zeros became something.

    Args:
        clean: the map before the change; one is enough for a whole batch of changed ones.
        changed: the map, or maps, after it.
        map_dims: how many last dimensions are one map: 3 for ``(C, H, W)``, 2 for each channel by
            itself. A tensor with fewer is one map.

    Shape:
        ``(..., C, H, W)``, shapes that broadcast, to ``(...)``.

    Example:
        >>> clean = torch.tensor([[3.0, 4.0]])
        >>> relative_change(clean, torch.stack([clean, 2 * clean, clean + 3]), map_dims=2)
        tensor([0.0000, 1.0000, 0.8485], dtype=torch.float64)
    """
    clean, changed = _exact(clean), _exact(changed)
    moved: Tensor = torch.linalg.vector_norm(changed - clean, dim=_map_axes(changed, map_dims))
    size: Tensor = torch.linalg.vector_norm(clean, dim=_map_axes(clean, map_dims))
    return (moved / size).where(moved != 0, 0)


def largest_change(clean: Tensor, changed: Tensor, map_dims: int = 3) -> Tensor:
    """The largest absolute change of any cell of a map.

    Args:
        clean: the map before the change; one is enough for a whole batch of changed ones.
        changed: the map, or maps, after it.
        map_dims: how many last dimensions are one map, see :func:`relative_change`.

    Shape:
        ``(..., C, H, W)``, shapes that broadcast, to ``(...)``.

    Example:
        >>> largest_change(torch.tensor([1.0, 2.0]), torch.tensor([1.5, -1.0])).item()
        3.0
    """
    return (_exact(changed) - _exact(clean)).abs().amax(_map_axes(changed, map_dims))


def changed_cells(clean: Tensor, changed: Tensor, tolerance: float = 0.0) -> Tensor:
    """Mark the cells that changed by more than `tolerance`; ``.sum()`` counts them.

    A NaN that stays NaN has not changed, and one that comes or goes has.

    Args:
        clean: the map before the change.
        changed: the map after it.
        tolerance: the largest change that does not count.

    Shape:
        shapes that broadcast, to a bool tensor of the broadcast shape.

    Raises:
        ValueError: the tolerance is below zero or NaN.

    Example:
        >>> clean = torch.tensor([1.0, 2.0, 3.0])
        >>> changed_cells(clean, clean + torch.tensor([0.0, 0.01, 1.0]), tolerance=0.1).tolist()
        [False, False, True]
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be 0 or more, but got {tolerance}; choose a larger one")
    cells = (clean != changed) & ~(clean.isnan() & changed.isnan())
    if tolerance > 0:
        cells &= ~((_exact(changed) - _exact(clean)).abs() <= tolerance).to(cells.device)
    return cells


def gradient_shares(
    feature_map: Tensor,
    blend_weight: float | Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    *,
    upstream: Tensor | None = None,
) -> Tensor:
    r"""Where the gradient of pooled cells goes on the map before pooling.

    Max pooling hands all of it to the winner, average pooling the same to each of the n cells:

    .. math:: \frac{\partial\,\text{hybrid}}{\partial x_i}
        = w \cdot [i = \operatorname{argmax}] + \frac{1 - w}{n}

    Each pooled cell's shares sum to 1; padding takes none.

    Args:
        feature_map: the map before pooling.
        blend_weight: 1 for max, 0 for average; a number, or a tensor that broadcasts with the
            pooled map, such as ``(C, 1, 1)``. It is held fixed, attention's too.
        kernel_size: window of the pooling, and so are the next three.
        upstream: gradient that arrives at each pooled cell, all ones by default; a single one
            among zeros shows where that cell sends its own.

    Shape:
        ``(..., H, W)`` to ``(..., H, W)``; `upstream` broadcasts to ``(..., H_out, W_out)``.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0], [2.0, 3.0]])
        >>> gradient_shares(feature_map, 0.5, kernel_size=2).tolist()
        [[0.125, 0.625], [0.125, 0.125]]
    """
    axes = _axes(feature_map, kernel_size, stride, padding, ceil_mode)
    # A caller that serves maps works in inference mode, where nothing can be differentiated.
    with torch.inference_mode(False), torch.enable_grad():
        cells = _exact(feature_map).clone().requires_grad_()
        weight = torch.as_tensor(blend_weight, device=cells.device).detach().clone().to(cells)
        maximum, average = _maximum_and_average(cells, axes, ceil_mode)
        pooled = weight * maximum + (1 - weight) * average
        arriving = torch.ones_like(pooled)
        if upstream is not None:
            arriving = arriving * upstream.detach().clone().to(arriving)
        (shares,) = torch.autograd.grad(pooled, cells, arriving)
    return shares.to(feature_map)


def align(
    before: Tensor, after: Tensor, rows: float, columns: float, mode: str = "crop"
) -> tuple[Tensor, Tensor]:
    """Lay two maps of a shifted picture over each other, so that the same content meets.

    The content of `after` lies `rows` cells further down and `columns` further right; for a picture
    shifted by pixels that is pixels divided by the map's stride, and often no whole number.

    Args:
        before: the map of the picture.
        after: the map of the shifted picture, of the same shape.
        rows: cells by which the content moved down.
        columns: cells by which it moved right.
        mode: ``"crop"`` cuts both maps to what they share, moved by the nearest whole cells (half a
            cell counts as none). ``"circular"`` moves `after` back around the edge, by fractions
            of a cell too, the way an alias-free map moves: shift its Fourier phases. What still
            differs then is what pooling does not carry along with the picture.

    Raises:
        ValueError: an unknown mode, unequal shapes, or no cell left to compare.

    Example:
        >>> before = torch.tensor([[1.0, 2.0, 3.0]])
        >>> align(before, torch.tensor([[9.0, 1.0, 2.0]]), rows=0, columns=1)
        (tensor([[1., 2.]]), tensor([[1., 2.]]))
        >>> align(before, torch.tensor([[3.0, 1.0, 2.0]]), 0, 1, mode="circular")[1]
        tensor([[1., 2., 3.]])
    """
    _same_shape(before, after)
    if mode == "circular":
        return before, _moved_around(after, -rows, -columns)
    if mode != "crop":
        raise ValueError(f'mode must be "crop" or "circular", but got {mode!r}; choose one of them')
    down, right = (math.copysign(math.ceil(abs(d) - 0.5), d) for d in (rows, columns))
    height, width = (
        size - abs(int(d)) for size, d in zip(before.shape[-2:], (down, right), strict=True)
    )
    if height < 1 or width < 1:
        raise ValueError(
            f"a shift by {rows} rows and {columns} columns leaves nothing of a map of "
            f"{before.shape[-2]} x {before.shape[-1]} cells; shift less"
        )
    top, left = max(0, int(down)), max(0, int(right))
    above, beside = max(0, -int(down)), max(0, -int(right))
    return (
        before[..., above : above + height, beside : beside + width],
        after[..., top : top + height, left : left + width],
    )


def shift_distance(
    before: Tensor,
    after: Tensor,
    rows: float,
    columns: float,
    mode: str = "crop",
    map_dims: int = 3,
) -> Tensor:
    """How much the map of a shifted picture differs from the shifted map of the picture.

    The :func:`relative_change` after :func:`align`; 0 for a pooling that shifts with its picture.

    Args:
        before: the map of the picture.
        after: the map of the shifted picture, of the same shape.
        rows: cells by which the content moved down: pixels divided by the map's stride.
        columns: cells by which it moved right.
        mode: ``"crop"`` or ``"circular"``, see :func:`align`.
        map_dims: how many last dimensions are one map, see :func:`relative_change`.

    Shape:
        ``(..., C, H, W)`` to ``(...)``.

    Example:
        >>> picture = torch.tensor([[[0.0, 0, 4, 0, 0, 0]]])
        >>> shifted = picture.roll(1, -1)
        >>> def pool(x):
        ...     return F.max_pool2d(x, (1, 2))
        >>> shift_distance(pool(picture), pool(shifted), 0, 0).item()  # the same window holds it
        0.0
        >>> shift_distance(pool(picture), pool(picture.roll(2, -1)), 0, 1).item()
        0.0
    """
    return relative_change(*align(before, after, rows, columns, mode), map_dims)


class _Axis(NamedTuple):
    """The window along one axis, and how many places it takes."""

    kernel: int
    stride: int
    padding: int
    outputs: int

    def starts(self, device: torch.device) -> Tensor:
        """Where each window begins, padding as negative."""
        return torch.arange(self.outputs, device=device) * self.stride - self.padding


def _axes(
    feature_map: Tensor, kernel_size: Size, stride: Size | None, padding: Size, ceil_mode: bool
) -> tuple[_Axis, _Axis]:
    """Check the window against the map and lay it out along rows and columns."""
    if not feature_map.is_floating_point():
        raise TypeError(
            f"a feature map must be floating point, but its dtype is {feature_map.dtype}; "
            f"convert it with .float()"
        )
    if feature_map.ndim < 2 or feature_map.numel() == 0:
        raise ValueError(
            f"a feature map must be (..., H, W) and not empty, but its shape is "
            f"{tuple(feature_map.shape)}; pass a map with rows and columns"
        )
    kernels = _pair("kernel_size", kernel_size, 1)
    strides = kernels if stride is None else _pair("stride", stride, 1)
    paddings = _pair("padding", padding, 0)
    rows, columns = (
        _axis(size, kernel, step, pad, ceil_mode)
        for size, kernel, step, pad in zip(
            feature_map.shape[-2:], kernels, strides, paddings, strict=True
        )
    )
    return rows, columns


def _pair(name: str, value: Size, least: int) -> tuple[int, int]:
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or not all(isinstance(side, int) and side >= least for side in pair):
        raise ValueError(
            f"{name} must be a whole number from {least}, or two of them, but got {value}; "
            f"choose another one"
        )
    return pair


def _axis(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> _Axis:
    if padding > kernel // 2:
        raise ValueError(
            f"padding must be at most half of kernel_size, but got padding {padding} with "
            f"kernel_size {kernel}; lower the padding"
        )
    slack = size + 2 * padding - kernel
    steps = -(-slack // stride) if ceil_mode else slack // stride
    if ceil_mode and steps * stride >= size + padding:
        steps -= 1  # PyTorch drops a window that would start in the padding behind the map
    if steps < 0:
        raise ValueError(
            f"a window of {kernel} with padding {padding} does not fit into {size} cells; choose a "
            f"smaller kernel_size or a larger feature map"
        )
    return _Axis(kernel, stride, padding, steps + 1)


def _planes(feature_map: Tensor) -> Tensor:
    """The map as (N, C, H, W); a view where it can be, so that channels_last stays fast."""
    if feature_map.ndim > 4:
        return feature_map.flatten(0, -4)
    return feature_map[(None,) * (4 - feature_map.ndim)]


def _maximum_and_average(
    feature_map: Tensor, axes: tuple[_Axis, _Axis], ceil_mode: bool
) -> tuple[Tensor, Tensor]:
    kernel, stride, padding, outputs = zip(*axes, strict=True)
    planes, shape = _planes(feature_map), (*feature_map.shape[:-2], *outputs)
    maximum = F.max_pool2d(planes, kernel, stride, padding, ceil_mode=ceil_mode)
    average = F.avg_pool2d(planes, kernel, stride, padding, ceil_mode, count_include_pad=False)
    return maximum.reshape(shape), average.reshape(shape)


def _windows(feature_map: Tensor, axes: tuple[_Axis, _Axis], fill: float) -> Tensor:
    """(..., H, W) to (..., H_out, W_out, cells of a window); `fill` stands outside the map."""
    rows, columns = axes
    after = [
        max(0, (axis.outputs - 1) * axis.stride + axis.kernel - size - axis.padding)
        for axis, size in zip(axes, feature_map.shape[-2:], strict=True)
    ]
    padded = F.pad(feature_map, (columns.padding, after[1], rows.padding, after[0]), value=fill)
    windows = padded.unfold(-2, rows.kernel, rows.stride)[..., : rows.outputs, :, :]
    windows = windows.unfold(-2, columns.kernel, columns.stride)[..., : columns.outputs, :, :]
    return windows.flatten(-2)


def _inside(feature_map: Tensor, axes: tuple[_Axis, _Axis]) -> Tensor:
    """Which cells of each window lie on the map: bool (H_out, W_out, cells of a window)."""
    return _windows(feature_map.new_ones(feature_map.shape[-2:]), axes, fill=0) > 0


def _same_shape(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise ValueError(
            f"two maps to compare must have one shape, but got {tuple(a.shape)} and "
            f"{tuple(b.shape)}; make both with the same settings"
        )


def _exact(feature_map: Tensor) -> Tensor:
    """The map in double precision, in main memory where the device has none (MPS)."""
    feature_map = feature_map.detach()
    return (feature_map.cpu() if feature_map.device.type == "mps" else feature_map).double()


def _map_axes(feature_map: Tensor, map_dims: int) -> tuple[int, ...]:
    """The last dimensions, those that are one map."""
    return tuple(range(-min(map_dims, feature_map.ndim), 0))


def _moved_around(feature_map: Tensor, rows: float, columns: float) -> Tensor:
    """Shift around the edge: whole cells exactly, fractions by their Fourier phases."""
    if float(rows).is_integer() and float(columns).is_integer():
        return feature_map.roll((int(rows), int(columns)), (-2, -1))
    spectrum: Tensor = torch.fft.fft2(_exact(feature_map))
    for axis, distance in ((-2, rows), (-1, columns)):
        size = spectrum.shape[axis]
        frequency = torch.fft.fftfreq(size, dtype=torch.float64, device=spectrum.device)
        phase = torch.exp(-2j * math.pi * distance * frequency)
        spectrum = spectrum * (phase[:, None] if axis == -2 else phase)
    moved: Tensor = torch.fft.ifft2(spectrum)
    return moved.real.to(feature_map)
