"""The base of our pooling layers: a window, and perhaps parameters that decide a blend."""

from collections.abc import Iterator
from operator import index
from typing import NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import has_torch_function_unary

from hybridpool._cpu import channels_vary_fastest
from hybridpool.blend import initial_logit, sigmoid
from hybridpool.functional import batched, check_input, hybrid_pool2d, refuse_script, unbatched
from hybridpool.window import Size2d, Window, check_window, plain_size


class Pooling2d(nn.Module):
    """The base of the pooling layers: the window, its checks, and which parameters decide a blend.

    Derive a blending layer of your own from it, and `hybridpool.parameter_groups` keeps weight
    decay away from its parameters.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; ``None`` means ``kernel_size``.
        padding: Cells added on every side, at most half of ``kernel_size``.
        ceil_mode: Whether the last windows may reach beyond the map.
        count_include_pad: Whether padded zeros count in the average.

    Raises:
        ValueError: If the window is out of range.

    Example:
        >>> Pooling2d(3, 2, 1).window.out_size(8, 8)
        (4, 4)
    """

    def __init__(
        self,
        kernel_size: Size2d = 2,
        stride: Size2d | None = 2,
        padding: Size2d = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__()
        check_window(kernel_size, stride, padding)
        self.kernel_size = plain_size(kernel_size)
        self.stride = self.kernel_size if stride is None else plain_size(stride)
        self.padding = plain_size(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    @property
    def window(self) -> Window:
        """The window as the options stand now."""
        return check_window(
            self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def blend_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that decide the blend; weight decay would pull it towards one half.

        By default these are all parameters of the layer, also where pruning or a parametrisation
        gave them other names. A layer that has other parameters too overrides this.
        """
        return self.parameters()

    def extra_repr(self) -> str:
        """The options that are printed with the name of the layer."""
        names = ["kernel_size", "stride", "padding"]
        names += [name for name in ("ceil_mode", "count_include_pad") if getattr(self, name)]
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)

    def _blend(self, input: Tensor, blend_weight: Tensor) -> Tensor:
        """Hybrid pooling in this window."""
        return hybrid_pool2d(
            input,
            blend_weight,
            self.kernel_size,
            self.stride,
            self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
        )

    def _check(self, input: Tensor, channels: int | None = None) -> None:
        """Refuse what cannot be pooled; an object that stands in for a tensor is not checked."""
        if has_torch_function_unary(input):
            return
        check_input(input, self.window)
        if channels is not None and channels != input.shape[-3]:
            raise ValueError(
                f"{type(self).__name__} was made for {channels} channels, but got an input of "
                f"shape {tuple(input.shape)}: make it with channels={input.shape[-3]}."
            )

    def _checked(self, input: Tensor) -> Tensor:
        """The input as a batch, if it can be pooled."""
        self._check(input)
        return batched(input)

    def _finished(self, output: Tensor, input: Tensor) -> Tensor:
        """The output in the dimensions and the memory format of the input."""
        if input.dim() == 4 and channels_vary_fastest(input):
            output = output.contiguous(memory_format=torch.channels_last)
        return unbatched(output, input)

    def __prepare_scriptable__(self) -> NoReturn:
        refuse_script(type(self).__name__)


class BlendedPooling2d(Pooling2d):
    """The base of the poolings with a learned blend weight: one for the map or for each channel.

    Example:
        >>> from hybridpool import HybridPooling
        >>> isinstance(HybridPooling(), BlendedPooling2d)
        True
    """

    def _start_blend(self, channels: int | None, blend_weight: float) -> None:
        if channels is not None and channels < 1:
            raise ValueError(f"channels must be at least 1 or None, but got {channels}.")
        self.channels = None if channels is None else index(channels)
        self.initial_logit = initial_logit(blend_weight)
        self.weight = nn.Parameter(torch.empty(self.channels or 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let the blend weight start over."""
        nn.init.constant_(self.weight, self.initial_logit)

    @property
    def blend_weight(self) -> Tensor:
        """The blend weight, ``sigmoid(weight)`` in float32 at least: 1 is max, 0 is average."""
        # This changes no value. At exactly 0 and 1 it passes a gradient of 0 to the sigmoid, whose
        # slope of 0 there would turn the infinite gradient of infinite cells into NaN.
        return F.hardtanh(sigmoid(self.weight), 0.0, 1.0)

    def extra_repr(self) -> str:
        """The options that are printed with the name of the layer."""
        channels = "" if self.channels is None else f", channels={self.channels}"
        return super().extra_repr() + channels
