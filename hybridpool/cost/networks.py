"""What poolings cost inside a network: as a share of a ResNet-18, and of a small one.

To measure the share of the poolings, the network's own pooling layers run alone, on maps of the
size, memory format and type that they get inside it. A step of the network is measured as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hybridpool.blocks import hybrid_resnet18
from hybridpool.cost.counts import count_cost
from hybridpool.cost.settings import (
    CONTESTANTS,
    DTYPES,
    MEMORY_FORMATS,
    CostSettings,
    Machine,
    measured_devices,
    this_machine,
)
from hybridpool.cost.timing import NOT_TIMED, Turns, runs_of, take_turns
from hybridpool.layers import PoolingFactory

NETWORKS = ("resnet18", "separable")
#: The poolings that a network is built with; the article's formula is hybrid pooling.
IN_NETWORKS = ("max", "average", "hybrid", "hybrid_channel", "attention", "blur")
#: Side of the pictures -> the largest batch.
SIDES = {32: 64, 224: 8}
_CLASSES = 10
_WIDTHS = (16, 32, 64, 128)


@dataclass(frozen=True)
class NetworkSettings:
    """The pictures, and how the networks are measured.

    Args:
        side: Rows and columns of a picture, a key of `SIDES`.
        batch: Pictures in a batch.
        memory_format: A key of `MEMORY_FORMATS`.
        dtype: A key of `DTYPES`.
        device: ``"cpu"`` or ``"cuda"``.
        training: Whether a step is a forward and a backward pass, or a forward pass alone.
        turns: How often every network is measured.
    """

    side: int = 32
    batch: int = 2
    memory_format: str = "channels_last"
    dtype: str = "float32"
    device: str = "cpu"
    training: bool = True
    turns: int = 5

    def clamped(self) -> NetworkSettings:
        """The nearest settings that can be measured here.

        Example:
            >>> NetworkSettings(side=200, batch=100).clamped().batch
            8
        """
        side = min(SIDES, key=lambda known: abs(known - self.side))
        devices = measured_devices()
        return replace(
            self,
            side=side,
            batch=min(max(self.batch, 1), SIDES[side]),
            memory_format=self.memory_format
            if self.memory_format in MEMORY_FORMATS
            else "channels_last",
            dtype=self.dtype if self.dtype in DTYPES else "float32",
            device=self.device if self.device in devices else devices[0],
            turns=min(max(self.turns, 3), 31),
        )


@dataclass(frozen=True)
class NetworkCost:
    """What one network with one pooling costs.

    Attributes:
        network: One of `NETWORKS`.
        pooling: One of `IN_NETWORKS`.
        parameters: How many the whole network has.
        pooling_parameters: How many its pooling layers have.
        operations: Products and additions of convolutions and linear layers in the forward pass of
            one batch.
        pooling_operations: Operations of its pooling layers, see `count_cost`.
        step: The time of a step of the whole network.
        alone: The time of its pooling layers alone, each on the map that it gets inside.
    """

    network: str
    pooling: str
    parameters: int
    pooling_parameters: int
    operations: int
    pooling_operations: int
    step: Turns = NOT_TIMED
    alone: Turns = NOT_TIMED

    @property
    def operations_share(self) -> float:
        """The share of the pooling layers in all operations."""
        return self.pooling_operations / (self.operations + self.pooling_operations)

    @property
    def shares(self) -> Turns:
        """The share of the pooling layers in the time of a step, turn by turn."""
        return self.alone.over(self.step)

    @property
    def typical(self) -> tuple[float, float, float]:
        """Seconds of a step and of its pooling layers, and their share, all from one turn.

        This is the turn with the median share, so that the three numbers fit each other.
        """
        turn = self.shares.middle
        step, alone = self.step.values[turn], self.alone.values[turn]
        return step, alone, alone / step


@dataclass(frozen=True)
class NetworkCosts:
    """What is known so far of the cost of every network.

    Attributes:
        settings: What was asked for.
        machine: Where it was measured.
        costs: One entry for each network and pooling.
        turns: How often each was measured.
        done: Share of the measurement that is done.
    """

    settings: NetworkSettings
    machine: Machine
    costs: tuple[NetworkCost, ...]
    turns: int
    done: float

    def cost(self, network: str, pooling: str) -> NetworkCost:
        """The cost of one network with one pooling."""
        return next(c for c in self.costs if (c.network, c.pooling) == (network, pooling))


def longer_step(share: float, reference: float) -> float:
    """By how much other pooling layers lengthen a step, if all else takes the same time.

    Args:
        share: The share of these layers in their step.
        reference: The share of the replaced layers in theirs.

    Example:
        >>> longer_step(0.2, reference=0.0), longer_step(0.1, reference=0.1)
        (0.25, 0.0)
    """
    return (1 - reference) / (1 - share) - 1


class SeparableNetwork(nn.Sequential):
    """A small network for phones, in which little but its poolings moves data.

    A 3 × 3 convolution to 16 channels, then three times: a depthwise 3 × 3 convolution, a pointwise
    one that doubles the channels, and a 2 × 2 pooling; at last the mean of each channel and a
    linear layer. Every convolution is followed by batch normalisation and ReLU.

    Args:
        pooling: A factory that is called like the entries of `hybridpool.layers.POOLINGS`.
        num_classes: The number of classes.

    Shape:
        - input: :math:`(N, 3, H, W)`, 8 × 8 or larger
        - output: :math:`(N, \\text{num\\_classes})`

    The separable block is that of Howard et al., "MobileNets", 2017 (arXiv:1704.04861), with a
    pooling where that network takes steps of 2.

    Example:
        >>> from hybridpool.layers import POOLINGS
        >>> SeparableNetwork(POOLINGS["max"])(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, pooling: PoolingFactory, num_classes: int = _CLASSES) -> None:
        layers = _convolution(3, _WIDTHS[0], 3)
        for before, after in pairwise(_WIDTHS):
            layers += _convolution(before, before, 3, groups=before)
            layers += _convolution(before, after, 1)
            layers.append(pooling(channels=after, kernel_size=2, stride=2, padding=0))
        super().__init__(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(_WIDTHS[-1], num_classes)
        )


