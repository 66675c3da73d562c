"""Poolings without aliasing: pooled at stride 1, blurred, then sampled at the stride."""

import math
from operator import index

import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.base import BlendedPooling2d, Pooling2d
from hybridpool.blend import compose
from hybridpool.functional import check_weight
from hybridpool.window import Size2d, Window


class _BlurPooling(Pooling2d):
    """A pooling at stride 1, then a blur at the stride: sampling without aliasing."""

    taps: Tensor

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        filter_size: int = 3,
        ceil_mode: bool = False,
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
        ceil_mode: Whether a partial last window counts; ``torch.jit.trace`` then keeps the size of
            its example.

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

    def _dense(self, batch: Tensor) -> Tensor:
        window = self.window
        return F.max_pool2d(_whole(batch, window, -math.inf), window.kernel, 1)


class HybridBlurPooling(_BlurPooling, BlendedPooling2d):
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
        ceil_mode: Whether a partial last window counts; ``torch.jit.trace`` then keeps the size of
            its example.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to the size that ``torch.nn.MaxPool2d`` gives.

    Raises:
        TypeError: If ``blend_weight`` is not a number.
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
        super().__init__(kernel_size, stride, padding, filter_size=filter_size, ceil_mode=ceil_mode)
        self._start_blend(channels, blend_weight)

    def reset_parameters(self) -> None:
        """Let the blend weight start over, and compute the taps of the blur again."""
        BlendedPooling2d.reset_parameters(self)
        self._fill_taps()

    def _dense(self, batch: Tensor) -> Tensor:
        window = self.window
        maximum = F.max_pool2d(_whole(batch, window, -math.inf), window.kernel, 1)
        padded = _whole(batch, window, 0.0)
        average = F.avg_pool2d(padded, window.kernel, 1)
        if padded.shape != batch.shape:
            ones = _whole(torch.ones_like(batch[:1, :1]), window, 0.0)
            average = average / F.avg_pool2d(ones, window.kernel, 1)
        return compose(average, maximum, check_weight(self.blend_weight, batch))


def _whole(batch: Tensor, window: Window, value: float) -> Tensor:
    """The map with its padding, continued to where the last window ends, and never cut."""
    rows, columns = window.axes(*batch.shape[-2:])
    across = (columns.padding, columns.end - columns.size)
    return F.pad(batch, (*across, rows.padding, rows.end - rows.size), value=value)
