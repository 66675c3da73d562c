"""Images to changed images: noise, occlusion, shift, frequency bands.

Images are floating point, ``(..., 3, H, W)`` or ``(..., H, W)``, with values in [0, 1]; what comes
out has their shape, dtype and device.

Whatever is random takes a :class:`torch.Generator` and draws from it on the generator's own device.
Two calls with generators of one seed draw the same noise, so every pooling can be shown the same;
with a generator on the CPU, an image on a GPU gets the numbers it would get on the CPU. A list of
generators, one for each image of a batch, gives every image what it would get alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Generators = torch.Generator | Sequence[torch.Generator]


def gaussian_noise(image: Tensor, sigma: float, generator: Generators, clip: bool = True) -> Tensor:
    r"""Add independent normal noise to each value: :math:`x + \sigma z`.

    Args:
        image: the image.
        sigma: standard deviation of the noise; the image's own range is 1.
        generator: where the noise is drawn from, see the module.
        clip: cut the result off at 0 and 1, as a picture file would.

    Raises:
        ValueError: `sigma` is below zero or not finite.

    Example:
        >>> noisy = gaussian_noise(torch.full((3, 64, 64), 0.5), 0.1, torch.Generator())
        >>> round(noisy.std().item(), 2)
        0.1
    """
    _check_image(image)
    _check_level("sigma", sigma, 0 <= sigma < math.inf, "a finite number from 0")
    return _finished(image + sigma * _draw(_normal, image, generator), image, clip)


def speckle_noise(image: Tensor, sigma: float, generator: Generators, clip: bool = True) -> Tensor:
    r"""Multiply each value by normal noise around 1: :math:`x + x \sigma z`. Black stays black.

    Args:
        image: the image.
        sigma: standard deviation of the noise as a share of the value.
        generator: where the noise is drawn from, see the module.
        clip: cut the result off at 0 and 1.

    Raises:
        ValueError: `sigma` is below zero or not finite.

    Example:
        >>> speckle_noise(torch.zeros(1, 3), 0.5, torch.Generator())
        tensor([[0., 0., 0.]])
    """
    _check_image(image)
    _check_level("sigma", sigma, 0 <= sigma < math.inf, "a finite number from 0")
    return _finished(image + image * sigma * _draw(_normal, image, generator), image, clip)


def poisson_noise(
    image: Tensor, photons: float, generator: Generators, clip: bool = True
) -> Tensor:
    r"""Count photons (shot noise): :math:`\operatorname{Poisson}(x \cdot n) / n`.

    The fewer photons, the more noise: a value x gets the standard deviation :math:`\sqrt{x / n}`.

    Args:
        image: the image, no value below zero.
        photons: how many photons a white value counts on average.
        generator: where the counts are drawn from, see the module.
        clip: cut the result off at 1.

    Raises:
        ValueError: `photons` is not above zero or not finite, or a value is below zero or NaN.

    Example:
        >>> counted = poisson_noise(torch.full((64, 64), 0.5), 4, torch.Generator())
        >>> counted.unique().tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    _check_image(image)
    _check_level("photons", photons, 0 < photons < math.inf, "a finite number above 0")
    if not bool((image >= 0).all()):
        raise ValueError(
            "photons can only be counted for values from 0, but the image has some that are below "
            "or NaN; clip it to [0, 1]"
        )

    def counts(part: Tensor, generator: torch.Generator) -> Tensor:
        return torch.poisson((part.float() * photons).to(generator.device), generator)

    return _finished(_draw(counts, image, generator) / photons, image, clip)


