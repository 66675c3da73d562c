"""Hybrid pooling as layers, and the table of poolings that are compared."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from hybridpool.functional import Size2d, hybrid_pool2d

# sigmoid(1000) is 1 and sigmoid(-1000) is 0 exactly in every floating-point type.
_LOGIT_AT_THE_ENDS = 1000.0


def _logit(blend_weight: float) -> float:
    if not 0 <= blend_weight <= 1:
        raise ValueError(f"blend_weight must lie in [0, 1], but got {blend_weight}.")
    if blend_weight in (0, 1):
        return math.copysign(_LOGIT_AT_THE_ENDS, blend_weight - 0.5)
    return math.log(blend_weight / (1 - blend_weight))


class HybridPooling(nn.Module):
    """Blend max and average pooling with a learned blend weight.

    Example:
        >>> image = torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]])
        >>> HybridPooling(kernel_size=2)(image)
        tensor([[[[4.7500]]]], grad_fn=...)
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
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        shape = (1,) if channels is None else (channels,)
        self.weight = nn.Parameter(torch.full(shape, _logit(blend_weight)))

    @property
    def blend_weight(self) -> Tensor:
        """The blend weight, ``sigmoid(weight)``: 1 is max pooling, 0 is average pooling."""
        return self.weight.sigmoid()

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        return hybrid_pool2d(
            input,
            self.blend_weight,
            self.kernel_size,
            self.stride,
            self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
        )


class HybridPoolingWithAttention(nn.Module):
    """Hybrid pooling whose blend weights are computed from the input, one for each channel."""

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
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        hidden = max(1, channels // reduction)
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def attention(self, input: Tensor) -> Tensor:
        """The blend weight of each channel for this input, of shape (N, C) or (C,)."""
        weight: Tensor = self.fc(input.mean(dim=(-2, -1)))
        return weight

    def forward(self, input: Tensor) -> Tensor:
        """Pool ``input`` of shape (N, C, H, W) or (C, H, W)."""
        return hybrid_pool2d(
            input,
            self.attention(input),
            self.kernel_size,
            self.stride,
            self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
        )


def _max(*, channels: int, count_include_pad: bool = False, **window: object) -> nn.Module:
    return nn.MaxPool2d(**window)  # type: ignore[arg-type]


def _average(*, channels: int, **window: object) -> nn.Module:
    return nn.AvgPool2d(**{"count_include_pad": False, **window})  # type: ignore[arg-type]


def _hybrid(*, channels: int, **window: object) -> nn.Module:
    return HybridPooling(**window)  # type: ignore[arg-type]


POOLINGS: dict[str, Callable[..., nn.Module]] = {
    "max": _max,
    "average": _average,
    "hybrid": _hybrid,
    "attention": HybridPoolingWithAttention,
}
