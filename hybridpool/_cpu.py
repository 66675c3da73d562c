"""Hybrid pooling in eager mode on the CPU: the bits of the formula, in less time and memory.

PyTorch's pooling kernels are several times faster on channels-last memory, so `_pools` rearranges a
contiguous input for them, and `_HybridPool2d` keeps less for the backward pass than the composed
formula.
"""

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function, forward_ad

from hybridpool.blend import compose
from hybridpool.window import Window

# Where rearranging the input begins to pay (measured on x86 with one and with two threads).
_FEWEST_CELLS = 2**14
_FEWEST_CELLS_TO_TRAIN = 2**16
_FEWEST_TILES = 64
_FEWEST_CHANNELS = 8
_LARGEST_STEP = 16

# PyTorch is quicker to subtract from a tensor than from a number.
_ONE = torch.ones((), device="cpu")
_PLAIN_TYPES = (Tensor, torch.nn.Parameter)
_unsafe_view = torch.ops.aten._unsafe_view.default


def is_eager(input: Tensor, weight: Tensor) -> bool:
    """Whether nothing but plain autograd watches: no compiler, tracer, transform or subclass.

    Example:
        >>> is_eager(torch.ones(2), torch.ones(1))
        True
        >>> is_eager(torch.ones(2, device="meta"), torch.ones(1))
        False
    """
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


def pool(input: Tensor, weight: Tensor, window: Window) -> Tensor:
    """Blend a batch (N, C, H, W) by the formula, in whichever way is fastest.

    Args:
        input: The feature map.
        weight: The blend weight, in a shape and type that multiply a pooled map.
        window: The window.

    Raises:
        ValueError: If a blend weight lies outside [0, 1].

    Example:
        >>> window = Window((2, 2), (2, 2), (0, 0))
        >>> pool(torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]]), torch.tensor([0.5]), window)
        tensor([[[[4.7500]]]])
    """
    at_end = _check_values(weight)
    if torch.is_grad_enabled() and (input.requires_grad or weight.requires_grad):
        # Channels-last maps are trained as fast by PyTorch's own operations.
        large = input.numel() >= _FEWEST_CELLS_TO_TRAIN and not channels_vary_fastest(input)
        if at_end or large:
            output: Tensor = _HybridPool2d.apply(input, weight, window, at_end)[0]
            return output
        return compose(window.average(input), window.maximum(input), weight, _ONE)
    if input.numel() < _FEWEST_CELLS:
        return _blend(window.average(input), window.maximum(input), weight, at_end)
    average, maximum, _ = _pools(input, window, with_indices=False)
    return _blend(average, maximum, weight, at_end)


def _check_values(weight: Tensor) -> bool:
    """Refuse a blend weight outside [0, 1], and say whether any is exactly 0 or 1."""
    if weight.numel() == 1:
        low = high = weight.item()
    else:
        low, high = (0.5, 0.5) if weight.numel() == 0 else map(Tensor.item, torch.aminmax(weight))
        if low != low:  # one NaN hides all others
            return _check_values(weight.detach()[~weight.isnan()])
    if low < 0 or high > 1:
        raise ValueError(f"blend_weight must lie in [0, 1], but got {low:g} to {high:g}.")
    return low == 0 or high == 1


def _blend(average: Tensor, maximum: Tensor, weight: Tensor, at_end: bool) -> Tensor:
    """`compose`, but overwriting its arguments, and exact at the ends for infinities too."""
    if at_end:
        inside = compose(average, maximum, weight)
        return torch.where(weight == 0, average, torch.where(weight == 1, maximum, inside))
    if average.dtype != weight.dtype:
        return compose(average, maximum, weight)
    return maximum.mul_(weight).add_(average.mul_(_ONE - weight))


def channels_vary_fastest(input: Tensor) -> bool:
    """Whether the memory format of (N, C, H, W) is channels last.

    Example:
        >>> channels_vary_fastest(torch.ones(1, 2, 3, 3).to(memory_format=torch.channels_last))
        True
    """
    return input.stride(1) < input.stride(3)


def reshaped(output: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Another shape for a tensor that nobody else holds, without making a view of it.

    A view that leaves an autograd function, or that was made without gradients, can't be changed in
    place, and layers such as ``nn.ReLU(inplace=True)`` may follow.

    Example:
        >>> reshaped(torch.ones(4), (2, 2))._is_view()
        False
    """
    own: Tensor = _unsafe_view(output, shape)
    return own


def without_dim(output: Tensor, dim: int) -> Tensor:
    """`reshaped` without a dimension of size 1; a trace of it holds for every other size.

    Example:
        >>> without_dim(torch.ones(4, 1), 1).shape
        torch.Size([4])
    """
    # A trace would write the shape down as that of its example.
    if torch._C._get_tracing_state() is not None:
        return output.squeeze(dim)
    shape = list(output.shape)
    del shape[dim]
    return reshaped(output, tuple(shape))


def _pools(input: Tensor, window: Window, with_indices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The average, the maximum and its place, in whichever way is fastest for this input.

    The poolings have the memory format of ``input``; the indices may have any.
    """
    if channels_vary_fastest(input):
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
            average = reshaped(window.average(folded), shape).contiguous()
            return average, reshaped(maximum, shape).contiguous(), indices.view(shape)
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
    average = reshaped(F.avg_pool2d(tiles, kernel), shape)
    maximum, indices = F.max_pool2d_with_indices(tiles, kernel)
    indices = indices.view(shape)
    if with_indices:
        cells, corners = _tile_indices(kernel, (out_height, out_width), height, width)
        indices = cells.take(indices).add_(corners)
    return average, reshaped(maximum, shape), indices


@lru_cache(maxsize=64)
def _tile_indices(
    kernel: tuple[int, int], out_size: tuple[int, int], height: int, width: int
) -> tuple[Tensor, Tensor]:
    """The index of each cell of the first window, and the offset of every other window."""
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
        if channels_vary_fastest(input):
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
    # PyTorch reads only the shape and memory format of this tensor. With its memory freed, the
    # gradients reuse pages that were in use a moment ago instead of fresh ones.
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
    share = grad_average.div_(window.divisor(height, width).to(grad_average.dtype))
    rows = share.new_zeros(batch, channels, share.shape[2], width)
    _spread(share, rows, 3, window)
    _spread(rows, grad_input, 2, window)
    return grad_input


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