def salt_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 1, each channel for itself.

    Args:
        image: the image.
        amount: chance of each value to be hit. With one seed, what a small amount hits a larger
            one hits too.
        generator: where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> salt_noise(torch.zeros(1, 3), 1.0, torch.Generator())
        tensor([[1., 1., 1.]])
    """
    _check_image(image)
    _check_level("amount", amount, 0 <= amount <= 1, "a share from 0 to 1")
    return image.masked_fill(_draw(_uniform, image, generator) < amount, 1)


def pepper_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 0, each channel for itself.

    Args:
        image: the image.
        amount: chance of each value to be hit, see :func:`salt_noise`.
        generator: where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> pepper_noise(torch.ones(1, 3), 1.0, torch.Generator())
        tensor([[0., 0., 0.]])
    """
    _check_image(image)
    _check_level("amount", amount, 0 <= amount <= 1, "a share from 0 to 1")
    return image.masked_fill(_draw(_uniform, image, generator) < amount, 0)


def salt_and_pepper_noise(image: Tensor, amount: float, generator: Generators) -> Tensor:
    """Set a share of the values to 0 or 1, as often to either, each channel for itself.

    Also known as impulse noise.

    Args:
        image: the image.
        amount: chance of each value to be hit by either, see :func:`salt_noise`.
        generator: where the hits are drawn from, see the module.

    Raises:
        ValueError: `amount` is not in [0, 1].

    Example:
        >>> salt_and_pepper_noise(torch.full((64, 64), 0.5), 1.0, torch.Generator()).unique()
        tensor([0., 1.])
    """
    _check_image(image)
    _check_level("amount", amount, 0 <= amount <= 1, "a share from 0 to 1")
    drawn = _draw(_uniform, image, generator)
    return image.masked_fill(drawn < amount / 2, 0).masked_fill(drawn >= 1 - amount / 2, 1)


@dataclass(frozen=True)
class Noise:
    """A kind of noise and the level that sets its strength: enough to build its control from.

    Attributes:
        function: called with the image, the level and the generator.
        level: name of the level, as in the function's signature.
        unit: what the level is counted in.
        low: the lowest level worth a look.
        high: the highest.
        default: the level to begin with.
        logarithmic: whether equal steps should be equal ratios.
        more_is_noisier: whether a higher level is more noise; photons are the other way round.
    """

    function: Callable[[Tensor, float, Generators], Tensor]
    level: str
    unit: str
    low: float
    high: float
    default: float
    logarithmic: bool = False
    more_is_noisier: bool = True


_OF_RANGE, _OF_VALUE, _OF_VALUES = "of the range", "of the value", "of the values"

NOISES: dict[str, Noise] = {
    "gaussian": Noise(gaussian_noise, "sigma", _OF_RANGE, 0.0, 0.5, 0.1),
    "salt": Noise(salt_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05),
    "pepper": Noise(pepper_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05),
    "salt_and_pepper": Noise(salt_and_pepper_noise, "amount", _OF_VALUES, 0.0, 0.5, 0.05),
    "speckle": Noise(speckle_noise, "sigma", _OF_VALUE, 0.0, 1.0, 0.2),
    "poisson": Noise(
        poisson_noise, "photons", "at white", 2.0, 1000.0, 50.0, True, more_is_noisier=False
    ),
}


FILLS = ("black", "grey", "mean", "blur", "noise")
SHAPES = ("rectangle", "disc")


def occlusion_mask(
    size: tuple[int, int], top: int, left: int, height: int, width: int, shape: str = "rectangle"
) -> Tensor:
    """Mark the pixels that :func:`occlude` covers.

    Args:
        size: height and width of the image.
        top: first row of the patch, may lie outside the image.
        left: its first column, likewise.
        height: its rows.
        width: its columns.
        shape: ``"rectangle"``, or ``"disc"`` for the pixels whose centres lie in the ellipse that
            fits into the rectangle.

    Shape:
        bool, ``(H, W)``.

    Raises:
        ValueError: height or width is below zero, or the shape is unknown.

    Example:
        >>> occlusion_mask((2, 4), top=1, left=-1, height=5, width=3).int().tolist()
        [[0, 0, 0, 0], [1, 1, 0, 0]]
    """
    patch = _Patch.of(size, top, left, height, width)
    mask = torch.zeros(size, dtype=torch.bool)
    mask[patch.rows, patch.columns] = patch.covered(shape)
    return mask


