"""What a network sees: the middle square of a picture at 32 × 32, and what is known to be on it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from hybridpool.answer.networks import SIDE
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.image import fit_image
from hybridpool.training.cifar10_copy import first_of_each_class
from hybridpool.training.data import CIFAR10_CLASSES, DataUnavailable

KNOWN = {"chelsea": "cat", "horse": "horse"}
"""Pictures of the gallery that show one of the ten classes of CIFAR-10 beyond doubt."""

OUTSIDE = tuple(key for key in GALLERY if key not in KNOWN)
"""Pictures of the gallery that show none of them."""

OF_EACH_CLASS = 3
"""How many test pictures of each class are offered."""

_ORIGINAL = "cifar-10-batches-py"


def as_seen(image: Tensor) -> Tensor:
    """The middle square of a picture, 32 × 32 pixels in 8 bit levels: what the networks see.

    Args:
        image: The picture (3, H, W), floats in [0, 1].

    Shape:
        (3, 32, 32)

    Example:
        >>> as_seen(torch.rand(3, 50, 90)).shape
        torch.Size([3, 32, 32])
    """
    return middle_square(image, SIDE)


def middle_square(image: Tensor, side: int) -> Tensor:
    """The middle square of a picture (3, H, W) in `side` × `side` pixels and 8 bit levels.

    Example:
        >>> middle_square(torch.ones(3, 9, 20), 8).shape
        torch.Size([3, 8, 8])
    """
    height, width = image.shape[-2:]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    square = fit_image(image[:, top : top + shorter, left : left + shorter], side)
    return (square * 255).round() / 255


def test_pictures(folder: Path) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]]:
    """The first test pictures of each class of CIFAR-10, from a person's own copy of it.

    Args:
        folder: With ``test.parquet`` of the JPEG copy, or with the original as torchvision keeps
            it.

    Returns:
        Pictures (N, 3, 32, 32) in [0, 1], the label of each, and its place in the test set.

    Raises:
        DataUnavailable: If there is no copy that can be read.

    Example:
        >>> test_pictures(Path("no such folder"))
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is no test.parquet in no such ...
    """
    if (folder / _ORIGINAL).is_dir():
        pictures, labels, places = _original(folder)
    else:
        pictures, labels, places = first_of_each_class(
            folder / "test.parquet", SIDE, CIFAR10_CLASSES, OF_EACH_CLASS
        )
    return pictures.float() / 255, tuple(labels.tolist()), tuple(places)


def _original(folder: Path) -> tuple[Tensor, Tensor, list[int]]:
    # torchvision takes longer to import than everything else here together.
    from torchvision.datasets import CIFAR10

    try:
        found = CIFAR10(str(folder), train=False)
    except (OSError, RuntimeError) as error:
        raise DataUnavailable(
            f"The copy of CIFAR-10 in {folder} cannot be read: {error}"
        ) from error
    labels = torch.tensor(found.targets)
    places = [
        int(place)
        for label in range(len(CIFAR10_CLASSES))
        for place in (labels == label).nonzero().flatten()[:OF_EACH_CLASS]
    ]
    pictures = torch.from_numpy(found.data[places]).permute(0, 3, 1, 2)
    return pictures, labels[places], places
