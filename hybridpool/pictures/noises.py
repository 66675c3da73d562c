"""Images to noisy images: one kind of noise, one level, one generator.

Images are floating point, ``(..., 3, H, W)`` or ``(..., H, W)``, with values in [0, 1]; what comes
out has their shape, dtype and device. See :mod:`hybridpool.pictures.draws` for the generators.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.pictures.draws import Generators, check_image, check_level, draw, normal, uniform


def gaussian_noise(image: Tensor, sigma: float, generator: Generators, clip: bool = True) -> Tensor:
    r"""Add independent normal noise to each value: :math:`x + \sigma z`.

    Args:
        image: The image.
        sigma: Standard deviation of the noise; the image's own range is 1.
        generator: Where the noise is drawn from, see the module.
        clip: Cut the result off at 0 and 1, as a picture file would.

    Raises:
        ValueError: `sigma` is below zero or not finite.

    Example:
        >>> noisy = gaussian_noise(torch.full((3, 64, 64), 0.5), 0.1, torch.Generator())
        >>> round(noisy.std().item(), 2)
        0.1
    """
    check_image(image)
    check_level("sigma", sigma, 0 <= sigma < math.inf, "a finite number from 0")
    return _finished(image + sigma * draw(normal, image, generator), image, clip)


def speckle_noise(image: Tensor, sigma: float, generator: Generators, clip: bool = True) -> Tensor:
    r"""Multiply each value by normal noise around 1: :math:`x + x \sigma z`. Black stays black.

    Args:
        image: The image.
        sigma: Standard deviation of the noise as a share of the value.
        generator: Where the noise is drawn from, see the module.
        clip: Cut the result off at 0 and 1.

    Raises:
        ValueError: `sigma` is below zero or not finite.

    Example:
        >>> speckle_noise(torch.zeros(1, 3), 0.5, torch.Generator())
        tensor([[0., 0., 0.]])
    """
    check_image(image)
    check_level("sigma", sigma, 0 <= sigma < math.inf, "a finite number from 0")
    return _finished(image + image * sigma * draw(normal, image, generator), image, clip)


def poisson_noise(
    image: Tensor, photons: float, generator: Generators, clip: bool = True
) -> Tensor:
    r"""Count photons (shot noise): :math:`\operatorname{Poisson}(x \cdot n) / n`.

    The fewer photons, the more noise: a value x gets the standard deviation :math:`\sqrt{x / n}`.

    Args:
        image: The image, no value below zero.
        photons: How many photons a white value counts on average.
        generator: Where the counts are drawn from, see the module.
        clip: Cut the result off at 1.

    Raises:
        ValueError: `photons` is not above zero or not finite, or a value is below zero or NaN.

    Example:
        >>> counted = poisson_noise(torch.full((64, 64), 0.5), 4, torch.Generator())
        >>> counted.unique().tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    check_image(image)
    check_level("photons", photons, 0 < photons < math.inf, "a finite number above 0")
    if not bool((image >= 0).all()):
        raise ValueError(
            "photons can only be counted for values from 0, but the image has some that are below "
            "or NaN; clip it to [0, 1]"
        )

    def counts(part: Tensor, generator: torch.Generator) -> Tensor:
        return torch.poisson((part.float() * photons).to(generator.device), generator)

    return _finished(draw(counts, image, generator) / photons, image, clip)


def _drawn(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """A number from 0 to 1 for each value, by which a share of `amount` is hit."""
    check_image(image)
    check_level("amount", amount, 0 <= amount <= 1, "a share from 0 to 1")
    return draw(uniform, image, generator)


def salt_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 1, each channel on its own.

    Args:
        image: The image.
        amount: Chance of each value to be hit. With one seed, what a small amount hits a larger
            one hits too.
        generator: Where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> salt_noise(torch.zeros(1, 3), 1.0, torch.Generator())
        tensor([[1., 1., 1.]])
    """
    return image.masked_fill(_drawn(image, amount, generator) < amount, 1)


def pepper_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 0, each channel on its own.

    Args:
        image: The image.
        amount: Chance of each value to be hit, see :func:`salt_noise`.
        generator: Where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> pepper_noise(torch.ones(1, 3), 1.0, torch.Generator())
        tensor([[0., 0., 0.]])
    """
    return image.masked_fill(_drawn(image, amount, generator) < amount, 0)


def salt_and_pepper_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 0 or 1, as often to either, each channel on its own.

    Also known as impulse noise.

    Args:
        image: The image.
        amount: Chance of each value to be hit by either, see :func:`salt_noise`.
        generator: Where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> salt_and_pepper_noise(torch.full((64, 64), 0.5), 1.0, torch.Generator()).unique()
        tensor([0., 1.])
    """
    drawn = _drawn(image, amount, generator)
    return image.masked_fill(drawn < amount / 2, 0).masked_fill(drawn >= 1 - amount / 2, 1)


@dataclass(frozen=True)
class Noise:
    """A change of the whole picture and the level that sets its strength.

    It is enough to build a control from.

    Attributes:
        function: Called with the image, the level and, if it is random, the generator.
        level: Name of the level, as in the function's signature.
        unit: What the level is counted in.
        low: The lowest level worth a look.
        high: The highest.
        default: The level to begin with.
        logarithmic: Whether equal steps should be equal ratios.
        more_is_noisier: Whether a higher level is more noise; photons are the other way round.
        random: Whether it draws from the generator.
        scales: Draws the numbers, one for each value, that the level scales; None where there are
            none, as with photons, which are drawn anew at each level.
        steps: How many equal steps a control goes from `low` to `high`.
    """

    function: Callable[..., Tensor]
    level: str
    unit: str
    low: float
    high: float
    default: float
    logarithmic: bool = False
    more_is_noisier: bool = True
    random: bool = True
    steps: int = 50
    scales: Callable[[Tensor, torch.Generator], Tensor] | None = None

    def apply(self, image: Tensor, level: float, generator: Generators) -> Tensor:
        """The image changed by this level.

        Example:
            >>> NOISES["salt"].apply(torch.zeros(1, 2), 1.0, torch.Generator())
            tensor([[1., 1.]])
        """
        return self.function(image, level, *([generator] if self.random else []))


_OF_RANGE, _OF_VALUE, _OF_VALUES = "of the range", "of the value", "of the values"

NOISES: dict[str, Noise] = {
    "gaussian": Noise(gaussian_noise, "sigma", _OF_RANGE, 0.0, 0.5, 0.1, scales=normal),
    "salt": Noise(salt_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05, scales=uniform),
    "pepper": Noise(pepper_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05, scales=uniform),
    "salt_and_pepper": Noise(
        salt_and_pepper_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05, scales=uniform
    ),
    "speckle": Noise(speckle_noise, "sigma", _OF_VALUE, 0.0, 1.0, 0.2, scales=normal),
    "poisson": Noise(
        poisson_noise, "photons", "at white", 2.0, 1000.0, 50.0, True, more_is_noisier=False
    ),
}


def _finished(changed: Tensor, image: Tensor, clip: bool) -> Tensor:
    return (changed.clamp(0, 1) if clip else changed).to(image.dtype)
