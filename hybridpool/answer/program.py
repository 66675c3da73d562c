"""A trained network as a list of steps and their numbers, for an engine that is not PyTorch.

Batch normalisation behind a convolution is one factor and one bias for each of its channels; they
are computed here in double precision. The weights stay as they are stored, in half precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hybridpool.layers import HybridPooling, HybridPoolingWithAttention
from hybridpool.more_poolings import GatedPooling, HybridBlurPooling, MaxBlurPooling
from hybridpool.training.networks import AirNetwork, SmallNetwork


@dataclass(frozen=True)
class Program:
    """The steps of a network.

    Attributes:
        steps: Each with its ``op`` and its settings; a number of an array stands for that array.
        arrays: Weights in half precision where that is exact, everything else in float32.
    """

    steps: tuple[dict[str, Any], ...]
    arrays: tuple[Tensor, ...]


def program_of(model: nn.Module) -> Program:
    """The steps of a network of `hybridpool.answer.networks.FITTING`, from picture to scores.

    Args:
        model: In evaluation mode.

    Raises:
        TypeError: If the network holds something that has no step.

    Example:
        >>> from hybridpool.training.networks import build_network
        >>> [step["op"] for step in program_of(build_network("small", "hybrid", 0)).steps][:3]
        ['convolve', 'relu', 'pool']
    """
    steps: list[dict[str, Any]] = []
    arrays: list[Tensor] = []

    def keep(values: Tensor) -> int:
        arrays.append(stored(values))
        return len(arrays) - 1

    for name, module in layers(model):
        if isinstance(module, nn.BatchNorm2d):
            factor, bias = folded(module)
            steps[-1] |= {"factor": keep(factor), "bias": keep(bias)}
        elif name == "pool":
            steps.append({"op": "pool"} | _pooling(module, keep))
        elif isinstance(module, nn.Conv2d):
            steps.append(_convolution(module, keep))
        elif isinstance(module, nn.ReLU | nn.GELU):
            steps.append({"op": "relu" if isinstance(module, nn.ReLU) else "gelu"})
        else:
            raise TypeError(f"There is no step for {type(module).__name__}.")
    head = model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    steps.append({"op": "head", "weight": keep(head.weight), "bias": keep(head.bias)})
    return Program(tuple(steps), tuple(arrays))


def layers(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers between picture and head in their order, poolings under the name ``"pool"``.

    Raises:
        TypeError: If the network does not go straight from the picture to its head.

    Example:
        >>> from hybridpool.training.networks import build_network
        >>> [name for name, _ in layers(build_network("small", "max", 0))][:4]
        ['conv', 'bn', 'relu', 'pool']
    """
    if isinstance(model, AirNetwork):
        stages = [model.first, *model.groups]
    elif isinstance(model, SmallNetwork):
        stages = [*model.stages]
    else:
        raise TypeError(
            f"{type(model).__name__} does not go straight from the picture to its head."
        )
    for stage in stages:
        yield from stage.named_children()


def stored(values: Tensor) -> Tensor:
    """Numbers in half precision where that loses nothing, else in float32.

    Example:
        >>> stored(torch.tensor([0.5])).dtype, stored(torch.tensor([0.1])).dtype
        (torch.float16, torch.float32)
    """
    values = values.detach().float()
    half = values.half()
    return half if torch.equal(half.float(), values) else values


def folded(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Batch normalisation in evaluation mode as one factor and one bias for each channel.

    Example:
        >>> folded(nn.BatchNorm2d(1, eps=0))
        (tensor([1.]), tensor([0.]))
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = norm.bias.detach().double() - norm.running_mean.double() * factor
    return factor.float(), bias.float()


def _convolution(module: nn.Conv2d, keep: Any) -> dict[str, Any]:
    return {
        "op": "convolve",
        "out": module.out_channels,
        "kernel": module.kernel_size[0],
        "stride": module.stride[0],
        "padding": int(module.padding[0]),
        "weight": keep(module.weight),
    }


def _pooling(module: nn.Module, keep: Any) -> dict[str, Any]:
    """What a pooling of a network does: its kind, and what decides its blend."""
    if isinstance(module, nn.MaxPool2d):
        return {"kind": "max"}
    if isinstance(module, nn.AvgPool2d):
        return {"kind": "average"}
    if isinstance(module, HybridPooling | HybridBlurPooling):
        kind = "blend" if isinstance(module, HybridPooling) else "blur_blend"
        return {"kind": kind, "weights": keep(module.blend_weight)}
    if isinstance(module, MaxBlurPooling):
        return {"kind": "blur"}
    if isinstance(module, GatedPooling):
        return {"kind": "gated", "mask": keep(module.weight)}
    if isinstance(module, HybridPoolingWithAttention):
        inner, outer = module.fc[0], module.fc[2]
        assert isinstance(inner, nn.Linear)
        assert isinstance(outer, nn.Linear)
        return {
            "kind": "attention",
            **{"inner": keep(inner.weight), "innerBias": keep(inner.bias)},
            **{"outer": keep(outer.weight), "outerBias": keep(outer.bias)},
        }
    if isinstance(module, nn.Conv2d):
        return {"kind": "strided", **_convolution(module, keep), "op": "pool"}
    raise TypeError(f"There is no step for {type(module).__name__}.")
