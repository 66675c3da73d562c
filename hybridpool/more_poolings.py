"""Further poolings to hold beside the ones in `POOLINGS`: blurred, gated, Lp, stochastic and soft.

They keep the conventions of :class:`torch.nn.MaxPool2d`: window, stride, padding and ceil mode
give the same output size as there, and every map (C, H, W) is pooled channel by channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.functional import Size2d, Window, check_window
from hybridpool.layers import initial_logit


class _Pooling(nn.Module):
    """The window that all of them share."""

    def __init__(
        self, kernel_size: Size2d, stride: Size2d | None, padding: Size2d, ceil_mode: bool
    ) -> None:
        super().__init__()
        self.window = check_window(kernel_size, stride, padding, ceil_mode, False)

    def extra_repr(self) -> str:
        """The window, as it is printed with the layer."""
        window = self.window
        return (
            f"kernel_size={window.kernel}, stride={window.stride}, padding={window.padding}, "
            f"ceil_mode={window.ceil_mode}"
        )


class _BlurPooling(_Pooling):
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
        if filter_size < 1 or filter_size % 2 == 0:
            raise ValueError(f"filter_size must be odd, but got {filter_size}: use 3 or 5.")
        row = [math.comb(filter_size - 1, k) / 2 ** (filter_size - 1) for k in range(filter_size)]
        taps = torch.tensor(row)
        self.register_buffer("taps", taps[:, None] * taps, persistent=False)

    def _dense(self, batch: Tensor) -> Tensor:
        """The pooled map at stride 1, with every window that the blur reads."""
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        dense = self._dense(_batch(input))
        half = self.taps.shape[0] // 2
        edged = F.pad(dense, (half,) * 4, mode="replicate")
        channels = edged.shape[1]
        filters = self.taps.to(edged).expand(channels, 1, -1, -1)
        return _like(input, F.conv2d(edged, filters, stride=self.window.stride, groups=channels))


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
        padded = _padded(batch, self.window, -math.inf, whole=True)
        return F.max_pool2d(padded, self.window.kernel, 1)


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
        self.initial_logit = initial_logit(blend_weight)
        self.weight = nn.Parameter(torch.empty(1 if channels is None else channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let the blend weight start over."""
        nn.init.constant_(self.weight, self.initial_logit)

    @property
    def blend_weight(self) -> Tensor:
        """The blend weight, ``sigmoid(weight)``: 1 is max pooling, 0 is average pooling."""
        return self.weight.sigmoid()

    def _dense(self, batch: Tensor) -> Tensor:
        kernel = self.window.kernel
        maximum = F.max_pool2d(_padded(batch, self.window, -math.inf, whole=True), kernel, 1)
        padded = _padded(batch, self.window, 0.0, whole=True)
        average = F.avg_pool2d(padded, kernel, 1)
        if padded.shape != batch.shape:
            ones = _padded(torch.ones_like(batch[:1, :1]), self.window, 0.0, whole=True)
            average = average / F.avg_pool2d(ones, kernel, 1)
        weight = self.blend_weight.to(batch).view(-1, 1, 1)
        return average + weight * (maximum - average)


class GatedPooling(_Pooling):
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
        padded = _padded(_batch(input), self.window, 0.0)
        channels = padded.shape[1]
        mask = self.weight.to(padded).expand(channels, 1, -1, -1)
        scores = F.conv2d(padded, mask, stride=self.window.stride, groups=channels)
        return _like(input, scores.sigmoid())

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        batch, gate = _batch(input), self.gate(input)
        average, maximum = self.window.average(batch), self.window.maximum(batch)
        return _like(input, average + gate.view_as(average) * (maximum - average))


class LpPooling(_Pooling):
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
        super().__init__(kernel_size, stride, padding, ceil_mode)
        if not 1 <= p < math.inf:
            raise ValueError(f"p must be a number from 1, but got {p}: use 2, for example.")
        self.p = p
        self.window = self.window._replace(count_include_pad=count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        magnitude = _batch(input).abs()
        # In units of the largest value of the picture, so that no power overflows.
        unit = magnitude.detach().amax((1, 2, 3), keepdim=True)
        unit = unit.where((unit > 0) & unit.isfinite(), 1)
        mean = F.avg_pool2d((magnitude / unit).pow(self.p), *self.window)
        zero = mean == 0
        root = mean.where(~zero, 1).pow(1 / self.p)
        return _like(input, root.where(~zero, 0) * unit)


class StochasticPooling(_Pooling):
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
        values, inside = _windows(_batch(input), self.window)
        chances = values.detach().clamp(min=0) * inside
        chances = chances.where(chances.sum(-1, keepdim=True) > 0, inside.to(chances))
        if not self.training:
            return _like(input, (chances / chances.sum(-1, keepdim=True) * values).sum(-1))
        # The first of waiting times with these rates: a cell without a chance never comes first.
        waits = torch.empty(chances.shape).exponential_(generator=self.generator)
        drawn = (chances / waits.to(chances)).argmax(-1, keepdim=True)
        return _like(input, values.gather(-1, drawn).squeeze(-1))


class SoftPooling(_Pooling):
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
        values, inside = _windows(_batch(input), self.window)
        shares = values.where(inside, -math.inf).softmax(-1)
        return _like(input, (shares * values).sum(-1))


def _batch(input: Tensor) -> Tensor:
    if not input.is_floating_point() or input.dim() not in (3, 4):
        raise ValueError(
            "Pooling needs a floating-point input of shape (N, C, H, W) or (C, H, W), but got "
            f"{input.dtype} of shape {tuple(input.shape)}: convert or reshape it first."
        )
    return input if input.dim() == 4 else input[None]


def _like(input: Tensor, output: Tensor) -> Tensor:
    return output if input.dim() == 4 else output[0]


def _padded(batch: Tensor, window: Window, value: float, *, whole: bool = False) -> Tensor:
    """The map with its padding, cut or continued to where the last window ends.

    The `whole` map keeps the cells behind the last window too.
    """
    ends = []
    for axis, (size, count) in enumerate(
        zip(batch.shape[-2:], window.out_size(*batch.shape[-2:]), strict=True)
    ):
        if count < 1:
            raise ValueError(
                f"kernel_size {window.kernel} does not fit into a map of "
                f"{tuple(batch.shape[-2:])} cells with padding {window.padding}: use a smaller one."
            )
        end = (count - 1) * window.stride[axis] + window.kernel[axis]
        beyond = end - size - window.padding[axis]
        ends.append(max(beyond, window.padding[axis]) if whole else beyond)
    top, left = window.padding
    return F.pad(batch, (left, ends[1], top, ends[0]), value=value)


def _windows(batch: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """The cells of each window (N, C, h, w, cells), and which of them lie on the map."""

    def cut(padded: Tensor) -> Tensor:
        for axis in (0, 1):
            padded = padded.unfold(2 + axis, window.kernel[axis], window.stride[axis])
        return padded.flatten(-2)

    inside = torch.ones(batch.shape[-2:], dtype=torch.bool, device=batch.device)
    return cut(_padded(batch, window, 0)), cut(_padded(inside[None, None], window, 0))


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
