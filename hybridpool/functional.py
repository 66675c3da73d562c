"""The formula of hybrid pooling as a function on tensors.

The formula itself is `_compose`; everything that compiles, exports or transforms runs it as it
stands. The rest serves eager mode on the CPU: PyTorch's pooling kernels are several times faster
on channels-last memory, so `_pools` rearranges a contiguous input for them, and `_HybridPool2d`
keeps less for the backward pass than the composed formula. The values are the same bit for bit.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function, forward_ad
from torch.overrides import handle_torch_function, has_torch_function_variadic

Size2d = int | Sequence[int]

# Where rearranging the input begins to pay (measured on x86 with one and with two threads).
_FEWEST_CELLS = 2**14
_FEWEST_CELLS_TO_TRAIN = 2**16
_FEWEST_TILES = 64
_FEWEST_CHANNELS = 8
_LARGEST_STEP = 16

# PyTorch is quicker to subtract from a tensor than from a number.
_ONE = torch.ones((), device="cpu")
_PLAIN_TYPES = (Tensor, torch.nn.Parameter)


def hybrid_pool2d(
    input: Tensor,
    blend_weight: float | Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    *,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Tensor:
    r"""Blend max and average pooling.

    With the blend weight :math:`w`, every window is pooled to

    .. math::
        w \cdot \max_i x_i + (1 - w) \cdot \tfrac{1}{n} \sum_{i=1}^{n} x_i

    so 1 is max pooling and 0 is average pooling, and both ends equal PyTorch's own layers bit for
    bit. Half-precision maps are blended in float32 and rounded once. NaN in a window stays NaN,
    and several equal maxima pass their gradient to the first of them, as in max pooling.

    Args:
        input: The feature map; real floating point.
        blend_weight: One number in [0, 1], or a tensor with one for the map, for each channel, or
            for each channel of each sample.
        kernel_size: Height and width of the window, or one number for both.
        stride: Step between windows; ``None`` means ``kernel_size``.
        padding: Cells added on every side, at most half of ``kernel_size``; they never win the
            maximum.
        ceil_mode: Whether the last windows may reach beyond the map.
        count_include_pad: Whether padded zeros count in the average. Off by default, unlike
            ``torch.nn.AvgPool2d``: otherwise a constant map darkens at the border and the average
            can exceed the maximum.

    Shape:
        - ``input``: :math:`(N, C, H, W)` or :math:`(C, H, W)`; :math:`N` may be 0
        - ``blend_weight``: :math:`()`, :math:`(1,)`, :math:`(C,)`, :math:`(N, C)` or
          :math:`(N, C, 1, 1)`
        - output: as ``torch.nn.MaxPool2d``, in the data type and memory format of ``input``

    Raises:
        TypeError: If ``input`` or ``blend_weight`` is not real floating point.
        ValueError: If a shape, a window or the blend weight is out of range. The values of a
            tensor are checked in eager mode on the CPU only, because reading them would wait for
            the GPU and cannot be compiled; NaN passes, so that a diverged weight shows.

    Infinite cells follow the formula for 0 < w < 1. At exactly 0 or 1 they pool as in PyTorch's
    layer wherever the value of the weight is known (a float, or eager mode on the CPU) and give
    NaN, 0 times infinity, where it is not.

    The mix is "mixed max-average pooling" of Lee, Gallagher and Tu, "Generalizing Pooling
    Functions in Convolutional Neural Networks: Mixed, Gated, and Tree", AISTATS 2016
    (arXiv:1509.08985).

    Example:
        >>> image = torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]])
        >>> hybrid_pool2d(image, 0.5, kernel_size=2)  # halfway between 3.5 and 6
        tensor([[[[4.7500]]]])
    """
    if has_torch_function_variadic(input, blend_weight):
        return handle_torch_function(
            hybrid_pool2d,
            (input, blend_weight),
            input,
            blend_weight,
            kernel_size,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
        )
    window = check_window(kernel_size, stride, padding, ceil_mode, count_include_pad)
    check_input(input, window)
    batch = input if input.dim() == 4 else input.unsqueeze(0)
    if isinstance(blend_weight, Tensor):
        weight = _check_weight(blend_weight, batch)
        pooled = _pool(batch, weight, window)
    elif not 0 <= blend_weight <= 1:
        raise ValueError(f"blend_weight must lie in [0, 1], but got {blend_weight}.")
    elif blend_weight in (0, 1):
        pooled = window.maximum(batch) if blend_weight else window.average(batch)
    else:
        dtype = _compute_type(input)
        weight = torch.full((1,), blend_weight, dtype=dtype, device=input.device)
        pooled = _pool(batch, weight, window)
    return pooled if batch is input else pooled.squeeze(0)


class Window(NamedTuple):
    """Where the windows of a pooling lie; `check_window` makes one."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    ceil_mode: bool
    count_include_pad: bool

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width of the pooled map."""
        sizes = []
        for axis, n in enumerate((height, width)):
            s, p = self.stride[axis], self.padding[axis]
            size = (n + 2 * p - self.kernel[axis] + (s - 1 if self.ceil_mode else 0)) // s + 1
            # A window that would start in the padding behind the map is left out.
            sizes.append(size - 1 if self.ceil_mode and (size - 1) * s >= n + p else size)
        return sizes[0], sizes[1]

    def average(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(input, *self)

    def maximum(self, input: Tensor) -> Tensor:
        return F.max_pool2d(input, self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode)

    def maximum_with_indices(self, input: Tensor) -> tuple[Tensor, Tensor]:
        return F.max_pool2d_with_indices(
            input, self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode
        )

    def tiles(self, height: int, width: int) -> bool:
        """Whether the windows lie side by side and none reaches beyond the map."""
        out_height, out_width = self.out_size(height, width)
        return (
            self.kernel == self.stride
            and self.padding == (0, 0)
            and out_height * self.kernel[0] <= height
            and out_width * self.kernel[1] <= width
        )


def check_window(
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Window:
    """Read the options of a pooling and refuse in one sentence what cannot be.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> check_window(3, stride=2, padding=1).out_size(8, 6)
        (4, 3)
    """
    kernel = _pair("kernel_size", kernel_size, least=1)
    padding = _pair("padding", padding, least=0)
    if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
        raise ValueError(
            f"padding must be at most half of kernel_size {kernel}, but got {padding}."
        )
    step = kernel if stride is None else _pair("stride", stride, least=1)
    return Window(kernel, step, padding, ceil_mode, count_include_pad)


def _pair(name: str, value: Size2d, least: int) -> tuple[int, int]:
    if isinstance(value, int) and value >= least:
        return value, value
    if (
        not isinstance(value, Sequence)
        or len(value) != 2
        or not all(isinstance(number, int) and number >= least for number in value)
    ):
        raise ValueError(
            f"{name} must be one integer or two, each at least {least}, but got {value!r}."
        )
    return value[0], value[1]


def check_input(input: Tensor, window: Window) -> None:
    """Refuse in one sentence what cannot be pooled.

    Raises:
        TypeError: If ``input`` is not real floating point.
        ValueError: If its shape is wrong or no window fits into it.

    Example:
        >>> check_input(torch.zeros(1, 3, 3), check_window(4))
        Traceback (most recent call last):
        ValueError: kernel_size (4, 4) does not fit into an input of 3 by 3 cells with padding
        (0, 0): use a smaller kernel or a larger input.
    """
    if not input.is_floating_point():
        raise TypeError(
            "Hybrid pooling needs a floating-point input, "
            f"but got {input.dtype}: convert it first, for example with input.float()."
        )
    if input.dim() not in (3, 4):
        raise ValueError(
            "Hybrid pooling needs an input of shape (N, C, H, W) or (C, H, W), "
            f"but got {tuple(input.shape)}."
        )
    height, width = input.shape[-2:]
    if min(window.out_size(height, width)) < 1:
        raise ValueError(
            f"kernel_size {window.kernel} does not fit into an input of {height} by {width} cells "
            f"with padding {window.padding}: use a smaller kernel or a larger input."
        )


def _compute_type(input: Tensor) -> torch.dtype:
    return torch.float32 if input.dtype.itemsize < 4 else input.dtype


def _check_weight(blend_weight: Tensor, input: Tensor) -> Tensor:
    """Return ``blend_weight`` in a shape and type that multiply a pooled map."""
    if not blend_weight.is_floating_point():
        raise TypeError(
            f"blend_weight must be a floating-point tensor, but got {blend_weight.dtype}."
        )
    dtype, shape = _compute_type(input), blend_weight.shape
    batch, channels = input.shape[:2]
    # The lengths are compared first: comparing sizes of different axes would tie an exported
    # program to the sizes of its example.
    if len(shape) == 0 or (len(shape) == 1 and shape[0] == 1):
        # Only a tensor that is not 0-dimensional lifts half-precision maps to its own type.
        weight = blend_weight if dtype == input.dtype else blend_weight.reshape(1)
    elif len(shape) == 1 and shape[0] == channels:
        weight = blend_weight.reshape(channels, 1, 1)
    elif len(shape) in (2, 4) and shape[:2] == (batch, channels) and all(n == 1 for n in shape[2:]):
        weight = blend_weight.reshape(batch, channels, 1, 1)
    else:
        raise ValueError(
            f"blend_weight must have the shape (), (1,), ({channels},) or ({batch}, {channels}) "
            f"for this input, but got {tuple(shape)}."
        )
    return weight if weight.dtype == dtype else weight.to(dtype)


def _pool(input: Tensor, weight: Tensor, window: Window) -> Tensor:
    if not _is_eager_on_cpu(input, weight):
        return _compose(window.average(input), window.maximum(input), weight)
    if weight.numel() == 1:
        low = high = weight.item()
    else:
        low, high = (0.5, 0.5) if weight.numel() == 0 else map(Tensor.item, torch.aminmax(weight))
    if low < 0 or high > 1:
        raise ValueError(f"blend_weight must lie in [0, 1], but got {low:g} to {high:g}.")
    at_end = low == 0 or high == 1
    if torch.is_grad_enabled() and (input.requires_grad or weight.requires_grad):
        # Channels-last maps are trained as fast by PyTorch's own operations.
        large = input.numel() >= _FEWEST_CELLS_TO_TRAIN and not _channels_vary_fastest(input)
        if at_end or large:
            output: Tensor = _HybridPool2d.apply(input, weight, window, at_end)[0]
            return output
        return _compose(window.average(input), window.maximum(input), weight, _ONE)
    if input.numel() < _FEWEST_CELLS:
        return _blend(window.average(input), window.maximum(input), weight, at_end)
    average, maximum, _ = _pools(input, window, with_indices=False)
    return _blend(average, maximum, weight, at_end)


def _compose(average: Tensor, maximum: Tensor, weight: Tensor, one: float | Tensor = 1) -> Tensor:
    blended = weight * maximum + (one - weight) * average
    return blended if blended.dtype == average.dtype else blended.to(average.dtype)


def _is_eager_on_cpu(input: Tensor, weight: Tensor) -> bool:
    """Whether nothing but plain autograd watches: no compiler, tracer, transform or subclass."""
    return (
        not torch.compiler.is_compiling()
        and input.is_cpu
        and weight.is_cpu
        and type(input) in _PLAIN_TYPES
        and type(weight) in _PLAIN_TYPES
        and input.layout is torch.strided
        and forward_ad._current_level < 0
        and torch._C._get_tracing_state() is None
        and not torch._C._are_functorch_transforms_active()
        and not torch._C._len_torch_dispatch_stack()
    )


def _blend(average: Tensor, maximum: Tensor, weight: Tensor, at_end: bool) -> Tensor:
    """`_compose`, but overwriting its arguments, and exact at the ends for infinities too."""
    if at_end:
        inside = _compose(average, maximum, weight)
        return torch.where(weight == 0, average, torch.where(weight == 1, maximum, inside))
    if average.dtype != weight.dtype:
        return _compose(average, maximum, weight)
    return maximum.mul_(weight).add_(average.mul_(_ONE - weight))


def _channels_vary_fastest(input: Tensor) -> bool:
    return input.stride(1) < input.stride(3)


def _pools(input: Tensor, window: Window, with_indices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Average, maximum and where it lies, by whichever way is fastest for this input.

    The poolings have the memory format of ``input``; the indices have any.
    """
    if _channels_vary_fastest(input):
        input = input.contiguous(memory_format=torch.channels_last)
    elif input.numel() >= _FEWEST_CELLS:
        batch, channels, height, width = input.shape
        out_size = window.out_size(height, width)
        if window.tiles(height, width) and out_size[0] * out_size[1] >= _FEWEST_TILES:
            return _tile_pools(input, window, with_indices)
        step = window.stride[0] * window.stride[1]
        if step <= _LARGEST_STEP and batch * channels >= _FEWEST_CHANNELS:
            folded = input if channels >= _FEWEST_CHANNELS else input.flatten(0, 1).unsqueeze(0)
            folded = folded.contiguous(memory_format=torch.channels_last)
            shape = (batch, channels, *out_size)
            maximum, indices = window.maximum_with_indices(folded)
            average = window.average(folded).view(shape).contiguous()
            return average, maximum.view(shape).contiguous(), indices.view(shape)
    return window.average(input), *window.maximum_with_indices(input)


