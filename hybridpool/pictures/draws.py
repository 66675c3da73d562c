"""What every change of a picture shares: its checks, and where its randomness comes from.

Whatever is random takes a :class:`torch.Generator` and draws from it on the generator's own device.
Two calls with generators of one seed draw the same noise, so every pooling can be shown the same;
with a generator on the CPU, an image on a GPU gets the numbers it would get on the CPU. A list of
generators, one for each image of a batch, gives every image what it would get alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Generators = torch.Generator | Sequence[torch.Generator]
_Sampler = Callable[[Tensor, torch.Generator], Tensor]


def check_floating(image: Tensor) -> None:
    """Refuse an image of whole numbers.

    Example:
        >>> check_floating(torch.zeros(3, 2, 2))
    """
    if not image.is_floating_point():
        raise TypeError(
            f"an image must be floating point with values in [0, 1], but its dtype is "
            f"{image.dtype}; convert it, 8 bit by .float() / 255"
        )


def check_image(image: Tensor) -> None:
    """Refuse what is no image.

    Example:
        >>> check_image(torch.zeros(3, 2, 2))
    """
    check_floating(image)
    if image.ndim < 2 or image.numel() == 0:
        raise ValueError(
            f"an image must be (..., H, W) and not empty, but its shape is {tuple(image.shape)}; "
            f"pass an image with rows and columns"
        )


def check_level(name: str, level: float, allowed: bool, words: str) -> None:
    """Refuse a level that is not allowed, with words for what would be.

    Example:
        >>> check_level("sigma", -1.0, False, "a number from 0")
        Traceback (most recent call last):
        ...
        ValueError: sigma must be a number from 0, but got -1.0; choose another level
    """
    if not allowed:
        raise ValueError(f"{name} must be {words}, but got {level}; choose another level")


def check_choice(name: str, choice: str, choices: Sequence[str]) -> None:
    """Refuse a choice that is not offered.

    Example:
        >>> check_choice("shape", "disc", ("rectangle", "disc"))
    """
    if choice not in choices:
        raise ValueError(
            f"{name} must be one of {', '.join(choices)}, but got {choice!r}; choose one of them"
        )


def draw(sample: _Sampler, image: Tensor, generator: Generators) -> Tensor:
    """Draw for the whole image from one generator, or for each image of a batch from its own.

    Example:
        >>> draw(uniform, torch.zeros(2, 3, 4, 4), [torch.Generator(), torch.Generator()]).shape
        torch.Size([2, 3, 4, 4])
    """
    if isinstance(generator, torch.Generator):
        return sample(image, generator).to(image.device)
    if image.ndim < 3 or len(generator) != len(image):
        raise ValueError(
            f"a list of generators needs one for each image of a batch, but got "
            f"{len(generator)} for shape {tuple(image.shape)}; pass as many, or a single one"
        )
    drawn = [sample(part, own) for part, own in zip(image, generator, strict=True)]
    return torch.stack(drawn).to(image.device)


def normal(part: Tensor, generator: torch.Generator) -> Tensor:
    """Normal numbers of mean 0 and deviation 1, one for each value.

    Example:
        >>> normal(torch.zeros(2, 3), torch.Generator()).shape
        torch.Size([2, 3])
    """
    return torch.randn(part.shape, generator=generator, device=generator.device)


def uniform(part: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers from 0 to below 1, each as likely, one for each value.

    Example:
        >>> bool((uniform(torch.zeros(2, 3), torch.Generator()) < 1).all())
        True
    """
    return torch.rand(part.shape, generator=generator, device=generator.device)
