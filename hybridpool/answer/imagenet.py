"""torchvision's ResNet-18, which learned with max pooling, also with that pooling blended."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybridpool.functional import hybrid_pool2d
from hybridpool.stem.files import resnet18_state
from hybridpool.stem.sets import IMAGENET_MEAN, IMAGENET_STD
from hybridpool.trace import on_device_or_cpu

IMAGENET_SIDE = 224
"""Height and width of the pictures that it sees."""


@dataclass(frozen=True)
class ImageNetNetwork:
    """ResNet-18 in evaluation mode.

    Attributes:
        model: torchvision's network; shared, so it must not be changed.
        classes: torchvision's names of its 1,000 classes, in English.
    """

    model: nn.Module
    classes: tuple[str, ...]


def imagenet_network() -> ImageNetNetwork:
    """ResNet-18 with torchvision's ImageNet weights: from the disk, else downloaded.

    Raises:
        StemUnavailable: If the weights cannot be had, in one sentence.

    Example:
        >>> len(imagenet_network().classes)  # doctest: +SKIP
        1000
    """
    # torchvision takes longer to import than everything else here together.
    from torchvision.models import ResNet18_Weights, resnet18

    state = resnet18_state()
    with torch.device("meta"):  # draws no weights that would be replaced at once
        model = resnet18()
    model.load_state_dict(state, assign=True)
    model.requires_grad_(False)
    classes = tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    return ImageNetNetwork(model.eval().to(memory_format=torch.channels_last), classes)


@torch.no_grad()
def imagenet_answers(
    network: ImageNetNetwork, pictures: Tensor, weights: Sequence[float], device: torch.device
) -> Tensor:
    """The probability of each class, with each blend weight in the place of its one max pooling.

    Its max pooling, 3 × 3 with stride 2, stands in front of everything but the first convolution.
    With the weight 1 it is the network as torchvision has it, and every other weight is one that it
    was not trained with.

    Args:
        network: The network.
        pictures: (N, 3, 224, 224) in [0, 1].
        weights: Blend weights, from 0 for average to 1 for max.
        device: Where it is computed; if it runs out of memory, the CPU does the work.

    Shape:
        (weights, N, classes)

    Example:
        >>> from torchvision.models import resnet18
        >>> untrained = ImageNetNetwork(resnet18(num_classes=5).eval(), tuple("abcde"))
        >>> blank = torch.zeros(1, 3, 64, 64)
        >>> imagenet_answers(untrained, blank, [1.0, 0.5], torch.device("cpu")).shape
        torch.Size([2, 1, 5])
    """
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    batch = ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)

    def compute(where: torch.device) -> Tensor:
        model = network.model if where.type == "cpu" else copy.deepcopy(network.model).to(where)
        part = model.get_submodule
        front = part("relu")(part("bn1")(part("conv1")(batch.to(where))))
        pool = part("maxpool")
        assert isinstance(pool, nn.MaxPool2d)
        window = (pool.kernel_size, pool.stride, pool.padding)
        found = []
        for weight in weights:
            maps = hybrid_pool2d(front, weight, *window)
            for name in ("layer1", "layer2", "layer3", "layer4", "avgpool"):
                maps = part(name)(maps)
            found.append(part("fc")(maps.flatten(1)).softmax(1).cpu())
        return torch.stack(found)

    return on_device_or_cpu(compute, device)[0]
