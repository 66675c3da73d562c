"""Pictures through trained networks: the probability of every class, with any blend weight."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybridpool.answer.networks import Network
from hybridpool.blend import initial_logit
from hybridpool.layers import HybridPooling
from hybridpool.training.arms import blends

_BATCH = 256


@dataclass(frozen=True)
class Answer:
    """What one network says of a picture as it is and of the changed one.

    Attributes:
        clean: Probability of each class.
        changed: The same for the changed picture.
    """

    clean: tuple[float, ...]
    changed: tuple[float, ...]

    @property
    def said(self) -> int:
        """The class that it names for the picture as it is; of equals the first."""
        return self.clean.index(max(self.clean))

    @property
    def says(self) -> int:
        """The class that it names for the changed picture."""
        return self.changed.index(max(self.changed))

    @property
    def same(self) -> bool:
        """Whether the answer is still the same."""
        return self.said == self.says


@torch.no_grad()
def answers(network: Network, pictures: Tensor) -> Tensor:
    """The probability of each class for each picture.

    Args:
        network: The network.
        pictures: (N, 3, 32, 32) in [0, 1].

    Shape:
        (N, classes)

    Example:
        >>> from hybridpool.answer.networks import Network
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("small", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("small", "max", 0, 2).eval(), info)
        >>> answers(network, torch.zeros(1, 3, 32, 32)).sum().round()
        tensor(1.)
    """
    parts = torch.split(ready(network, pictures), _BATCH)
    return torch.cat([network.model(part).softmax(1) for part in parts])


def ready(network: Network, pictures: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1] as a network takes them: normalised as in its training.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> info = NetworkInfo("small", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> black = torch.zeros(1, 3, 1, 1)
        >>> ready(Network("none", nn.Identity(), info), black)[0, 0]  # -mean / std
        tensor([[-1.9895]])
    """
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in (network.info.mean, network.info.std)
    )
    return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)


def answer(network: Network, clean: Tensor, changed: Tensor) -> Answer:
    """What a network says of a picture (3, 32, 32) as it is and of the changed one.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("small", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("small", "max", 0, 2).eval(), info)
        >>> answer(network, torch.zeros(3, 32, 32), torch.zeros(3, 32, 32)).same
        True
    """
    found = answers(network, torch.stack([clean, changed])).tolist()
    return Answer(tuple(found[0]), tuple(found[1]))


def dialled(network: Network, weight: float | None) -> Network:
    """The network with one blend weight in the place of all that it uses, if it blends at all.

    It was not trained so: only what blends changes, and everything else stays as it learned it.

    Args:
        network: The network, which stays as it is.
        weight: From 0, average, to 1, max; None leaves the network's own.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("small", 16, "hybrid", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("small", "hybrid", 0, 2).eval(), info)
        >>> dialled(network, 1.0).model.stages[0].pool.blend_weight.item()
        1.0
    """
    if weight is None or not blends(network.model, learned=False):
        return network
    model = copy.deepcopy(network.model)
    for parent in model.modules():
        for name, child in parent.named_children():
            if name == "pool" and (pooling := _with_weight(child, weight)):
                setattr(parent, name, pooling)
    return Network(f"{network.key} at {weight:g}", model.eval(), network.info)


def _with_weight(pooling: nn.Module, weight: float) -> nn.Module | None:
    """A pooling that blends by one weight in the window of another; None if that never blends."""
    if not blends(nn.Sequential(pooling), learned=False):
        return None
    if hasattr(pooling, "taps"):
        nn.init.constant_(pooling.weight, initial_logit(weight))  # type: ignore[arg-type]
        return pooling
    window = (pooling.kernel_size, pooling.stride, pooling.padding)
    return HybridPooling(*window, blend_weight=weight)  # type: ignore[arg-type]


def kept(found: Mapping[str, Sequence[Answer]]) -> dict[str, tuple[int, int]]:
    """For each pooling how many of its networks still say the same, and how many there are.

    Example:
        >>> kept({"max": [Answer((0.9, 0.1), (0.4, 0.6)), Answer((0.9, 0.1), (0.8, 0.2))]})
        {'max': (1, 2)}
    """
    return {arm: (sum(each.same for each in ones), len(ones)) for arm, ones in found.items()}
