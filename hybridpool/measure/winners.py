"""Which cell wins in each window of a feature map, and where the gradient goes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hybridpool.measure.changes import exact, negligible
from hybridpool.measure.contrast import maximum_and_average, planes_of, window_on
from hybridpool.window import Size2d, Window

#: Stands for the winner of a window that has none.
TIE = -1


def window_winners(
    feature_map: Tensor,
    window: Window | Size2d,
) -> Tensor:
    """Which cell of each window is its maximum, counted row by row from the window's corner.

    The corner is where the window starts before it is clipped at the border, so the same number
    always means the same place in the window. Of several equal maxima the first wins, as in
    PyTorch, whose max pooling sends the gradient there; of several NaN, the last.

    Args:
        feature_map: The map before pooling.
        window: The window of the pooling; a size alone is a window with that stride.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64, from 0 to the window's cells minus 1.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 8.0, 5.0]])
        >>> window_winners(feature_map, 2)
        tensor([[1, 2]])
    """
    window = window_on(feature_map, window)
    _, cells = window.maximum_with_indices(planes_of(feature_map))
    height, width = feature_map.shape[-2:]
    top, left = (
        torch.tensor(axis.starts, device=cells.device) for axis in window.axes(height, width)
    )
    winners = (cells // width - top[:, None]) * window.kernel[1] + (cells % width - left)
    return winners.reshape(*feature_map.shape[:-2], *cells.shape[-2:])


def winner_ties(
    feature_map: Tensor,
    window: Window | Size2d,
    *,
    tolerance: float = 0.0,
) -> Tensor:
    """How many cells of each window share its maximum: 1 where the winner is clear.

    A window with a NaN has no maximum and counts 0.

    Args:
        feature_map: The map before pooling.
        window: The window of the pooling; a size alone is a window with that stride.
        tolerance: How far below the maximum a cell may be and still share it.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64.

    Example:
        >>> winner_ties(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 4.0, 1.0]]), 2)
        tensor([[1, 3]])
    """
    window = window_on(feature_map, window)
    cells, inside = window.cells(feature_map), window.inside(feature_map)
    maximum = cells.where(inside, -math.inf).amax(-1, True)
    return ((cells >= maximum - tolerance) & inside).sum(-1)


def clear_winners(
    feature_map: Tensor,
    window: Window | Size2d,
) -> Tensor:
    """Which cell of each window is its maximum, or `TIE` where several are up to rounding.

    Cells whose values differ by less than :func:`hybridpool.measure.negligible` share a maximum, so
    that rounding never makes a winner: in a map of one colour every window has a tie.

    Args:
        feature_map: The map before pooling.
        window: The window of the pooling; a size alone is a window with that stride.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``, int64.

    Example:
        >>> clear_winners(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 3.0, 8.0, 8.00001]]), 2)
        tensor([[ 1, -1]])
    """
    ties = winner_ties(feature_map, window, tolerance=negligible(feature_map))
    return window_winners(feature_map, window).where(ties == 1, TIE)


def gradient_shares(
    feature_map: Tensor,
    blend_weight: float | Tensor,
    window: Window | Size2d,
    *,
    upstream: Tensor | None = None,
) -> Tensor:
    r"""The gradient of pooled cells on the map before pooling.

    Max pooling sends all of it to the winner, average pooling an equal part to each of n cells:

    .. math:: \frac{\partial\,\text{hybrid}}{\partial x_i}
        = w \cdot [i = \operatorname{argmax}] + \frac{1 - w}{n}

    The shares of each pooled cell sum to 1; padding gets none.

    Args:
        feature_map: The map before pooling.
        blend_weight: 1 for max, 0 for average; a number, or a tensor that broadcasts with the
            pooled map, such as ``(C, 1, 1)``. It is held fixed, attention's too.
        window: The window of the pooling; a size alone is a window with that stride.
        upstream: The gradient of each pooled cell, all ones by default; a single one among zeros
            shows where that cell sends its gradient.

    Shape:
        ``(..., H, W)`` to ``(..., H, W)``; `upstream` broadcasts to ``(..., H_out, W_out)``.

    Example:
        >>> feature_map = torch.tensor([[1.0, 9.0], [2.0, 3.0]])
        >>> gradient_shares(feature_map, 0.5, 2).tolist()
        [[0.125, 0.625], [0.125, 0.125]]
    """
    window = window_on(feature_map, window)
    # The caller may work in inference mode, where nothing can be differentiated.
    with torch.inference_mode(False), torch.enable_grad():
        cells = exact(feature_map).clone().requires_grad_()
        weight = torch.as_tensor(blend_weight, device=cells.device).detach().clone().to(cells)
        maximum, average = maximum_and_average(cells, window)
        pooled = weight * maximum + (1 - weight) * average
        arriving = torch.ones_like(pooled)
        if upstream is not None:
            arriving = arriving * upstream.detach().clone().to(arriving)
        (shares,) = torch.autograd.grad(pooled, cells, arriving)
    return shares.to(feature_map)
