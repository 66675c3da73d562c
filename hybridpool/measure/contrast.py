"""How far max and average pooling lie apart in the windows of a feature map."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridpool.measure.changes import negligible
from hybridpool.window import Size2d, Window, check_window

# A channel whose range is below this share of the widest one is left out of `example_cell`:
# a colour-opponent filter on a grey picture answers with nothing but rounding, and rounding has
# the contrast of noise.
FAINT = 0.05


def window_contrast(
    feature_map: Tensor,
    window: Window | Size2d,
) -> Tensor:
    """Maximum minus average of each window: how far the blend weight can move that cell.

    Hybrid pooling is ``average + blend_weight * (maximum - average)``, so this is its slope in the
    blend weight. It is zero exactly where all cells of the window are equal.

    Args:
        feature_map: The map before pooling.
        window: The window of the pooling; a size alone is a window with that stride.

    Shape:
        ``(..., H, W)`` to ``(..., H_out, W_out)``.

    Example:
        >>> window_contrast(torch.tensor([[1.0, 9.0, 4.0, 4.0], [2.0, 4.0, 4.0, 4.0]]), 2)
        tensor([[5., 0.]])
    """
    window = window_on(feature_map, window)
    maximum, average = maximum_and_average(feature_map, window)
    return (maximum - average).clamp(min=0)  # the average of equal cells may round above them


def highest_contrast(maximum: Tensor, average: Tensor) -> Tensor:
    """The pooled cell of each channel where max and average differ most.

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


def example_cell(
    feature_map: Tensor,
    window: Window | Size2d,
    blend_weight: Tensor | None = None,
) -> tuple[int, int, int]:
    """The channel and the pooled cell that best show how max and average pooling differ.

    The channel is the one with the largest mean contrast (see :func:`window_contrast`) in units of
    its own range: painted over that range, its max and average maps differ most to the eye. A
    single bright cell has a small mean, so nearly empty channels lose; channels whose range is
    below 5 % of the widest are left out, because they may be nothing but rounding. The cell is the
    one with the highest contrast in that channel. If no window has any contrast, it is the window
    furthest from zero; so a window of zeros is chosen only if there is no other. NaN and infinity
    count as zeros.

    Args:
        feature_map: The map before pooling.
        window: The window of the pooling; a size alone is a window with that stride.
        blend_weight: Of each channel (C,), if a channel is to show hybrid pooling too: its
            contrast counts as far as its hybrid map lies from the nearer of max and average.

    Shape:
        ``(C, H, W)`` with at least one channel.

    Returns:
        Channel, row and column in the pooled map.

    Raises:
        ValueError: If the map is not ``(C, H, W)`` or has no channels.

    Example:
        >>> flat, busy = torch.ones(1, 2, 4), torch.tensor([[[0.0, 0, 0, 4], [0, 0, 0, 0]]])
        >>> example_cell(torch.cat([flat, busy]), 2)
        (1, 0, 1)
        >>> example_cell(torch.cat([busy, busy]), 2, blend_weight=torch.tensor([0.99, 0.4]))
        (1, 0, 1)
    """
    if feature_map.ndim != 3 or len(feature_map) == 0:
        raise ValueError(
            f"the example cell needs a feature map (C, H, W) with at least one channel, but "
            f"got shape {tuple(feature_map.shape)}; pass one image's map"
        )
    window = window_on(feature_map, window)
    finite = feature_map.detach().float().nan_to_num(0, 0, 0)
    maximum, average = maximum_and_average(finite, window)
    contrast = maximum - average
    contrast = contrast.where(contrast > negligible(finite), 0)
    span = finite.amax((-2, -1)) - finite.amin((-2, -1))
    share = contrast.mean((-2, -1)) / span
    if blend_weight is not None:
        room = torch.minimum(blend_weight, 1 - blend_weight)
        share = share * room if room.any() else share
    score = share.where(span > FAINT * span.max(), -1)
    channel = int(score.argmax())
    if score[channel] <= 0:
        contrast = average.abs()
        channel = int(contrast.amax((-2, -1)).argmax())
    row, column = divmod(int(contrast[channel].argmax()), contrast.shape[-1])
    return channel, row, column


def window_on(feature_map: Tensor, window: Window | Size2d) -> Window:
    """The window, checked against the map; averages are taken over the cells of the map alone.

    Raises:
        TypeError: If the map is not floating point.
        ValueError: If the map is empty, or the window is impossible or does not fit.

    Example:
        >>> window_on(torch.zeros(4, 4), 2).stride
        (2, 2)
    """
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
    checked = window if isinstance(window, Window) else check_window(window)
    checked.check()
    checked.check_fits(feature_map.shape[-2], feature_map.shape[-1])
    return checked._replace(count_include_pad=False)


def planes_of(feature_map: Tensor) -> Tensor:
    """The map as (N, C, H, W); a view where it can be, so that channels_last stays fast.

    Example:
        >>> planes_of(torch.zeros(4, 4)).shape
        torch.Size([1, 1, 4, 4])
    """
    if feature_map.ndim > 4:
        return feature_map.flatten(0, -4)
    return feature_map[(None,) * (4 - feature_map.ndim)]


def maximum_and_average(feature_map: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """Both maps of a window, in the shape that the feature map came in.

    Example:
        >>> maximum_and_average(torch.tensor([[1.0, 3.0]]), check_window((1, 2)))
        (tensor([[3.]]), tensor([[2.]]))
    """
    planes = planes_of(feature_map)
    maximum, average = window.maximum(planes), window.average(planes)
    shape = (*feature_map.shape[:-2], *maximum.shape[-2:])
    return maximum.reshape(shape), average.reshape(shape)
