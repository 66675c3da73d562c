"""The windows of a feature map: who wins in them, by how much, and who gets the gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hybridpool.measure.changes import exact, negligible
from hybridpool.window import Size2d, Window, check_window

# A channel whose range is below this share of the widest one is left out of `most_telling`:
# a colour-opponent filter on a grey picture answers with nothing but rounding, and rounding has
# the contrast of noise.
FAINT = 0.05
#: What stands for the winner of a window that has none.
TIE = -1


def window_winners(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Which cell of each window is its maximum, counted row by row from the window's corner.

    The corner is where the window starts before it is clipped at the border, so the same number
    always means the same place in the window. Of several equal maxima the first wins, as in
    PyTorch, whose max pooling sends the gradient there; of several NaN, the last.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64, from 0 to the window's cells minus 1.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 8.0, 5.0]])
        >>> window_winners(feature_map, 2)
        tensor([[1, 2]])
    """
    window = _window_on(feature_map, kernel_size, stride, padding, ceil_mode)
    _, cells = window.maximum_with_indices(_planes(feature_map))
    height, width = feature_map.shape[-2:]
    top, left = (
        torch.tensor(axis.starts, device=cells.device) for axis in window.axes(height, width)
    )
    winners = (cells // width - top[:, None]) * window.kernel[1] + (cells % width - left)
    return winners.reshape(*feature_map.shape[:-2], *cells.shape[-2:])


def winner_ties(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
    *,
    tolerance: float = 0.0,
) -> Tensor:
    """How many cells of each window share its maximum: 1 where the winner is clear.

    A window with a NaN has no maximum and counts 0.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.
        tolerance: how far below the maximum a cell may be and still share it.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64.

    Example:
        >>> winner_ties(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 4.0, 1.0]]), 2)
        tensor([[1, 3]])
    """
    window = _window_on(feature_map, kernel_size, stride, padding, ceil_mode)
    cells, inside = window.cells(feature_map), window.inside(feature_map)
    maximum = cells.where(inside, -math.inf).amax(-1, True)
    return ((cells >= maximum - tolerance) & inside).sum(-1)


def clear_winners(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Which cell of each window is its maximum, `TIE` where several are but for rounding.

    Cells whose values differ by less than :func:`hybridpool.measure.negligible` share a maximum, so
    that a winner is never made by rounding: in a map of one colour every window has a tie.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64.

    Example:
        >>> clear_winners(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 8.0, 8.00001]]), 2)
        tensor([[ 1, -1]])
    """
    window = (kernel_size, stride, padding, ceil_mode)
    ties = winner_ties(feature_map, *window, tolerance=negligible(feature_map))
    return window_winners(feature_map, *window).where(ties == 1, TIE)


def window_contrast(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Maximum minus average of each window: how far the blend weight can move that cell.

    Hybrid pooling is ``average + blend_weight * (maximum - average)``, so this is its slope in the
    blend weight. It is zero exactly where all cells of the window are equal.

    Args:
        feature_map: the map before pooling.
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``.

    Example:
        >>> window_contrast(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 4.0, 4.0, 4.0]]), 2)
        tensor([[5., 0.]])
    """
    window = _window_on(feature_map, kernel_size, stride, padding, ceil_mode)
    maximum, average = _maximum_and_average(feature_map, window)
    return (maximum - average).clamp(min=0)  # the average of equal cells may round above them


def highest_contrast(maximum: Tensor, average: Tensor) -> Tensor:
    """In each channel the pooled cell where max and average differ most.

    Args:
        maximum: The max map.
        average: The average map; NaN in either counts as no difference.

    Shape:
        ``(C, H, W)`` to ``(C, 2)``, rows and columns, int64.

    Example:
        >>> highest_contrast(torch.tensor([[[1.0, 5.0]]]), torch.tensor([[[1.0, 2.0]]]))
        tensor([[0, 1]])
    """
    best = (maximum - average).nan_to_num().flatten(1).argmax(1)
    columns = maximum.shape[-1]
    return torch.stack([best // columns, best % columns], -1)


def most_telling(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
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
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.

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
    window = _window_on(feature_map, kernel_size, stride, padding, ceil_mode)
    finite = feature_map.detach().float().nan_to_num(0, 0, 0)
    maximum, average = _maximum_and_average(finite, window)
    contrast = maximum - average
    contrast = contrast.where(contrast > negligible(finite), 0)
    span = finite.amax((-2, -1)) - finite.amin((-2, -1))
    score = (contrast.mean((-2, -1)) / span).where(span > FAINT * span.max(), -1)
    channel = int(score.argmax())
    if score[channel] <= 0:
        contrast = average.abs()
        channel = int(contrast.amax((-2, -1)).argmax())
    row, column = divmod(int(contrast[channel].argmax()), contrast.shape[-1])
    return channel, row, column


def gradient_shares(
    feature_map: Tensor,
    blend_weight: float | Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
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
        kernel_size: window of the pooling; `stride`, `padding` and `ceil_mode` belong to it.
        upstream: gradient that arrives at each pooled cell, all ones by default; a single one
            among zeros shows where that cell sends its own.

    Shape:
        ``(..., H, W)`` to ``(..., H, W)``; `upstream` broadcasts to ``(..., H_out, W_out)``.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0], [2.0, 3.0]])
        >>> gradient_shares(feature_map, 0.5, kernel_size=2).tolist()
        [[0.125, 0.625], [0.125, 0.125]]
    """
    window = _window_on(feature_map, kernel_size, stride, padding, ceil_mode)
    # A caller that serves maps works in inference mode, where nothing can be differentiated.
    with torch.inference_mode(False), torch.enable_grad():
        cells = exact(feature_map).clone().requires_grad_()
        weight = torch.as_tensor(blend_weight, device=cells.device).detach().clone().to(cells)
        maximum, average = _maximum_and_average(cells, window)
        pooled = weight * maximum + (1 - weight) * average
        arriving = torch.ones_like(pooled)
        if upstream is not None:
            arriving = arriving * upstream.detach().clone().to(arriving)
        (shares,) = torch.autograd.grad(pooled, cells, arriving)
    return shares.to(feature_map)


def _window_on(
    feature_map: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None,
    padding: Size2d,
    ceil_mode: bool,
) -> Window:
    """The window, checked against the map."""
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
    window = check_window(kernel_size, stride, padding, ceil_mode)
    window.check_fits(feature_map.shape[-2], feature_map.shape[-1])
    return window


def _planes(feature_map: Tensor) -> Tensor:
    """The map as (N, C, H, W); a view where it can be, so that channels_last stays fast."""
    if feature_map.ndim > 4:
        return feature_map.flatten(0, -4)
    return feature_map[(None,) * (4 - feature_map.ndim)]


def _maximum_and_average(feature_map: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    planes = _planes(feature_map)
    maximum, average = window.maximum(planes), window.average(planes)
    shape = (*feature_map.shape[:-2], *maximum.shape[-2:])
    return maximum.reshape(shape), average.reshape(shape)