def occlude(
    image: Tensor,
    top: int,
    left: int,
    height: int,
    width: int,
    fill: str = "grey",
    generator: Generators | None = None,
    shape: str = "rectangle",
) -> Tensor:
    """Cover a part of the image; what of the patch lies outside the image is cut off.

    A network reacts to the colour and shape of a patch too, not only to what it hides
    (Balasubramanian and Feizi, arXiv 2211.14646), so compare several fills.

    Args:
        image: the image.
        top: first row of the patch, may lie outside the image.
        left: its first column, likewise.
        height: its rows.
        width: its columns.
        fill: ``"black"``, ``"grey"`` (0.5), ``"mean"`` of each channel over the image, ``"blur"``
            (the image through a Gaussian whose sigma is a quarter of the patch's longer side), or
            ``"noise"`` (uniform on [0, 1], each channel for itself).
        generator: where ``"noise"`` is drawn from; the other fills need none.
        shape: ``"rectangle"`` or ``"disc"``, see :func:`occlusion_mask`.

    Raises:
        ValueError: the fill or the shape is unknown, height or width is below zero, or there is no
            generator to draw noise from.

    Example:
        >>> occlude(torch.ones(2, 4), top=0, left=1, height=1, width=2, fill="black").tolist()
        [[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """
    _check_image(image)
    _check_fill(fill, generator)
    patch = _Patch.of(image.shape[-2:], top, left, height, width)
    covered = patch.covered(shape).to(image.device)
    occluded = image.clone()
    if covered.any():
        there = occluded[..., patch.rows, patch.columns]
        content = _content(image, patch, fill, generator).to(image)
        there.copy_(torch.where(covered, content, there))
    return occluded


def patch_content(
    image: Tensor, height: int, width: int, fill: str, generator: Generators | None = None
) -> Tensor:
    """What :func:`occlude` shows where a patch lies, for all its places at once.

    Args:
        image: the image.
        height: rows of the patch.
        width: its columns.
        fill: as in :func:`occlude`.
        generator: where ``"noise"`` is drawn from.

    Shape:
        As the image, for each pixel what the patch shows there; for ``"noise"``, which moves along
        with the patch, ``(..., height, width)``.

    Raises:
        ValueError: the fill is unknown, height or width is below 1, or there is no generator to
            draw noise from.

    Example:
        >>> patch_content(torch.tensor([[0.2, 0.4]]), 1, 1, "mean")
        tensor([[0.3000, 0.3000]])
    """
    _check_image(image)
    _check_fill(fill, generator)
    if height < 1 or width < 1:
        raise ValueError(
            f"a patch shows something from 1 x 1 on, but got {height} x {width}; make it larger"
        )
    rows, columns = (height, width) if fill == "noise" else image.shape[-2:]
    patch = _Patch(0, 0, height, width, slice(0, rows), slice(0, columns))
    content = _content(image, patch, fill, generator).to(image)
    return content.expand(*image.shape[:-2], rows, columns)


class _Patch(NamedTuple):
    """A rectangle as asked for, and the rows and columns of it that lie on the image."""

    top: int
    left: int
    height: int
    width: int
    rows: slice
    columns: slice

    @classmethod
    def of(cls, size: Sequence[int], top: int, left: int, height: int, width: int) -> _Patch:
        if height < 0 or width < 0:
            raise ValueError(
                f"a patch needs a height and a width of 0 or more, but got {height} x {width}; "
                f"give its top left corner and its size"
            )
        rows, columns = (
            slice(min(max(0, start), end), max(0, min(end, start + side)))
            for start, side, end in ((top, height, size[0]), (left, width, size[1]))
        )
        return cls(top, left, height, width, rows, columns)

    def covered(self, shape: str) -> Tensor:
        """Which pixels of the part on the image the shape covers."""
        _check_choice("shape", shape, SHAPES)
        # Twice the distance from the middle, in whole numbers, so that no rounding decides.
        rows = 2 * (torch.arange(self.rows.start, self.rows.stop) - self.top) + 1 - self.height
        columns = 2 * (torch.arange(self.columns.start, self.columns.stop) - self.left)
        columns = columns + 1 - self.width
        if shape == "rectangle":
            return torch.ones(len(rows), len(columns), dtype=torch.bool)
        across = (columns * self.height).square()
        return (rows[:, None] * self.width).square() + across <= (self.height * self.width) ** 2


