"""Further poolings to compare with those in `POOLINGS`: blurred, gated, Lp, stochastic and soft.

They keep the conventions of :class:`torch.nn.MaxPool2d`: window, stride, padding and ceil mode
give the same output size as there, and every map (C, H, W) is pooled channel by channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool._cpu import without_dim
from hybridpool.base import Pooling2d
from hybridpool.blend import compose, compute_type, sigmoid
from hybridpool.blur_poolings import HybridBlurPooling, MaxBlurPooling
from hybridpool.window import Size2d, Window

__all__ = [
    "MORE_POOLINGS",
    "GatedPooling",
    "HybridBlurPooling",
    "LpPooling",
    "MaxBlurPooling",
    "SoftPooling",
    "StochasticPooling",
]


# Cells that differ by a factor of 10^9 can share a unit: their powers are numbers of float32.
_LARGEST_POWER_OF_A_PICTURE = 4


class GatedPooling(Pooling2d):
    r"""Blend max and average pooling, each window by a weight computed from its own cells.

    .. math::
        y = w \max_i x_i + (1 - w) \tfrac{1}{n} \sum_i x_i,
        \qquad w = \operatorname{sigmoid}(\omega^\top x)

    with one gating mask :math:`\omega` as large as the window, shared by all channels and places.
    Where a window reaches beyond the map, the mask stays in its place and meets zeros there. The
    mask starts at zero, so that every blend weight starts at one half.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; None is the kernel size.
        padding: Cells added at each border, never a maximum and not part of a mean.
        ceil_mode: Whether a partial last window counts.

    Shape:
        - input: ``(N, C, H, W)`` or ``(C, H, W)``
        - output: the size that ``torch.nn.MaxPool2d`` gives
        - ``weight``: the mask, ``(kernel height, kernel width)``

    Source:
        The responsive mix of Lee, Gallagher and Tu, "Generalizing Pooling Functions in
        Convolutional Neural Networks", AISTATS 2016 (arXiv:1509.08985).

    Example:
        >>> pooling = GatedPooling()
        >>> window = torch.tensor([[[1.0, 2.0], [5.0, 6.0]]])
        >>> pooling(window).detach()  # the mask starts at zero: a half of each
        tensor([[[4.7500]]])
        >>> pooling.gate(window).shape
        torch.Size([1, 1, 1])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.weight = nn.Parameter(torch.empty(self.window.kernel))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let every blend weight start over at one half."""
        nn.init.zeros_(self.weight)

    def gate(self, input: Tensor) -> Tensor:
        """The blend weight of each window, of the shape of the output."""
        return self._finished(self._gate(self._checked(input), self.window), input)

    def _gate(self, batch: Tensor, window: Window) -> Tensor:
        padded, channels = window.padded(batch), batch.shape[1]
        mask = self.weight.to(padded).expand(channels, 1, -1, -1)
        return sigmoid(F.conv2d(padded, mask, stride=window.stride, groups=channels))

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        batch, window = self._checked(input), self.window
        gate = self._gate(batch, window)
        return self._finished(compose(window.average(batch), window.maximum(batch), gate), input)


class LpPooling(Pooling2d):
    r"""The power mean of each window: average pooling at p = 1, max pooling as p grows.

    .. math:: y = \Big(\frac{1}{n} \sum_i |x_i|^p\Big)^{1/p}

    over the n cells of the window that lie on the map. A mean, unlike the sum of
    :class:`torch.nn.LPPool2d`, so that a constant stays constant. A window of zeros gives 0 with a
    gradient of 0, where the formula itself has none. Half precision is computed in float32.

    Args:
        p: The exponent, 1 or more.
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; None is the kernel size.
        padding: Cells added at each border.
        ceil_mode: Whether a partial last window counts.
        count_include_pad: Whether padding counts as zeros.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.AvgPool2d`` gives.

    Raises:
        ValueError: If p is below 1 or not finite.

    Source:
        Sermanet, Chintala, LeCun, "Convolutional Neural Networks Applied to House Numbers Digit
        Classification", 2012.

    Example:
        >>> LpPooling(p=2)(torch.tensor([[[1.0, 7.0], [5.0, 5.0]]]))  # √(100 / 4)
        tensor([[[5.]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        p: float = 2.0,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        if not 1 <= p < math.inf:
            raise ValueError(f"p must be a number from 1, but got {p}: use 2, for example.")
        self.p = p

    def extra_repr(self) -> str:
        """The options that are printed with the name of the layer."""
        return f"{super().extra_repr()}, p={self.p}"

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        batch, window = self._checked(input), self.window
        magnitude = batch.abs().to(compute_type(batch.dtype))
        # In units of a largest value, so that no power overflows: that of the picture or, where a
        # dim window beside a bright cell would vanish, that of each window, which takes longer.
        by_window, largest = self.p > _LARGEST_POWER_OF_A_PICTURE, magnitude.detach()
        unit = window.maximum(largest) if by_window else largest.amax((1, 2, 3), keepdim=True)
        unit = unit.where((unit > 0) & unit.isfinite(), 1)
        if by_window:
            total = (window.cells(magnitude) / unit[..., None]).pow(self.p).sum(-1)
            mean = total / window.inside(magnitude).sum(-1)
            if window.count_include_pad:
                mean = mean * window.average(torch.ones_like(magnitude[:1, :1]))
        else:
            mean = window.average((magnitude / unit).pow(self.p))
        zero = mean == 0
        root = mean.where(~zero, 1).pow(1 / self.p).where(~zero, 0)
        return self._finished((root * unit).to(batch.dtype), input)


class StochasticPooling(Pooling2d):
    r"""Keep one cell of each window, drawn by chance in proportion to its value.

    .. math:: P(i) = \frac{\max(x_i, 0)}{\sum_j \max(x_j, 0)}

    In training one cell is drawn for each window; in evaluation the output is the expected value
    :math:`\sum_i P(i)\, x_i`. Where no cell is above zero all are equally likely. Padding is never
    drawn.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; None is the kernel size.
        padding: Cells added at each border, never drawn.
        ceil_mode: Whether a partial last window counts.
        generator: What draws; None is PyTorch's own generator. It lives on the CPU.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.MaxPool2d`` gives.

    Source:
        Zeiler, Fergus, "Stochastic Pooling for Regularization of Deep Convolutional Neural
        Networks", 2013.

    Example:
        >>> values = torch.tensor([[[1.0, 3.0], [0.0, 0.0]]])
        >>> StochasticPooling().eval()(values)  # 1/4 · 1 + 3/4 · 3
        tensor([[[2.5000]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        ceil_mode: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.generator = generator

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        batch, window = self._checked(input), self.window
        values, inside = window.cells(batch), window.inside(batch)
        # In half precision sums of large values would be infinite, and short waits zero.
        chances = values.to(compute_type(values.dtype)).clamp(min=0) * inside
        chances = chances.where(chances.sum(-1, keepdim=True) > 0, inside.to(chances))
        if not self.training:
            expected = (chances / chances.sum(-1, keepdim=True) * values).sum(-1)
            return self._finished(expected.to(values.dtype), input)
        # Each cell draws an exponential waiting time with its chance as the rate, and the shortest
        # wins. This draws cells in proportion to their chances, and never one without a chance.
        waits = torch.empty_like(
            chances, dtype=torch.float32, device="cpu", memory_format=torch.contiguous_format
        )
        waits = waits.exponential_(generator=self.generator).to(chances)
        drawn = (chances.detach() / waits).argmax(-1, keepdim=True)
        return self._finished(without_dim(values.gather(-1, drawn), -1), input)


class SoftPooling(Pooling2d):
    r"""A mean of each window in which larger values weigh exponentially more.

    .. math:: y = \frac{\sum_i x_i e^{x_i}}{\sum_i e^{x_i}}

    over the cells of the window that lie on the map, each channel by itself. The largest value of
    each window is subtracted in the exponents, so that nothing overflows, and values below zero
    are kept.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; None is the kernel size.
        padding: Cells added at each border; they belong to no window.
        ceil_mode: Whether a partial last window counts.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.MaxPool2d`` gives.

    Source:
        Stergiou, Poppe, Kalliatakis, "Refining activation downsampling with SoftPool", 2021.

    Example:
        >>> SoftPooling()(torch.tensor([[[0.0, 0.0], [0.0, math.log(3)]]])) / math.log(3)  # 3 / 6
        tensor([[[0.5000]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        batch, window = self._checked(input), self.window
        values, inside = window.cells(batch), window.inside(batch)
        shares = values.where(inside, -math.inf).softmax(-1)
        return self._finished((shares * values).sum(-1), input)


def _blur(*, channels: int, count_include_pad: bool = False, **window: object) -> nn.Module:
    return MaxBlurPooling(**window)  # type: ignore[arg-type]


def _lp(*, channels: int, **window: object) -> nn.Module:
    return LpPooling(**window)  # type: ignore[arg-type]


def _stochastic(*, channels: int, count_include_pad: bool = False, **window: object) -> nn.Module:
    return StochasticPooling(**window)  # type: ignore[arg-type]


def _soft(*, channels: int, count_include_pad: bool = False, **window: object) -> nn.Module:
    return SoftPooling(**window)  # type: ignore[arg-type]


#: Name to layer, called as the entries of :data:`hybridpool.layers.POOLINGS` are.
MORE_POOLINGS: dict[str, Callable[..., nn.Module]] = {
    "blur": _blur,
    "lp": _lp,
    "stochastic": _stochastic,
    "soft": _soft,
}
