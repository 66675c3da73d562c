"""Where the answer lives: a patch at every place of the picture, and the class activation map."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybridpool.answer.networks import SIDE, Network
from hybridpool.answer.program import layers
from hybridpool.answer.run import answers, ready
from hybridpool.pictures.perturb import occlude

PATCH = 8
"""Side of the patch in pixels."""

STEP = 3
"""How far it moves."""


@dataclass(frozen=True)
class Places:
    """What one network says where a patch covers a part of the picture.

    Attributes:
        said: The class that it names for the whole picture.
        sure: (places, places) probability of that class, by the place of the patch.
        says: (places, places) the class that it names then.
        starts: First row, and first column, of the patch at each place.
        clean: The probability of that class for the whole picture.
        activation: (h, w) what each cell of the last map adds to that class's score; with the
            bias of the head they sum to the score.
    """

    said: int
    sure: Tensor
    says: Tensor
    starts: tuple[int, ...]
    clean: float
    activation: Tensor


def places(network: Network, image: Tensor) -> Places:
    """Slide a grey patch over the picture, and read the class activation map of the whole one.

    Args:
        network: The network.
        image: (3, 32, 32)

    Source:
        Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014; Zhou
        and others, "Learning Deep Features for Discriminative Localization", CVPR 2016.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("small", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("small", "max", 0, 2).eval(), info)
        >>> found = places(network, torch.zeros(3, 32, 32))
        >>> found.sure.shape, found.activation.shape
        (torch.Size([9, 9]), torch.Size([4, 4]))
    """
    starts = tuple(range(0, SIDE - PATCH + 1, STEP))
    covered = [occlude(image, top, left, PATCH, PATCH) for top in starts for left in starts]
    whole = answers(network, image[None])[0]
    said = int(whole.argmax())
    found = answers(network, torch.stack(covered))
    size = (len(starts), len(starts))
    activation = class_activation(network, image, said)
    return Places(
        said=said,
        sure=found[:, said].view(size),
        says=found.argmax(1).view(size),
        starts=starts,
        clean=whole[said].item(),
        activation=activation,
    )


@torch.no_grad()
def class_activation(network: Network, image: Tensor, target: int) -> Tensor:
    """What each cell of the last map adds to the score of a class.

    The head is the mean over the map and a linear layer, so that this is exact and no estimate.

    Args:
        network: The network.
        image: (3, 32, 32)
        target: The class.

    Shape:
        (h, w) of the last map.

    Example:
        >>> from hybridpool.training.network_files import NetworkInfo
        >>> from hybridpool.training.networks import build_network
        >>> info = NetworkInfo("air", 16, "max", 0, "nothing", 1, ("a", "b"), 1, 0.5)
        >>> network = Network("untrained", build_network("air", "max", 0, 2).eval(), info)
        >>> class_activation(network, torch.zeros(3, 32, 32), 0).shape
        torch.Size([3, 3])
    """
    maps = ready(network, image[None])
    for _name, layer in layers(network.model):
        maps = layer(maps)
    head = network.model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    return torch.einsum("c,chw->hw", head.weight[target], maps[0]) / maps[0, 0].numel()
