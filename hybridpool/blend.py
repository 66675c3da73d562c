"""The blend weight and its logit, and the formula that blends two pooled maps."""

import math

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_unary

# The sigmoid of these is 1 and 0 exactly in every floating-point type, half precision included,
# and unlike infinity they stay numbers under weight decay.
_LOGIT_AT_THE_ENDS = 1000.0


def compute_type(dtype: torch.dtype) -> torch.dtype:
    """The type in which maps of this type are blended: half precision in float32.

    Example:
        >>> compute_type(torch.bfloat16), compute_type(torch.float64)
        (torch.float32, torch.float64)
    """
    return torch.float32 if dtype.itemsize < 4 else dtype


def check_number(blend_weight: object, wanted: str) -> None:
    """Refuse what is not a number in [0, 1]; the error for what is no number names the `wanted`.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it does not lie in [0, 1].

    Example:
        >>> check_number([0.5], "a number")
        Traceback (most recent call last):
        TypeError: blend_weight must be a number, but got list.
    """
    try:
        inside = bool(0 <= blend_weight <= 1)  # type: ignore[operator]
    except (TypeError, ValueError, RuntimeError):  # also of several numbers, in an array or tensor
        name = type(blend_weight).__name__
        raise TypeError(f"blend_weight must be {wanted}, but got {name}.") from None
    if not inside:
        raise ValueError(f"blend_weight must lie in [0, 1], but got {blend_weight}.")


def initial_logit(blend_weight: float) -> float:
    """The logit of a blend weight; large and finite for 0 and 1, whose logit is infinite.

    Raises:
        TypeError: If the blend weight is not a number.
        ValueError: If it does not lie in [0, 1].

    Example:
        >>> initial_logit(0.5), initial_logit(1)
        (0.0, 1000.0)
    """
    check_number(blend_weight, "a number")
    if blend_weight in (0, 1):
        return math.copysign(_LOGIT_AT_THE_ENDS, blend_weight - 0.5)
    return math.log(blend_weight) - math.log1p(-blend_weight)


def sigmoid(logit: Tensor) -> Tensor:
    """The blend weight of a logit, in float32 at least.

    Half precision has few numbers below 1, bfloat16 none above 0.996: there a weight near an end
    would become the end, where its gradient is 0.

    Example:
        >>> sigmoid(torch.tensor(7.0, dtype=torch.bfloat16))
        tensor(0.9991)
    """
    if has_torch_function_unary(logit):
        weight: Tensor = handle_torch_function(sigmoid, (logit,), logit)
        return weight
    return (logit.float() if logit.dtype.itemsize < 4 else logit).sigmoid()


def compose(average: Tensor, maximum: Tensor, weight: Tensor, one: float | Tensor = 1) -> Tensor:
    """The formula: ``weight * maximum + (1 - weight) * average``, in the type of ``average``.

    Example:
        >>> compose(torch.tensor(3.5), torch.tensor(6.0), torch.tensor(0.5))
        tensor(4.7500)
    """
    blended = weight * maximum + (one - weight) * average
    return blended if blended.dtype == average.dtype else blended.to(average.dtype)