def _content(image: Tensor, patch: _Patch, fill: str, generator: Generators | None) -> Tensor:
    """What is seen where the patch lies on the image; broadcasts with that part."""
    if fill == "mean":
        return image.mean((-2, -1), keepdim=True)
    if fill == "blur":
        return _blurred(image, patch)
    if fill == "noise" and generator is not None:
        return _random(image, patch, generator)
    return image.new_tensor(0.5 if fill == "grey" else 0.0)


def _blurred(image: Tensor, patch: _Patch) -> Tensor:
    """The image through a Gaussian, computed only where the patch lies."""
    sigma = max(patch.height, patch.width) / 4
    values = image.to(torch.promote_types(image.dtype, torch.float32))

    def taps(part: slice, size: int) -> Tensor:
        distance = torch.arange(part.start, part.stop)[:, None] - torch.arange(size)
        weights = torch.exp(-(distance / sigma).square() / 2)
        return (weights / weights.sum(1, keepdim=True)).to(values)

    return taps(patch.rows, image.shape[-2]) @ values @ taps(patch.columns, image.shape[-1]).T


def _random(image: Tensor, patch: _Patch, generator: Generators) -> Tensor:
    """Noise for the whole patch, cut where it leaves the image: it moves along with the patch."""

    def uniform(part: Tensor, generator: torch.Generator) -> Tensor:
        shape = (*part.shape[:-2], patch.height, patch.width)
        return torch.rand(shape, generator=generator, device=generator.device)

    rows, columns = (
        slice(part.start - start, part.stop - start)
        for part, start in ((patch.rows, patch.top), (patch.columns, patch.left))
    )
    return _draw(uniform, image, generator)[..., rows, columns]


def shift(
    image: Tensor, rows: int, columns: int, mode: str = "crop", margin: int | None = None
) -> Tensor:
    """Shift the content of the image down and to the right.

    ``"crop"`` invents no pixel: it is a window on the image, `margin` smaller on each side, that is
    moved the other way. All shifts that fit one margin have the same size, so a shift and the
    shift by zero with the same margin are two views of one picture.

    Args:
        image: the image.
        rows: pixels down; up if negative.
        columns: pixels to the right; to the left if negative.
        mode: ``"crop"``, or ``"circular"``, where what leaves at one edge comes back at the other.
        margin: for ``"crop"``, what is cut off on each side; the larger of both shifts by default.

    Shape:
        ``(..., H, W)`` to ``(..., H - 2 margin, W - 2 margin)``, or the same size if circular.

    Raises:
        ValueError: an unknown mode, a margin smaller than the shift or larger than the image
            allows, or a margin where nothing is cropped.

    Example:
        >>> image = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).expand(3, 4)
        >>> shift(image, 0, 0, margin=1)
        tensor([[0.2000, 0.3000]])
        >>> shift(image, 0, 1, margin=1)
        tensor([[0.1000, 0.2000]])
        >>> shift(image, 0, 1, mode="circular")[0]
        tensor([0.4000, 0.1000, 0.2000, 0.3000])
    """
    _check_image(image)
    _check_choice("mode", mode, ("crop", "circular"))
    if mode == "circular":
        if margin is not None:
            raise ValueError(f"a circular shift crops nothing, but got margin {margin}; leave it")
        return image.roll((rows, columns), (-2, -1))
    least = max(abs(rows), abs(columns))
    margin = least if margin is None else margin
    height, width = (size - 2 * margin for size in image.shape[-2:])
    if margin < least or height < 1 or width < 1:
        raise ValueError(
            f"a shift by {rows} rows and {columns} columns needs a margin from {least} to less "
            f"than half of the image, but got {margin} for {image.shape[-2]} x {image.shape[-1]} "
            f"pixels; change the margin or shift less"
        )
    top, left = margin - rows, margin - columns
    return image[..., top : top + height, left : left + width]


