"""Layer by layer: what each pooling hands on, the channels that speak most for the answer first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.answer.networks import Network
from hybridpool.answer.program import layers
from hybridpool.answer.run import ready
from hybridpool.training.arms import Blend, blend_weights


@dataclass(frozen=True)
class Stage:
    """What one pooling of a network hands on.

    Attributes:
        channels: The channels that speak most for the answer, the first most of all.
        maps: (channels, h, w) their pooled maps.
        speaks: (channels,) gradient times value, summed over the map: to first order, what the
            channel adds to the score of the answer.
        weights: The blend weights that it used for this picture, one or one for each channel; None
            where it does not blend.
    """

    channels: tuple[int, ...]
    maps: Tensor
    speaks: Tensor
    weights: Tensor | None


def stages(network: Network, image: Tensor, count: int = 3) -> list[Stage]:
    """The poolings of a network on one picture (3, 32, 32), from the picture on.

    Args:
        network: The network.
        image: The picture.
        count: How many channels of each.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("air", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("air", "max", 0, 2).eval(), info)
        >>> [tuple(stage.maps.shape) for stage in stages(network, torch.zeros(3, 32, 32))]
        [(3, 15, 15), (3, 7, 7), (3, 3, 3)]
    """
    with torch.enable_grad():
        maps, pooled, weights = ready(network, image[None]), [], []
        for name, layer in layers(network.model):
            if name == "pool":
                blended = isinstance(layer, Blend)
                weights.append(blend_weights(layer, maps) if blended else None)  # type: ignore[arg-type]
            maps = layer(maps)
            if name == "pool":
                pooled.append(maps)
        scores = network.model.get_submodule("fc")(maps.mean((-2, -1)))[0]
        slopes = torch.autograd.grad(scores.max(), pooled)
    found = []
    for values, slope, weight in zip(pooled, slopes, weights, strict=True):
        speaks = (values * slope).detach()[0].sum((-2, -1))
        order = speaks.argsort(descending=True, stable=True)[:count]
        kept = None if weight is None else weight.detach()
        found.append(Stage(tuple(order.tolist()), values.detach()[0][order], speaks[order], kept))
    return found
