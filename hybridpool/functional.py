"""The formula of hybrid pooling as a function on tensors."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_variadic

Size2d = int | tuple[int, int]


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
    r"""Blend max and average pooling: ``w * max + (1 - w) * average`` in every window.

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
    if not input.is_floating_point():
        raise TypeError(f"hybrid_pool2d needs a floating-point input, but got {input.dtype}.")
    if input.dim() not in (3, 4):
        raise ValueError(
            "hybrid_pool2d needs an input of shape (N, C, H, W) or (C, H, W), "
            f"but got {tuple(input.shape)}."
        )
    stride = kernel_size if stride is None else stride
    if not isinstance(blend_weight, Tensor):
        if not 0 <= blend_weight <= 1:
            raise ValueError(f"blend_weight must lie in [0, 1], but got {blend_weight}.")
        if blend_weight == 1:
            return F.max_pool2d(input, kernel_size, stride, padding, ceil_mode=ceil_mode)
    average = F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad)
    if not isinstance(blend_weight, Tensor):
        if blend_weight == 0:
            return average
        weight = torch.full((), blend_weight, dtype=average.dtype, device=average.device)
    else:
        weight = _spread(blend_weight, input).to(average.dtype)
    maximum = F.max_pool2d(input, kernel_size, stride, padding, ceil_mode=ceil_mode)
    blended = torch.lerp(average, maximum, weight)
    blended = torch.where(average.abs() == math.inf, average, blended)
    return torch.where(weight == 1, maximum, blended)


def _spread(blend_weight: Tensor, input: Tensor) -> Tensor:
    if blend_weight.numel() == 1:
        return blend_weight.reshape(())
    if blend_weight.dim() <= 2:
        return blend_weight[..., None, None]
    return blend_weight