def band_pass(image: Tensor, low: float, high: float | None = None) -> Tensor:
    """Keep the mean and the spatial frequencies from `low` to below `high`, in any direction.

    The filter cuts sharply in the Fourier transform, so waves run along strong edges. The image is
    taken as periodic. The result is not clipped to [0, 1], which would bring frequencies back.
    Bands that join add up: their results minus the mean sum to the image minus its mean.

    Args:
        image: the image.
        low: where the band begins, as a share of the Nyquist frequency (half a cycle a pixel).
        high: where it ends; None keeps all above `low`, up to the corners at 1.41.

    Raises:
        ValueError: the band does not rise from 0 or more.

    Example:
        >>> stripes = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
        >>> band_pass(stripes, 0.75)  # one cycle in two pixels is the Nyquist frequency
        tensor([[0., 1., 0., 1.]])
        >>> band_pass(stripes, 0, 0.75)
        tensor([[0.5000, 0.5000, 0.5000, 0.5000]])
    """
    _check_image(image)
    end = math.inf if high is None else high
    if not 0 <= low < end:
        raise ValueError(
            f"a band must rise from 0 or more, but got {low} to {high}; swap or change its ends"
        )
    rows, columns = (2 * torch.fft.fftfreq(size, dtype=torch.float64) for size in image.shape[-2:])
    radius = torch.hypot(rows[:, None], columns)
    kept = ((radius >= low) & (radius < end)) | (radius == 0)
    values = image.to(torch.promote_types(image.dtype, torch.float32))
    spectrum: Tensor = torch.fft.fft2(values)
    passed: Tensor = torch.fft.ifft2(spectrum.where(kept.to(image.device), 0))
    return passed.real.to(image.dtype)


def _check_image(image: Tensor) -> None:
    if not image.is_floating_point():
        raise TypeError(
            f"an image must be floating point with values in [0, 1], but its dtype is "
            f"{image.dtype}; convert it, 8 bit by .float() / 255"
        )
    if image.ndim < 2 or image.numel() == 0:
        raise ValueError(
            f"an image must be (..., H, W) and not empty, but its shape is {tuple(image.shape)}; "
            f"pass an image with rows and columns"
        )


def _check_fill(fill: str, generator: Generators | None) -> None:
    _check_choice("fill", fill, FILLS)
    if fill == "noise" and generator is None:
        raise ValueError('the fill "noise" needs a generator, but got None; pass a torch.Generator')


def _check_level(name: str, level: float, allowed: bool, words: str) -> None:
    if not allowed:
        raise ValueError(f"{name} must be {words}, but got {level}; choose another level")


def _check_choice(name: str, choice: str, choices: Sequence[str]) -> None:
    if choice not in choices:
        raise ValueError(
            f"{name} must be one of {', '.join(choices)}, but got {choice!r}; choose one of them"
        )


_Sampler = Callable[[Tensor, torch.Generator], Tensor]


def _draw(sample: _Sampler, image: Tensor, generator: Generators) -> Tensor:
    """Draw for the whole image from one generator, or for each image of a batch from its own."""
    if isinstance(generator, torch.Generator):
        return sample(image, generator).to(image.device)
    if image.ndim < 3 or len(generator) != len(image):
        raise ValueError(
            f"a list of generators needs one for each image of a batch, but got "
            f"{len(generator)} for shape {tuple(image.shape)}; pass as many, or a single one"
        )
    drawn = [sample(part, own) for part, own in zip(image, generator, strict=True)]
    return torch.stack(drawn).to(image.device)


def _normal(part: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(part.shape, generator=generator, device=generator.device)


def _uniform(part: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(part.shape, generator=generator, device=generator.device)


def _finished(changed: Tensor, image: Tensor, clip: bool) -> Tensor:
    return (changed.clamp(0, 1) if clip else changed).to(image.dtype)