def _tile_pools(input: Tensor, window: Window, with_indices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Pool tiles with the windows of a map laid out as if they were channels."""
    batch, channels, height, width = input.shape
    (kernel_height, kernel_width) = kernel = window.kernel
    out_height, out_width = window.out_size(height, width)
    shape = (batch, channels, out_height, out_width)
    tiles = (
        input[..., : out_height * kernel_height, : out_width * kernel_width]
        .reshape(batch, channels, out_height, kernel_height, out_width, kernel_width)
        .permute(0, 1, 3, 5, 2, 4)
        .reshape(batch * channels, kernel_height, kernel_width, out_height * out_width)
        .permute(0, 3, 1, 2)
    )
    average = F.avg_pool2d(tiles, kernel).view(shape)
    maximum, indices = F.max_pool2d_with_indices(tiles, kernel)
    indices = indices.view(shape)
    if with_indices:
        cells, corners = _tile_indices(kernel, (out_height, out_width), height, width)
        indices = cells.take(indices).add_(corners)
    return average, maximum.view(shape), indices


@lru_cache(maxsize=64)
def _tile_indices(
    kernel: tuple[int, int], out_size: tuple[int, int], height: int, width: int
) -> tuple[Tensor, Tensor]:
    """The index in the map of each cell of the first window, and how far the others lie off."""
    dtype = _index_type(height, width)
    row, column = (torch.arange(k, dtype=dtype, device="cpu") for k in kernel)
    top, left = (torch.arange(n, dtype=dtype, device="cpu") for n in out_size)
    return row[:, None] * width + column, top[:, None] * kernel[0] * width + left * kernel[1]


def _index_type(height: int, width: int) -> torch.dtype:
    return torch.int32 if height * width <= torch.iinfo(torch.int32).max else torch.int64


class _HybridPool2d(Function):
    """Hybrid pooling that keeps where the maximum lay and by how much it exceeds the average.

    The second output is that difference: as an output it stays connected to the input, so second
    derivatives need not keep the input.
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor, window: Window, at_end: bool
    ) -> tuple[Tensor, Tensor | None]:
        input_needs_grad, weight_needs_grad = ctx.needs_input_grad[:2]
        average, maximum, indices = _pools(input, window, with_indices=input_needs_grad)
        difference = maximum - average if weight_needs_grad else None
        ctx.window, ctx.size = window, input.shape
        ctx.format = torch.contiguous_format
        if _channels_vary_fastest(input):
            ctx.format = torch.channels_last
        indices = indices.to(_index_type(*input.shape[2:]), memory_format=ctx.format)
        ctx.save_for_backward(indices if input_needs_grad else None, weight, difference)
        ctx.set_materialize_grads(False)
        return _blend(average, maximum, weight, at_end), difference

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, grad_difference: Tensor | None) -> Any:
        indices, weight, difference = ctx.saved_tensors
        grad_input = grad_weight = grad_maximum = grad_average = None
        if grad is not None:
            grad_maximum = (grad * weight).to(grad.dtype)
            grad_average = (grad * (_ONE - weight)).to(grad.dtype)
            if difference is not None:
                grad_weight = (grad.to(weight.dtype) * difference).sum_to_size(weight.shape)
        if grad_difference is not None:
            grad_maximum = _add(grad_maximum, grad_difference)
            grad_average = _add(grad_average, -grad_difference)
        if indices is not None and grad_maximum is not None and grad_average is not None:
            grad_input = _unpool(ctx, grad_maximum, grad_average, indices.long())
        return grad_input, grad_weight, None, None


