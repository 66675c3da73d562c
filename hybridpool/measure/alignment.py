"""Maps of a shifted picture, laid over those of the picture itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hybridpool.measure.changes import exact, same_shape


def nearest_cells(distance: float) -> int:
    """How many whole cells to move a map so that it lies over another; half a cell counts as none.

    Example:
        >>> [nearest_cells(distance) for distance in (0.5, 0.75, -1.25, -0.5)]
        [0, 1, -1, 0]
    """
    return int(math.copysign(math.ceil(abs(distance) - 0.5), distance))


def align(
    before: Tensor, after: Tensor, rows: float, columns: float, mode: str = "crop"
) -> tuple[Tensor, Tensor]:
    """Lay two maps of a shifted picture over each other, so that the same content meets.

    The content of `after` lies `rows` cells further down and `columns` further right; for a picture
    shifted by pixels that is pixels divided by the map's stride, and often no whole number.

    Args:
        before: The map of the picture.
        after: The map of the shifted picture, of the same shape.
        rows: Cells by which the content moved down.
        columns: Cells by which it moved right.
        mode: ``"crop"`` cuts both maps to what they share, moved by the nearest whole cells (half a
            cell counts as none). ``"circular"`` moves `after` back around the edge, by fractions
            of a cell too, the way an alias-free map moves: shift its Fourier phases. What still
            differs then is what pooling does not carry along with the picture.

    Raises:
        ValueError: If the mode is unknown, the shapes differ, or no cell is left to compare.

    Example:
        >>> before = torch.tensor([[1.0, 2.0, 3.0]])
        >>> align(before, torch.tensor([[9.0, 1.0, 2.0]]), rows=0, columns=1)
        (tensor([[1., 2.]]), tensor([[1., 2.]]))
        >>> align(before, torch.tensor([[3.0, 1.0, 2.0]]), 0, 1, mode="circular")[1]
        tensor([[1., 2., 3.]])
    """
    same_shape(before, after)
    if mode == "circular":
        return before, _moved_around(after, -rows, -columns)
    if mode != "crop":
        raise ValueError(f'mode must be "crop" or "circular", but got {mode!r}; choose one of them')
    down, right = nearest_cells(rows), nearest_cells(columns)
    height, width = before.shape[-2] - abs(down), before.shape[-1] - abs(right)
    if height < 1 or width < 1:
        raise ValueError(
            f"a shift by {rows} rows and {columns} columns leaves nothing of a map of "
            f"{before.shape[-2]} x {before.shape[-1]} cells; shift less"
        )
    top, left = max(0, down), max(0, right)
    above, beside = max(0, -down), max(0, -right)
    return (
        before[..., above : above + height, beside : beside + width],
        after[..., top : top + height, left : left + width],
    )


def _moved_around(feature_map: Tensor, rows: float, columns: float) -> Tensor:
    """Shift around the edge: whole cells exactly, fractions by their Fourier phases."""
    if float(rows).is_integer() and float(columns).is_integer():
        return feature_map.roll((int(rows), int(columns)), (-2, -1))
    spectrum: Tensor = torch.fft.fft2(exact(feature_map))
    for axis, distance in ((-2, rows), (-1, columns)):
        size = spectrum.shape[axis]
        frequency = torch.fft.fftfreq(size, dtype=torch.float64, device=spectrum.device)
        phase = torch.exp(-2j * math.pi * distance * frequency)
        spectrum = spectrum * (phase[:, None] if axis == -2 else phase)
    moved: Tensor = torch.fft.ifft2(spectrum)
    return moved.real.to(feature_map)