def count_networks(settings: NetworkSettings) -> tuple[NetworkCost, ...]:
    """Count operations and parameters of every network with every pooling; nothing is computed.

    Example:
        >>> costs = count_networks(NetworkSettings())
        >>> {cost.pooling: cost.pooling_parameters for cost in costs if cost.network == "separable"}
        {'max': 0, 'average': 0, 'hybrid': 3, 'hybrid_channel': 224, 'attention': 11032, 'blur': 0}
    """
    return tuple(
        _counted(network, pooling, settings) for network in NETWORKS for pooling in IN_NETWORKS
    )


def measure_networks(settings: NetworkSettings) -> Iterator[NetworkCosts]:
    """Measure a step of every network with every pooling, and its pooling layers alone, in turns.

    A step is a forward and a backward pass without the optimiser, or in inference the forward pass.

    Args:
        settings: What is measured.

    Returns:
        An iterator with one record after each run; each holds everything so far.

    Example:
        >>> first = next(measure_networks(NetworkSettings(batch=1, turns=3)))
        >>> first.turns, len(first.costs)
        (0, 12)
    """
    machine = this_machine(settings.device)
    costs = count_networks(settings)
    yield NetworkCosts(settings, machine, costs, 0, 0.0)
    runs: dict[tuple[str, str, str], Callable[[], object]] = {}
    for cost in costs:
        key = cost.network, cost.pooling
        whole, alone = _runs(*key, settings)
        runs |= {(*key, "step"): whole, (*key, "alone"): alone}
    total = len(runs) * (settings.turns + 1)
    for number, times in enumerate(take_turns(runs, settings.turns), 1):
        measured = tuple(
            replace(
                cost,
                step=Turns(times[cost.network, cost.pooling, "step"]),
                alone=Turns(times[cost.network, cost.pooling, "alone"]),
            )
            for cost in costs
        )
        turns = min(map(len, times.values()))
        yield NetworkCosts(settings, machine, measured, turns, number / total)


def _convolution(before: int, after: int, kernel_size: int, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(
        before, after, kernel_size, padding=kernel_size // 2, groups=groups, bias=False
    )
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


class _Layer(NamedTuple):
    """A pooling layer of a network, and its window."""

    module: nn.Module
    kernel_size: int
    stride: int
    padding: int


def _built(network: str, pooling: str, side: int) -> tuple[nn.Module, list[_Layer]]:
    """A network, and the pooling layers in it."""
    layers: list[_Layer] = []

    def factory(*, channels: int, kernel_size: int, stride: int, padding: int = 0) -> nn.Module:
        window = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        module = CONTESTANTS[pooling](channels=channels, **window)
        layers.append(_Layer(module, **window))
        return module

    if network == "separable":
        return SeparableNetwork(factory), layers
    return hybrid_resnet18(_CLASSES, factory, small_input=side < 64), layers


def _inputs(model: nn.Module, layers: list[_Layer], pictures: Tensor) -> list[Tensor]:
    """The input of each pooling layer when the model sees the pictures."""
    maps: list[Tensor] = []

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        maps.append(args[0].detach())

    hooks = [layer.module.register_forward_pre_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            model(pictures)
    finally:
        for hook in hooks:
            hook.remove()
    return maps


def _counted(network: str, pooling: str, settings: NetworkSettings) -> NetworkCost:
    with torch.device("meta"):
        model, layers = _built(network, pooling, settings.side)
        pictures = torch.empty(settings.batch, 3, settings.side, settings.side)
        # What is not pooling is the same for all; max pooling has nothing else in it.
        plain, _ = _built(network, "max", settings.side)
    inputs = _inputs(model, layers, pictures)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        plain(pictures)
    pooling_operations = 0
    for layer, map_in in zip(layers, inputs, strict=True):
        batch, channels, height, width = map_in.shape
        one = CostSettings(batch, channels, height, width, *layer[1:])
        pooling_operations += count_cost(pooling, one).operations
    return NetworkCost(
        network=network,
        pooling=pooling,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        pooling_parameters=sum(p.numel() for layer in layers for p in layer.module.parameters()),
        operations=counter.get_total_flops(),
        pooling_operations=pooling_operations,
    )


def _runs(
    network: str, pooling: str, settings: NetworkSettings
) -> tuple[Callable[[], object], Callable[[], object]]:
    """A step of the network, and of its pooling layers alone, ready to be timed."""
    memory_format = MEMORY_FORMATS[settings.memory_format]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, layers = _built(network, pooling, settings.side)
        pictures = torch.randn(settings.batch, 3, settings.side, settings.side)
    dtype = DTYPES[settings.dtype]
    model.to(settings.device, dtype).to(memory_format=memory_format)
    model.train(settings.training)
    pictures = pictures.to(settings.device, dtype, memory_format=memory_format)
    inputs = _inputs(model, layers, pictures)
    mode = "step" if settings.training else "forward"
    whole = runs_of(model, pictures, training=settings.training, to_input=False)[mode]
    parts = [
        runs_of(layer.module, map_in, training=settings.training)[mode]
        for layer, map_in in zip(layers, inputs, strict=True)
    ]

    def alone() -> None:
        for part in parts:
            part()

    return whole, alone