def _add(first: Tensor | None, second: Tensor) -> Tensor:
    return second if first is None else first + second


def _unpool(ctx: Any, grad_maximum: Tensor, grad_average: Tensor, indices: Tensor) -> Tensor:
    """The gradient of the input, from those of its maximum and its average."""
    window, (batch, channels, height, width) = ctx.window, ctx.size
    kernel, stride, padding, ceil_mode, count_include_pad = window
    # PyTorch looks at nothing of this tensor but its shape and memory format. Without its memory,
    # the gradients get the pages that were in use a moment ago instead of fresh ones.
    dtype = grad_average.dtype
    like = torch.empty(ctx.size, dtype=dtype, device="cpu", memory_format=ctx.format)
    like.untyped_storage().resize_(0)
    grad_input: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        grad_maximum, like, kernel, stride, padding, (1, 1), ceil_mode, indices
    )
    # Second derivatives and batched gradients need operations that can be differentiated again.
    transformed = (
        torch.is_grad_enabled()
        or torch._C._are_functorch_transforms_active()
        or torch._C._functorch.is_legacy_batchedtensor(grad_average)
    )
    if transformed or ctx.format == torch.channels_last:
        average_part: Tensor = torch.ops.aten.avg_pool2d_backward(
            grad_average, like, kernel, stride, padding, ceil_mode, count_include_pad, None
        )
        return grad_input + average_part if transformed else grad_input.add_(average_part)
    share = grad_average.div_(_divisor(window, height, width).to(grad_average.dtype))
    rows = share.new_zeros(batch, channels, share.shape[2], width)
    _spread(share, rows, 3, window)
    _spread(rows, grad_input, 2, window)
    return grad_input


