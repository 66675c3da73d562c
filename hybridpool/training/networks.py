"""The networks that are compared; every arm of a seed starts with equal weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hybridpool.blocks import HybridResNetBlock
from hybridpool.layers import PoolingFactory
from hybridpool.training.arms import ARMS, set_blends


def _stage(
    entering: int, leaving: int, kernel: int, pooling: PoolingFactory, activation: nn.Module
) -> nn.Sequential:
    """A convolution, batch normalisation, an activation, and a 2 × 2 pooling."""
    stage = nn.Sequential()
    stage.add_module("conv", nn.Conv2d(entering, leaving, kernel, padding=kernel // 2, bias=False))
    stage.add_module("bn", nn.BatchNorm2d(leaving))
    stage.add_module("relu" if isinstance(activation, nn.ReLU) else "gelu", activation)
    stage.add_module("pool", pooling(channels=leaving, kernel_size=2, stride=2))
    return stage


class SmallNetwork(nn.Module):
    """Three convolutions, each with batch normalisation, ReLU and a 2 × 2 pooling.

    5 × 5 filters to `width` channels, then 3 × 3 to two and four times as many, then the mean over
    the map and one linear layer: small enough for a CPU, and every step down in size is a pooling.

    Shape:
        ``(N, 3, H, W)``, 8 × 8 or larger, to ``(N, num_classes)``.

    Example:
        >>> SmallNetwork(10, ARMS["max"])(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, num_classes: int, pooling: PoolingFactory, width: int = 16) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _stage(3, width, 5, pooling, nn.ReLU()),
            _stage(width, 2 * width, 3, pooling, nn.ReLU()),
            _stage(2 * width, 4 * width, 3, pooling, nn.ReLU()),
        )
        self.fc = nn.Linear(4 * width, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Class scores of pictures (N, 3, H, W)."""
        scores: Tensor = self.fc(self.stages(input).mean((-2, -1)))
        return scores


class AirNetwork(nn.Module):
    """The shape of airbench94 with a `width`: a 2 × 2 convolution and three groups.

    Each group is a 3 × 3 convolution, batch normalisation, GELU, a 2 × 2 pooling, and once more
    convolution, normalisation and GELU. The groups have `width`, four times and four times as many
    channels; the mean over the map and one linear layer follow. Unlike in airbench94, the pooling
    follows normalisation and activation, as in the article's block; the first convolution is
    learned; and the head takes a mean rather than a maximum, so that only the poolings under test
    choose between the two.

    Shape:
        ``(N, 3, H, W)``, 9 × 9 or larger, to ``(N, num_classes)``.

    Source:
        Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024 (arXiv:2404.00498).

    Example:
        >>> AirNetwork(10, ARMS["max"])(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    _FIRST = 24

    def __init__(self, num_classes: int, pooling: PoolingFactory, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Sequential()
        self.first.add_module("conv", nn.Conv2d(3, self._FIRST, 2, bias=False))
        self.first.add_module("bn", nn.BatchNorm2d(self._FIRST))
        self.first.add_module("gelu", nn.GELU())
        self.groups = nn.Sequential()
        entering = self._FIRST
        for leaving in (width, 4 * width, 4 * width):
            group = _stage(entering, leaving, 3, pooling, nn.GELU())
            conv = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
            group.add_module("conv2", conv)
            group.add_module("bn2", nn.BatchNorm2d(leaving))
            group.add_module("gelu2", nn.GELU())
            self.groups.append(group)
            entering = leaving
        self.fc = nn.Linear(entering, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Class scores of pictures (N, 3, H, W)."""
        scores: Tensor = self.fc(self.groups(self.first(input)).mean((-2, -1)))
        return scores


class SmallResNet18(nn.Module):
    """A ResNet-18 for small pictures that steps down by pooling.

    A 3 × 3 convolution to `width` channels, then four stages of two of torchvision's basic blocks
    with one, two, four and eight times as many. The first block of each of the last three stages
    has a 2 × 2 pooling in place of the step of its first convolution: behind the normalisation and
    the activation that follow it, as in the article's block, and in front of the convolution of its
    shortcut. 64 is the width of He et al.

    Shape:
        ``(N, 3, H, W)``, 8 × 8 or larger, to ``(N, num_classes)``.

    Source:
        He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016
        (arXiv:1512.03385).

    Example:
        >>> SmallResNet18(10, ARMS["max"])(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, num_classes: int, pooling: PoolingFactory, width: int = 16) -> None:
        super().__init__()
        # torchvision takes longer to import than everything else here together.
        from torchvision.models.resnet import BasicBlock, conv1x1

        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.stages = nn.Sequential()
        entering = width
        for leaving in (width, 2 * width, 4 * width, 8 * width):
            block = BasicBlock(entering, leaving)
            if leaving != entering:
                block.downsample = nn.Sequential()
                block.downsample.add_module(
                    "pool", pooling(channels=entering, kernel_size=2, stride=2)
                )
                block.downsample.add_module("conv", conv1x1(entering, leaving))
                block.downsample.add_module("bn", nn.BatchNorm2d(leaving))
                # The block's own activation comes behind `bn1`, too late for the pooling.
                stepping = nn.Sequential()
                stepping.add_module("bn", block.bn1)
                stepping.add_module("relu", nn.ReLU())
                stepping.add_module("pool", pooling(channels=leaving, kernel_size=2, stride=2))
                block.bn1 = stepping
            stage = nn.Sequential(block, BasicBlock(leaving, leaving))
            self.stages.append(stage)
            entering = leaving
        self.fc = nn.Linear(entering, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, input: Tensor) -> Tensor:
        """Class scores of pictures (N, 3, H, W)."""
        maps = self.stages(self.relu(self.bn1(self.conv1(input))))
        scores: Tensor = self.fc(maps.mean((-2, -1)))
        return scores


def _blocks(num_classes: int, pooling: PoolingFactory, width: int = 16) -> nn.Module:
    """Three of the article's blocks behind a convolution, each with its pooling."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        HybridResNetBlock(width, 2 * width, pooling=pooling),
        HybridResNetBlock(2 * width, 4 * width, pooling=pooling),
        HybridResNetBlock(4 * width, 8 * width, pooling=pooling),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8 * width, num_classes),
    )


NETWORKS: dict[str, Callable[[int, PoolingFactory, int], nn.Module]] = {
    "small": SmallNetwork,
    "blocks": _blocks,
    "air": AirNetwork,
    "resnet18": SmallResNet18,
}
"""Networks by name, called with the number of classes, the pooling and the width.

They take pictures of 32 × 32 or 64 × 64; all their steps down in size are the pooling given.
"""


def build_network(
    network: str,
    arm: str,
    seed: int,
    num_classes: int = 10,
    *,
    width: int = 16,
    start: float | None = 0.5,
    frozen_at: Sequence[float] = (),
) -> nn.Module:
    """A network at its start.

    All but the poolings starts alike in every arm of a seed; the global generator does not move.

    Args:
        network: A key of `NETWORKS`.
        arm: A key of `hybridpool.training.arms.ARMS`.
        seed: The seed of the weights.
        num_classes: The number of classes.
        width: How many channels its first stage has.
        start: Where learned blend weights start, as in `hybridpool.training.arms.set_blends`.
        frozen_at: The blend weights of ``"frozen"``, as in `set_blends`.

    Raises:
        ValueError: If the arm cannot start as asked.

    Example:
        >>> one, other = (build_network("small", arm, seed=1) for arm in ("max", "attention"))
        >>> bool((one.fc.weight == other.fc.weight).all())
        True
    """
    build = NETWORKS[network]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        plain = build(num_classes, ARMS["max"], width).state_dict()
        model = build(num_classes, ARMS[arm], width)
    model.load_state_dict(plain, strict=False)
    set_blends(model, arm, start=start, frozen_at=frozen_at, seed=seed)
    return model.to(memory_format=torch.channels_last)


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
