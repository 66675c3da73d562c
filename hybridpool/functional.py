"""The formula of hybrid pooling as a function on tensors.

Compiling, exporting and transforming run the formula as it stands, `blend.compose`. Eager mode on
the CPU computes the same bits faster, in `_cpu`.
"""

from functools import partial
from typing import NoReturn

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_variadic

from hybridpool import _cpu
from hybridpool.blend import check_number, compose, compute_type
from hybridpool.window import Size2d, Window, check_window

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


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
    bit. Of half-precision maps, the maximum and the average, which PyTorch rounds to their type,
    are blended in float32. NaN in a window stays NaN, and several equal maxima pass their gradient
    to the first of them, as in max pooling.

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
        TypeError: If ``input`` or ``blend_weight`` is neither of float16, bfloat16, float32 nor
            float64, ``input`` is no tensor, or ``blend_weight`` neither a number nor a tensor.
        ValueError: If a shape, a window or the blend weight is out of range, or ``input`` has no
            channels or no cells. The values of a tensor are checked in eager mode on the CPU only,
            because reading them would wait for the GPU and cannot be compiled; NaN passes, so that
            a diverged weight shows.

    Infinite cells follow the formula for 0 < w < 1. At exactly 0 or 1 they pool as in PyTorch's
    layer wherever the value of the weight is known (a float, or eager mode on the CPU) and give
    NaN, 0 times infinity, where it is not. The gradient of the weight is infinite beside them; the
    learned logit of a layer at exactly 0 or 1 has a gradient of 0 all the same.

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
    batch = batched(input)
    if isinstance(blend_weight, Tensor):
        weight = check_weight(blend_weight, batch)
        return unbatched(_pool(batch, weight, window), input)
    check_number(blend_weight, "a number or a tensor")
    if blend_weight in (0, 1):
        pooled = window.maximum(batch) if blend_weight else window.average(batch)
    else:
        dtype = compute_type(input.dtype)
        weight = torch.full((1,), blend_weight, dtype=dtype, device=input.device)
        pooled = _pool(batch, weight, window)
    return unbatched(pooled, input)


def check_input(input: Tensor, window: Window) -> None:
    """Refuse an input that cannot be pooled, in one sentence.

    Raises:
        TypeError: If ``input`` is no tensor of float16, bfloat16, float32 or float64.
        ValueError: If its shape is wrong, it holds nothing, or no window fits into it.

    Example:
        >>> check_input(torch.zeros(1, 3, 3), check_window(4))
        Traceback (most recent call last):
        hybridpool.window.ImpossibleWindowError: kernel_size (4, 4) does not fit into an input of
        3 by 3 cells with padding (0, 0): use a smaller kernel or a larger input.
    """
    if not isinstance(input, Tensor):
        raise TypeError(
            f"Pooling needs a tensor, but got {type(input).__name__}: convert it first, "
            "for example with torch.as_tensor(input)."
        )
    if input.dtype not in _FLOATS:
        method = "dequantize" if input.is_quantized else "float"
        raise TypeError(
            "Pooling needs a floating-point input of 16 bits or more, "
            f"but got {input.dtype}: convert it first, for example with input.{method}()."
        )
    if input.dim() not in (3, 4):
        raise ValueError(
            "Pooling needs an input of shape (N, C, H, W) or (C, H, W), "
            f"but got {tuple(input.shape)}."
        )
    window.check_fits(*input.shape[-2:])
    if 0 in input.shape[-3:]:  # padding alone may hold a window
        raise ValueError(
            f"Pooling needs an input with channels and cells, but got {tuple(input.shape)}."
        )


def batched(input: Tensor) -> Tensor:
    """Turn a map (C, H, W) into a batch of one; leave a batch as it is.

    Example:
        >>> batched(torch.ones(2, 3, 3)).shape
        torch.Size([1, 2, 3, 3])
    """
    return input if input.dim() == 4 else input.unsqueeze(0)


def unbatched(output: Tensor, input: Tensor) -> Tensor:
    """Undo `batched`: the output in as many dimensions as the input.

    Example:
        >>> unbatched(torch.ones(1, 2, 1, 1), torch.ones(2, 3, 3)).shape
        torch.Size([2, 1, 1])
    """
    return output if input.dim() == 4 else _cpu.without_dim(output, 0)


def refuse_script(name: str) -> NoReturn:
    """Name the alternatives to ``torch.jit.script``, which PyTorch has given up.

    Raises:
        NotImplementedError: Always.

    Example:
        >>> refuse_script("This")
        Traceback (most recent call last):
        NotImplementedError: This cannot be compiled by torch.jit.script: use torch.export.export or
        torch.jit.trace instead.
    """
    raise NotImplementedError(
        f"{name} cannot be compiled by torch.jit.script: "
        "use torch.export.export or torch.jit.trace instead."
    )


# torch.jit.script looks for this name on its argument.
vars(hybrid_pool2d)["__prepare_scriptable__"] = partial(refuse_script, "hybrid_pool2d")


def check_weight(blend_weight: Tensor, input: Tensor) -> Tensor:
    """Return ``blend_weight`` in a shape and type that multiply a pooled map.

    Args:
        blend_weight: The blend weight, in one of the shapes that `hybrid_pool2d` takes.
        input: The map to pool, (N, C, H, W).

    Raises:
        TypeError: If the blend weight is not floating point of 16 bits or more.
        ValueError: If its shape is another one.

    Example:
        >>> check_weight(torch.ones(3), torch.ones(1, 3, 8, 8)).shape
        torch.Size([3, 1, 1])
    """
    if blend_weight.dtype not in _FLOATS:
        raise TypeError(
            "blend_weight must be a floating-point tensor of 16 bits or more, "
            f"but got {blend_weight.dtype}."
        )
    dtype, shape = compute_type(input.dtype), blend_weight.shape
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
    if _cpu.is_eager(input, weight):
        return _cpu.pool(input, weight, window)
    return compose(window.average(input), window.maximum(input), weight)
