"""Charts of how poolings answer to a changed picture: plain numbers and translated words in."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

# Blue, orange, yellow, dark red: four places of a 2 × 2 window that no common colour blindness
# confuses, because each differs from the others in lightness too.
_QUARTERS = ("#1f4e9c", "#f2a33a", "#9fd3f2", "#8c2d19")


def winner_colours(kernel_size: int) -> NDArray[np.uint8]:
    """One colour for each cell of a window, row by row: (kernel_size², 3).

    A 2 × 2 window has four colours that differ in lightness; in a larger one the hue tells the
    column and the lightness the row.

    Example:
        >>> winner_colours(3).shape
        (9, 3)
    """
    if kernel_size <= 2:
        colours = [
            tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))
            for text in _QUARTERS[: kernel_size**2]
        ]
        return np.array(colours, dtype=np.uint8)
    shades = np.linspace(0.3, 0.85, kernel_size)
    hues = np.linspace(0.58, 0.08, kernel_size)
    painted = [[colorsys.hls_to_rgb(hue, shade, 0.7) for hue in hues] for shade in shades]
    return (np.array(painted).reshape(-1, 3) * 255).round().astype(np.uint8)
