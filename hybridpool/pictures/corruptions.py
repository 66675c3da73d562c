"""Images to corrupted images in the style of the benchmark CIFAR-10-C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from hybridpool.pictures.draws import Generators, check_choice, check_floating
from hybridpool.pictures.noises import (
    gaussian_noise,
    poisson_noise,
    salt_and_pepper_noise,
    speckle_noise,
)
from hybridpool.pictures.quality import brightness, contrast, jpeg, through_pillow


@dataclass(frozen=True)
class Corruption:
    """A corruption in the style of CIFAR-10-C.

    Attributes:
        apply: Called with the image, the parameter and, if it is random, the generator.
        parameter: What the severities set.
        severities: The parameter at severity 1, 2, 3, 4 and 5.
        random: Whether it draws from the generator.
    """

    apply: Callable[..., Tensor]
    parameter: str
    severities: tuple[float, float, float, float, float]
    random: bool = False


def corrupt(image: Tensor, name: str, severity: int, generator: Generators | None = None) -> Tensor:
    """Corrupt an image in the style of CIFAR-10-C, with the benchmark's parameters for 32 x 32.

    Like the benchmark it starts from 8 bit levels and stores 8 bit levels, cut off rather than
    rounded. Noise is drawn from another random generator than the benchmark's, and JPEG depends on
    the version of the library, so results are "CIFAR-10-C style": compare them with each other, and
    use the published files to compare with published numbers. It is computed on the CPU.

    Args:
        image: The image, values in [0, 1].
        name: A key of `CIFAR10C_STYLE`.
        severity: 1 to 5.
        generator: Where noise is drawn from; brightness, contrast, jpeg and pixelate need none.

    Shape:
        ``(..., 3, H, W)`` to the same.

    Raises:
        ValueError: an unknown name or severity, an image without three channels or with values
            outside [0, 1], or no generator for a corruption that draws.

    Source:
        Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
        Perturbations, 2019; parameters from their script for CIFAR-10-C.

    Example:
        >>> import torch
        >>> dark = torch.full((3, 2, 2), 51 / 255)
        >>> (corrupt(dark, "brightness", 5)[0, 0, 0] * 255).item()  # 51 + 0.3 * 255 = 127.5
        127.0
    """
    corruption = _checked(image, name, severity)
    if corruption.random and generator is None:
        raise ValueError(f'"{name}" draws noise, but got no generator; pass a torch.Generator')
    levels = (image.detach().cpu().double() * 255).round() / 255
    drawn_from = (generator,) if corruption.random else ()
    changed = corruption.apply(levels, corruption.severities[severity - 1], *drawn_from)
    return ((changed.clamp(0, 1) * 255).floor() / 255).to(image)


def _checked(image: Tensor, name: str, severity: int) -> Corruption:
    """The corruption of that name, if it exists and the image can be corrupted."""
    check_choice("corruption", name, list(CIFAR10C_STYLE))
    if severity not in (1, 2, 3, 4, 5):
        raise ValueError(f"severity must be 1, 2, 3, 4 or 5, but got {severity}; choose one")
    check_floating(image)
    if image.ndim < 3 or image.shape[-3] != 3 or image.numel() == 0:
        raise ValueError(
            f"a corruption needs an image (..., 3, H, W) that is not empty, but got shape "
            f"{tuple(image.shape)}; convert it to RGB"
        )
    if not bool(((image >= 0) & (image <= 1)).all()):
        raise ValueError(
            f"a corruption needs an image with values in [0, 1], but got some from "
            f"{image.min():.3g} to {image.max():.3g}; clip it"
        )
    return CIFAR10C_STYLE[name]


def _pixelate(image: Tensor, factor: float) -> Tensor:
    def pixelate(picture: Image.Image) -> Image.Image:
        small = (max(1, int(picture.width * factor)), max(1, int(picture.height * factor)))
        return picture.resize(small, Image.Resampling.BOX).resize(
            picture.size, Image.Resampling.BOX
        )

    return through_pillow(pixelate, image)


CIFAR10C_STYLE: dict[str, Corruption] = {
    "gaussian_noise": Corruption(
        gaussian_noise, "standard deviation", (0.04, 0.06, 0.08, 0.09, 0.10), random=True
    ),
    "shot_noise": Corruption(
        poisson_noise, "photons at white", (500, 250, 100, 75, 50), random=True
    ),
    "impulse_noise": Corruption(
        salt_and_pepper_noise, "share of values", (0.01, 0.02, 0.03, 0.05, 0.07), random=True
    ),
    "speckle_noise": Corruption(
        speckle_noise, "standard deviation", (0.06, 0.1, 0.12, 0.16, 0.2), random=True
    ),
    "brightness": Corruption(brightness, "added to the value", (0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": Corruption(contrast, "factor", (0.75, 0.5, 0.4, 0.3, 0.15)),
    "jpeg_compression": Corruption(jpeg, "quality", (80, 65, 58, 50, 40)),
    "pixelate": Corruption(_pixelate, "factor", (0.95, 0.9, 0.85, 0.75, 0.65)),
}
