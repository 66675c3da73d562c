"""Images to shifted images, and to images of a band of their frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hybridpool.pictures.draws import check_choice, check_image


def shift(
    image: Tensor, rows: int, columns: int, mode: str = "crop", margin: int | None = None
) -> Tensor:
    """Shift the content of the image down and to the right.

    ``"crop"`` invents no pixel: it is a window on the image, `margin` smaller on each side, that is
    moved the other way. All shifts that fit one margin have the same size, so a shift and the
    shift by zero with the same margin are two views of one picture.

    Args:
        image: The image.
        rows: Pixels down; up if negative.
        columns: Pixels to the right; to the left if negative.
        mode: ``"crop"``, or ``"circular"``, where what leaves at one edge comes back at the other.
        margin: For ``"crop"``, what is cut off on each side; the larger of both shifts by default.

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
    check_image(image)
    check_choice("mode", mode, ("crop", "circular"))
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
        image: The image.
        low: Where the band begins, as a share of the Nyquist frequency (half a cycle a pixel).
        high: Where it ends; None keeps all above `low`, up to the corners at 1.41.

    Raises:
        ValueError: the band does not rise from 0 or more.

    Example:
        >>> stripes = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
        >>> band_pass(stripes, 0.75)  # one cycle in two pixels is the Nyquist frequency
        tensor([[0., 1., 0., 1.]])
        >>> band_pass(stripes, 0, 0.75)
        tensor([[0.5000, 0.5000, 0.5000, 0.5000]])
    """
    check_image(image)
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
