"""Hybrid pooling as layers, and the table of poolings that are compared."""

from collections.abc import Callable
from operator import index
from typing import Any

from torch import Tensor, nn

from hybridpool.base import BlendedPooling2d, Pooling2d
from hybridpool.blend import sigmoid
from hybridpool.window import Size2d


class HybridPooling(BlendedPooling2d):
    r"""Blend max and average pooling with a learned blend weight.

    .. math::
        w \cdot \max_i x_i + (1 - w) \cdot \tfrac{1}{n} \sum_{i=1}^{n} x_i,
        \qquad w = \operatorname{sigmoid}(\text{weight})

    The layer learns the logit ``weight``; ``blend_weight`` shows the mix. Keep the logit from
    weight decay with `hybridpool.parameter_groups`: decay pulls every mix towards one half.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; ``None`` means ``kernel_size``.
        padding: Cells added on every side, at most half of ``kernel_size``.
        channels: Learn one blend weight for each of so many channels, instead of one for all.
        blend_weight: Where the blend weight starts: 1 is max pooling, 0 is average pooling. At
            exactly 0 or 1 the layer equals PyTorch's own bit for bit and does not learn, because
            the sigmoid is flat there: start a layer that is to learn between them.
        ceil_mode: Whether the last windows may reach beyond the map.
        count_include_pad: Whether padded zeros count in the average; see `hybrid_pool2d`.

    Shape:
        - input: :math:`(N, C, H, W)` or :math:`(C, H, W)`
        - output: as ``torch.nn.MaxPool2d``
        - ``weight``: :math:`(1,)`, or :math:`(\text{channels},)`

    Raises:
        TypeError: If ``blend_weight`` is not a number.
        ValueError: If the window or ``blend_weight`` is out of range.

    The unresponsive mix of Lee, Gallagher and Tu (AISTATS 2016, arXiv:1509.08985), with a sigmoid
    in front so that the blend weight cannot leave [0, 1].

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]])
        >>> pooling = HybridPooling(kernel_size=2)
        >>> pooling.blend_weight
        tensor([0.5000], grad_fn=<HardtanhBackward0>)
        >>> pooling(image).detach()  # halfway between the average 3.5 and the maximum 6
        tensor([[[[4.7500]]]])
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        channels: int | None = None,
        blend_weight: float = 0.5,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self._start_blend(channels, blend_weight)

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        return self._blend(input, self.blend_weight)


class _Sigmoid(nn.Sigmoid):
    """`blend.sigmoid` as a module."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)

    def _get_name(self) -> str:
        return "Sigmoid"


class HybridPoolingWithAttention(Pooling2d):
    r"""Blend max and average pooling, each channel by a weight computed from the input.

    .. math::
        w = \operatorname{sigmoid}(W_2 \operatorname{ReLU}(W_1 m + b_1) + b_2)

    where :math:`m` holds the mean of each channel: the bottleneck of a squeeze-and-excitation
    block, here to mix rather than to scale. It adds
    :math:`2 C h + C + h` parameters with :math:`h = \max(1, \lfloor C / \text{reduction} \rfloor)`.

    Args:
        channels: The number of channels of the input.
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; ``None`` means ``kernel_size``.
        padding: Cells added on every side, at most half of ``kernel_size``.
        reduction: How many times narrower the hidden layer is than the input. It has at least one
            unit, so that a few channels are enough.
        ceil_mode: Whether the last windows may reach beyond the map.
        count_include_pad: Whether padded zeros count in the average; see `hybrid_pool2d`.

    Shape:
        - input: :math:`(N, C, H, W)` or :math:`(C, H, W)`
        - output: as ``torch.nn.MaxPool2d``

    Raises:
        ValueError: If the window, ``channels`` or ``reduction`` is out of range, or an input has
            another number of channels.

    The bottleneck follows Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018
    (arXiv:1709.01507).

    Example:
        >>> import torch
        >>> pooling = HybridPoolingWithAttention(channels=8)
        >>> sum(parameter.numel() for parameter in pooling.parameters())  # 2 * 8 * 2 + 8 + 2
        42
        >>> image = torch.ones(1, 8, 4, 4)
        >>> pooling.attention(image).shape
        torch.Size([1, 8])
        >>> pooling(image).detach().sum()  # 8 channels of 2 x 2 ones, whatever the blend weight
        tensor(32.)
    """

    def __init__(
        self,
        channels: int,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        *,
        reduction: int = 4,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        if channels < 1 or reduction < 1:
            raise ValueError(
                "channels and reduction must be at least 1, "
                f"but got channels={channels} and reduction={reduction}."
            )
        channels, hidden = index(channels), index(max(1, channels // reduction))
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), _Sigmoid()
        )

    def reset_parameters(self) -> None:
        """Draw the parameters again, as when the layer was made."""
        for module in self.fc:
            if isinstance(module, nn.Linear):
                module.reset_parameters()

    def attention(self, input: Tensor) -> Tensor:
        """The blend weight of each channel for this input, of shape (N, C) or (C,)."""
        # Checked before the mean, whose own error for a wrong input is harder to understand.
        first: Any = self.fc[0]
        self._check(input, first.in_features)
        weight: Tensor = self.fc(input.mean(dim=(-2, -1)))
        return weight

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        return self._blend(input, self.attention(input))


def _max(
    *, channels: int | None = None, count_include_pad: bool = False, **window: Any
) -> nn.Module:
    return nn.MaxPool2d(**window)


def _average(
    *, channels: int | None = None, count_include_pad: bool = False, **window: Any
) -> nn.Module:
    return nn.AvgPool2d(**window, count_include_pad=count_include_pad)


def _hybrid(*, channels: int | None = None, **window: Any) -> nn.Module:
    return HybridPooling(**window)


PoolingFactory = Callable[..., nn.Module]

POOLINGS: dict[str, PoolingFactory] = {
    "max": _max,
    "average": _average,
    "hybrid": _hybrid,
    "attention": HybridPoolingWithAttention,
}
"""Every pooling that is compared, by name.

Each value is called with keywords only, ``(channels=..., kernel_size=..., stride=..., padding=...,
ceil_mode=..., count_include_pad=...)``, and returns a module that maps (N, C, H, W) or (C, H, W) to
the pooled map. ``"hybrid"`` is the article's layer with one blend weight for all channels and takes
``blend_weight=`` too; `HybridPooling` itself, called the same way, learns one for each channel.
"""

Pooling = str | PoolingFactory


def pooling_factory(pooling: Pooling) -> PoolingFactory:
    """The factory of a name in `POOLINGS`; a factory is its own.

    Raises:
        ValueError: If the name is not known.

    Example:
        >>> pooling_factory("max")(channels=8, kernel_size=2)
        MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """
    if not isinstance(pooling, str):
        return pooling
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, but got {pooling!r}.")
    return POOLINGS[pooling]
