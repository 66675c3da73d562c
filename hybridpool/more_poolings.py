"""Further poolings to hold beside the ones in `POOLINGS`: blurred, gated, Lp, stochastic and soft.

They keep the conventions of :class:`torch.nn.MaxPool2d`: window, stride, padding and ceil mode
give the same output size as there, and every map (C, H, W) is pooled channel by channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool._cpu import reshaped
from hybridpool.base import Pooling2d
from hybridpool.blend import compose, compute_type, initial_logit, sigmoid
from hybridpool.window import Size2d, Window


class _BlurPooling(Pooling2d):
    """A pooling at stride 1, then a blur at the stride: sampling without aliasing."""

    taps: Tensor

    def __init__(
        self,
        kernel_size: Size2d,
        stride: Size2d | None,
        padding: Size2d,
        filter_size: int,
        ceil_mode: bool,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        filter_size = index(filter_size)
        if filter_size < 1 or filter_size % 2 == 0:
            raise ValueError(f"filter_size must be odd, but got {filter_size}: use 3 or 5.")
        self.register_buffer("taps", torch.empty(filter_size, filter_size), persistent=False)
        self._fill_taps()

    def _fill_taps(self) -> None:
        last = self.taps.shape[0] - 1
        row = torch.tensor([math.comb(last, k) / 2**last for k in range(last + 1)])
        self.taps.copy_(row[:, None] * row)

    def reset_parameters(self) -> None:
        """Compute the taps of the blur again, which no checkpoint holds."""
        self._fill_taps()

    def extra_repr(self) -> str:
        """The options that are printed with the name of the layer."""
        return f"{super().extra_repr()}, filter_size={self.taps.shape[0]}"

    def _dense(self, batch: Tensor) -> Tensor:
        """The pooled map at stride 1, with every window that the blur reads."""
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        dense = self._dense(self._checked(input))
        half = self.taps.shape[0] // 2
        edged = F.pad(dense, (half,) * 4, mode="replicate")
        channels = edged.shape[1]
        filters = self.taps.to(edged).expand(channels, 1, -1, -1)
        blurred = F.conv2d(edged, filters, stride=self.window.stride, groups=channels)
        return self._finished(blurred, input)


class MaxBlurPooling(_BlurPooling):
    r"""Max pooling without aliasing: maximum at stride 1, then a blur at the stride.

    .. math:: y = (b * \max_{\text{window}} x) \downarrow_{\text{stride}}

    where :math:`b` is the binomial filter, row `filter_size` of Pascal's triangle divided by its
    sum, along rows and columns: (1, 2, 1) / 4 for size 3. The map of maxima is continued by its
    border cells (replicate padding), so that a constant stays constant and the output has the size
    that max pooling gives it; padding of the window takes no part in the maximum.

    Args:
        kernel_size: Window of the maximum.
        stride: Step of the blur; None is the kernel size.
        padding: Cells added at each border, never a maximum.
        filter_size: Taps of the blur, an odd number; 1 is max pooling itself.
        ceil_mode: Whether a partial last window counts.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.MaxPool2d`` gives.

    Raises:
        ValueError: If the filter size is not odd, or the window does not fit.

    Source:
        Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019; there the border is
        reflected.

    Example:
        >>> one = torch.tensor([[[0.0, 0, 0, 4, 0, 0, 0]]])
        >>> MaxBlurPooling((1, 1), (1, 2))(one)  # 4 is blurred to 1, 2, 1 and every second kept
        tensor([[[0., 1., 1., 0.]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        filter_size: int = 3,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, filter_size, ceil_mode)

    def _dense(self, batch: Tensor) -> Tensor:
        window = self.window
        return F.max_pool2d(_whole(batch, window, -math.inf), window.kernel, 1)


class HybridBlurPooling(_BlurPooling):
    r"""Hybrid pooling without aliasing: the blend at stride 1, then a blur at the stride.

    .. math::
        y = \big(b * (w \max_{\text{window}} x + (1 - w) \operatorname{mean}_{\text{window}} x)\big)
        \downarrow_{\text{stride}}, \qquad w = \operatorname{sigmoid}(\text{weight})

    with the binomial filter :math:`b` of `MaxBlurPooling`. Padding takes no part in the maximum or
    in the mean.

    Args:
        kernel_size: Height and width of the window that is blended.
        stride: Step of the blur; None is the kernel size.
        padding: Cells added at each border.
        channels: Learn one blend weight for each of so many channels, instead of one for all.
        blend_weight: Where the blend weight starts: 1 is max pooling, 0 is average pooling.
        filter_size: Taps of the blur, an odd number; 1 is hybrid pooling itself.
        ceil_mode: Whether a partial last window counts.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.MaxPool2d`` gives.

    Raises:
        ValueError: If the filter size is not odd, the window does not fit, or ``blend_weight`` is
            out of range.

    Source:
        The blend of Lee, Gallagher and Tu, 2016, in the place of the maximum in Zhang's
        `MaxBlurPooling`.

    Example:
        >>> one = torch.tensor([[[0.0, 0, 0, 4, 0, 0, 0]]])
        >>> HybridBlurPooling((1, 2), (1, 2), filter_size=1)(one).detach()  # max 4, mean 2
        tensor([[[0., 3., 0.]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        channels: int | None = None,
        blend_weight: float = 0.5,
        filter_size: int = 3,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, filter_size, ceil_mode)
        if channels is not None and channels < 1:
            raise ValueError(f"channels must be at least 1 or None, but got {channels}.")
        self.channels = None if channels is None else index(channels)
        self.initial_logit = initial_logit(blend_weight)
        self.weight = nn.Parameter(torch.empty(self.channels or 1))
        self.reset_parameters()

    def extra_repr(self) -> str:
        """The options that are printed with the name of the layer."""
        channels = "" if self.channels is None else f", channels={self.channels}"
        return super().extra_repr() + channels

    def reset_parameters(self) -> None:
        """Let the blend weight start over, and compute the taps of the blur again."""
        super().reset_parameters()
        nn.init.constant_(self.weight, self.initial_logit)

    @property
    def blend_weight(self) -> Tensor:
        """The blend weight, ``sigmoid(weight)`` in float32 at least: 1 is max, 0 is average."""
        return sigmoid(self.weight)

    def _dense(self, batch: Tensor) -> Tensor:
        window = self.window
        maximum = F.max_pool2d(_whole(batch, window, -math.inf), window.kernel, 1)
        padded = _whole(batch, window, 0.0)
        average = F.avg_pool2d(padded, window.kernel, 1)
        if padded.shape != batch.shape:
            ones = _whole(torch.ones_like(batch[:1, :1]), window, 0.0)
            average = average / F.avg_pool2d(ones, window.kernel, 1)
        weight = self.blend_weight.to(compute_type(batch.dtype)).view(-1, 1, 1)
        return compose(average, maximum, weight)


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
    gradient of 0, where the formula itself has none.

    Args:
        p: The exponent, 1 or more.
        kernel_size: Window, and so are the next two; a `stride` of None is the kernel size.
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
        magnitude = self._checked(input).abs()
        # In units of the largest value of the picture, so that no power overflows.
        unit = magnitude.detach().amax((1, 2, 3), keepdim=True)
        unit = unit.where((unit > 0) & unit.isfinite(), 1)
        mean = self.window.average((magnitude / unit).pow(self.p))
        zero = mean == 0
        root = mean.where(~zero, 1).pow(1 / self.p)
        return self._finished(root.where(~zero, 0) * unit, input)


class StochasticPooling(Pooling2d):
    r"""Keep one cell of each window, drawn by chance in proportion to its value.

    .. math:: P(i) = \frac{\max(x_i, 0)}{\sum_j \max(x_j, 0)}

    In training one cell is drawn for each window; in evaluation the output is the expected value
    :math:`\sum_i P(i)\, x_i`. Where no cell is above zero all are equally likely. Padding is never
    drawn.

    Args:
        kernel_size: Window, and so are the next two; a `stride` of None is the kernel size.
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
        chances = values.clamp(min=0) * inside
        chances = chances.where(chances.sum(-1, keepdim=True) > 0, inside.to(chances))
        if not self.training:
            return self._finished((chances / chances.sum(-1, keepdim=True) * values).sum(-1), input)
        # Each cell waits for a time that is exponential with its chance as the rate, and the first
        # wins: that draws in proportion, and a cell without a chance never comes first.
        waits = torch.empty(chances.shape).exponential_(generator=self.generator)
        drawn = (chances.detach() / waits.to(chances)).argmax(-1, keepdim=True)
        return self._finished(reshaped(values.gather(-1, drawn), drawn.shape[:-1]), input)


class SoftPooling(Pooling2d):
    r"""A mean of each window in which larger values weigh exponentially more.

    .. math:: y = \frac{\sum_i x_i e^{x_i}}{\sum_i e^{x_i}}

    over the cells of the window that lie on the map, each channel by itself. The largest value of
    each window is subtracted in the exponents, so that nothing overflows, and values below zero
    are kept.

    Args:
        kernel_size: Window, and so are the next two; a `stride` of None is the kernel size.
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


def _whole(batch: Tensor, window: Window, value: float) -> Tensor:
    """The map with its padding, continued to where the last window ends, and never cut."""
    rows, columns = window.axes(*batch.shape[-2:])
    across = (columns.padding, columns.end - columns.size)
    return F.pad(batch, (*across, rows.padding, rows.end - rows.size), value=value)


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
