"""Layer by layer: what each pooling hands on, the channels that speak most for the answer first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.answer.networks import Network
from hybridpool.answer.program import layers
from hybridpool.answer.run import ready
from hybridpool.blur_poolings import HybridBlurPooling, MaxBlurPooling
from hybridpool.layers import HybridPooling, HybridPoolingWithAttention
from hybridpool.training.arms import Blend, blend_weights

WINDOW = 2
"""Kernel size and stride of every pooling of these networks."""


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


@dataclass(frozen=True)
class OpenStage:
    """One pooling of a network with everything around it, in every channel.

    Attributes:
        feature_map: (C, H, W) what is pooled.
        maximum: (C, h, w) max pooling of it.
        average: (C, h, w) average pooling of it.
        pooled: (C, h, w) what the network's own pooling makes of it.
        speaks: (C,) as of a `Stage`.
        blend: (C,) the weights with which the network's own pooling blends maximum and average,
            from 1, all maximum, to 0, all average; None where it does something else.
        receptive_field: Kernel size, stride and padding: which pixels a cell of the feature map
            sees.
    """

    feature_map: Tensor
    maximum: Tensor
    average: Tensor
    pooled: Tensor
    speaks: Tensor
    blend: Tensor | None
    receptive_field: tuple[int, int, int]


@dataclass(frozen=True)
class _Passed:
    """A pooling on its way: the layers so far, itself included, what it gets and hands on."""

    before: tuple[nn.Module, ...]
    given: Tensor
    pooled: Tensor
    speaks: Tensor

    @property
    def layer(self) -> nn.Module:
        return self.before[-1]

    def weights(self) -> Tensor | None:
        blends = isinstance(self.layer, Blend)
        return blend_weights(self.layer, self.given).detach() if blends else None  # type: ignore[arg-type]


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
    found = []
    for each in _passed(network, image):
        order = each.speaks.argsort(descending=True, stable=True)[:count]
        channels = tuple(order.tolist())
        found.append(Stage(channels, each.pooled[order], each.speaks[order], each.weights()))
    return found


def open_stage(network: Network, image: Tensor, number: int) -> OpenStage:
    """One pooling of a network on a picture (3, 32, 32), with its windows.

    Args:
        network: The network.
        image: The picture.
        number: Which pooling, from 0.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("air", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("air", "max", 0, 2).eval(), info)
        >>> found = open_stage(network, torch.zeros(3, 32, 32), 1)
        >>> found.feature_map.shape, found.pooled.shape, found.receptive_field
        (torch.Size([64, 15, 15]), torch.Size([64, 7, 7]), (13, 2, 5))
    """
    found = _passed(network, image)[number]
    given = found.given[0]
    return OpenStage(
        feature_map=given,
        maximum=F.max_pool2d(given, WINDOW),
        average=F.avg_pool2d(given, WINDOW),
        pooled=found.pooled,
        speaks=found.speaks,
        blend=_blend(found, len(given)),
        receptive_field=_field(found.before[:-1]),
    )


def _passed(network: Network, image: Tensor) -> list[_Passed]:
    """The poolings of a network from the picture on, and how the score follows their maps."""
    before: list[nn.Module] = []
    found: list[tuple[tuple[nn.Module, ...], Tensor, Tensor]] = []
    with torch.enable_grad():
        maps = ready(network, image[None])
        for name, layer in layers(network.model):
            given, maps = maps, layer(maps)
            before.append(layer)
            if name == "pool":
                found.append((tuple(before), given, maps))
        scores = network.model.get_submodule("fc")(maps.mean((-2, -1)))[0]
        slopes = torch.autograd.grad(scores.max(), [pooled for _, _, pooled in found])
    return [
        _Passed(
            so_far, given.detach(), pooled.detach()[0], (pooled * slope).detach()[0].sum((-2, -1))
        )
        for (so_far, given, pooled), slope in zip(found, slopes, strict=True)
    ]


def _blend(found: _Passed, channels: int) -> Tensor | None:
    if isinstance(found.layer, nn.MaxPool2d):
        return torch.ones(channels)
    if isinstance(found.layer, nn.AvgPool2d):
        return torch.zeros(channels)
    if isinstance(found.layer, HybridPooling | HybridPoolingWithAttention):
        weights = found.weights()
        assert weights is not None
        return weights.expand(channels)
    return None


def _field(before: tuple[nn.Module, ...]) -> tuple[int, int, int]:
    """Kernel size, stride and padding of several layers as if they were one."""
    kernel, stride, padding = 1, 1, 0
    for layer in before:
        for size, step, border in _windows(layer):
            kernel += (size - 1) * stride
            padding += border * stride
            stride *= step
    return kernel, stride, padding


def _windows(layer: nn.Module) -> list[tuple[int, int, int]]:
    """Kernel size, stride and padding of what a layer does one after the other."""
    if isinstance(layer, nn.Conv2d):
        return [(layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))]
    if isinstance(layer, MaxBlurPooling | HybridBlurPooling):
        taps = len(layer.taps)
        return [(WINDOW, 1, 0), (taps, WINDOW, taps // 2)]
    pools = isinstance(layer, nn.MaxPool2d | nn.AvgPool2d | Blend)
    return [(WINDOW, WINDOW, 0)] if pools else []
