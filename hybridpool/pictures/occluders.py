"""Images to images of which a patch covers a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from hybridpool.pictures.draws import Generators, check_choice, check_image, draw

FILLS = ("black", "grey", "mean", "blur", "noise")
SHAPES = ("rectangle", "disc")


def occlusion_mask(
    size: tuple[int, int], top: int, left: int, height: int, width: int, shape: str = "rectangle"
) -> Tensor:
    """Mark the pixels that :func:`occlude` covers.

    Args:
        size: Height and width of the image.
        top: First row of the patch, may lie outside the image.
        left: Its first column, likewise.
        height: Its rows.
        width: Its columns.
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
        image: The image.
        top: First row of the patch, may lie outside the image.
        left: Its first column, likewise.
        height: Its rows.
        width: Its columns.
        fill: ``"black"``, ``"grey"`` (0.5), ``"mean"`` of each channel over the image, ``"blur"``
            (the image through a Gaussian whose sigma is a quarter of the patch's longer side), or
            ``"noise"`` (uniform on [0, 1], each channel on its own).
        generator: Where ``"noise"`` is drawn from; the other fills need none.
        shape: ``"rectangle"`` or ``"disc"``, see :func:`occlusion_mask`.

    Raises:
        ValueError: the fill or the shape is unknown, height or width is below zero, or there is no
            generator to draw noise from.

    Example:
        >>> occlude(torch.ones(2, 4), top=0, left=1, height=1, width=2, fill="black").tolist()
        [[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """
    check_image(image)
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
        image: The image.
        height: Rows of the patch.
        width: Its columns.
        fill: As in :func:`occlude`.
        generator: Where ``"noise"`` is drawn from.

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
    check_image(image)
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
        check_choice("shape", shape, SHAPES)
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
    return draw(uniform, image, generator)[..., rows, columns]


def _check_fill(fill: str, generator: Generators | None) -> None:
    check_choice("fill", fill, FILLS)
    if fill == "noise" and generator is None:
        raise ValueError('the fill "noise" needs a generator, but got None; pass a torch.Generator')