@lru_cache(maxsize=64)
def _divisor(window: Window, height: int, width: int) -> Tensor:
    """How many cells each average is taken over, of shape (H_out, W_out)."""
    counts = []
    for axis, size in enumerate(window.out_size(height, width)):
        padding, end = window.padding[axis], (height, width)[axis]
        start = torch.arange(size, device="cpu") * window.stride[axis] - padding
        stop = (start + window.kernel[axis]).clamp(max=end + padding)
        if not window.count_include_pad:
            start, stop = start.clamp(min=0), stop.clamp(max=end)
        counts.append(stop - start)
    return counts[0][:, None] * counts[1]


def _spread(source: Tensor, target: Tensor, dim: int, window: Window) -> None:
    """Add each entry of ``source`` to the cells of ``target`` that its window covers."""
    stride, padding = window.stride[dim - 2], window.padding[dim - 2]
    for cell in range(window.kernel[dim - 2]):
        first = max(0, -((cell - padding) // stride))
        last = min(source.shape[dim] - 1, (target.shape[dim] - 1 + padding - cell) // stride)
        if first <= last:
            start, stop = (index * stride + cell - padding for index in (first, last))
            covered = (slice(None),) * dim + (slice(start, stop + 1, stride),)
            target[covered].add_(source.narrow(dim, first, last - first + 1))
