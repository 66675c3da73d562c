"""The networks and poolings that are compared; every arm of a seed starts with equal weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hybridpool.blocks import HybridResNetBlock, hybrid_resnet18
from hybridpool.layers import (
    POOLINGS,
    HybridPooling,
    HybridPoolingWithAttention,
    PoolingFactory,
)
from hybridpool.more_poolings import MaxBlurPooling


class SmallNetwork(nn.Module):
    """Three convolutions, each with batch normalisation, ReLU and a 2 × 2 pooling.

    5 × 5 filters to 16 channels, then 3 × 3 to 32 and 64, then the mean over the map and one linear
    layer: small enough for a CPU, and every step down in size is a pooling.

    Shape:
        ``(N, 3, H, W)``, 8 × 8 or larger, to ``(N, num_classes)``.

    Example:
        >>> SmallNetwork(10, POOLINGS["max"])(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, num_classes: int, pooling: PoolingFactory) -> None:
        super().__init__()
        widths, kernels = (3, 16, 32, 64), (5, 3, 3)
        self.stages = nn.Sequential()
        for number, kernel in enumerate(kernels):
            entering, leaving = widths[number : number + 2]
            stage = nn.Sequential()
            conv = nn.Conv2d(entering, leaving, kernel, padding=kernel // 2, bias=False)
            stage.add_module("conv", conv)
            stage.add_module("bn", nn.BatchNorm2d(leaving))
            stage.add_module("relu", nn.ReLU())
            stage.add_module("pool", pooling(channels=leaving, kernel_size=2, stride=2))
            self.stages.append(stage)
        self.fc = nn.Linear(widths[-1], num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Class scores of pictures (N, 3, H, W)."""
        scores: Tensor = self.fc(self.stages(input).mean((-2, -1)))
        return scores


def _blocks(num_classes: int, pooling: PoolingFactory) -> nn.Module:
    """Three of the article's blocks behind a convolution, each with its pooling."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        HybridResNetBlock(32, 64, pooling=pooling),
        HybridResNetBlock(64, 128, pooling=pooling),
        HybridResNetBlock(128, 256, pooling=pooling),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, num_classes),
    )


def _resnet18(num_classes: int, pooling: PoolingFactory) -> nn.Module:
    return hybrid_resnet18(num_classes, pooling, small_input=True)


NETWORKS: dict[str, Callable[[int, PoolingFactory], nn.Module]] = {
    "small": SmallNetwork,
    "blocks": _blocks,
    "resnet18": _resnet18,
}
"""Networks for 32 × 32 pictures by name; all their steps down in size are the pooling given."""


def _fixed(**window: Any) -> nn.Module:
    layer = HybridPooling(**window | {"channels": None})
    layer.weight.requires_grad_(False)
    return layer


def _blur(*, channels: int | None = None, **window: Any) -> nn.Module:
    return MaxBlurPooling(**window)


ARMS: dict[str, PoolingFactory] = {
    "max": POOLINGS["max"],
    "average": POOLINGS["average"],
    "fixed": _fixed,
    "hybrid": POOLINGS["hybrid"],
    "channel": HybridPooling,
    "attention": POOLINGS["attention"],
    "blur": _blur,
}
"""What is compared: one pooling, a half of each that is never changed, one learned blend weight a
layer, one a channel, one a channel computed from the picture, and max pooling with a blur."""


def build_network(network: str, arm: str, seed: int, num_classes: int = 10) -> nn.Module:
    """A network at its start.

    All that is not pooling starts alike in every arm of a seed; no global generator is moved.

    Args:
        network: A key of `NETWORKS`.
        arm: A key of `ARMS`.
        seed: Of the weights.
        num_classes: How many classes it tells apart.

    Example:
        >>> one, other = (build_network("small", arm, seed=1) for arm in ("max", "attention"))
        >>> bool((one.fc.weight == other.fc.weight).all())
        True
    """
    build = NETWORKS[network]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        start = build(num_classes, ARMS["max"]).state_dict()
        model = build(num_classes, ARMS[arm])
    model.load_state_dict(start, strict=False)
    return model.to(memory_format=torch.channels_last)


def learned_poolings(model: nn.Module) -> dict[str, HybridPooling | HybridPoolingWithAttention]:
    """The pooling layers with blend weights that can change, by their place from the picture on.

    Example:
        >>> list(learned_poolings(build_network("small", "hybrid", seed=0)))
        ['pooling 1', 'pooling 2', 'pooling 3']
        >>> learned_poolings(build_network("small", "fixed", seed=0))
        {}
    """
    found = [
        module
        for module in model.modules()
        if isinstance(module, HybridPooling | HybridPoolingWithAttention)
        and any(parameter.requires_grad for parameter in module.parameters())
    ]
    return {f"pooling {number}": module for number, module in enumerate(found, 1)}


def count_operations(model: nn.Module, side: int = 32) -> int:
    """Floating-point operations of convolutions and matrix products for one square picture.

    Example:
        >>> count_operations(nn.Conv2d(3, 4, 1), side=2)  # 4 x 4 x 3 products and sums
        96
    """
    device = next(model.parameters()).device
    counter = FlopCounterMode(display=False)
    training = model.training
    with counter, torch.no_grad():
        model.eval()(torch.zeros(1, 3, side, side, device=device))
    model.train(training)
    return int(counter.get_total_flops())
