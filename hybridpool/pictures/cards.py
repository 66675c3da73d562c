"""The drawn test cards of the gallery: checks, dots, ramps, a star, rings, shapes under noise."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["draw_card"]

_LEAST_CARD_SIDE = 64
_Grid = NDArray[np.float64]


def draw_card(key: str, side: int) -> Tensor:
    """Draw a test card.

    Args:
        key: The name of the card, as in the gallery.
        side: The side of the card, at least 64. Its finest details are one pixel wide.

    Shape:
        ``(3, side, side)``, float32 in [0, 1].

    Raises:
        KeyError: If no card has that key.
        ValueError: If ``side`` is below 64.

    Example:
        >>> draw_card("ramps", 64)[0, 0, [0, 63]]  # from black on the left to white on the right
        tensor([0., 1.])
    """
    if key not in _CARDS:
        raise KeyError(f"there is no card {key!r}: choose from {', '.join(_CARDS)}")
    if side < _LEAST_CARD_SIDE:
        raise ValueError(f"a card needs a side of at least {_LEAST_CARD_SIDE}, got {side}")
    drawn = np.clip(_CARDS[key](side), 0, 1)
    if drawn.ndim == 2:
        drawn = np.repeat(drawn[..., None], 3, axis=2)
    return torch.from_numpy(drawn.astype(np.float32)).permute(2, 0, 1).contiguous()


def _checks(side: int) -> _Grid:
    cell = side // 4
    patch = (cell - 4) // 8 * 8
    margin = (cell - patch) // 4 * 2  # an even number, so that a 2 x 2 window starts with the patch
    picture = np.full((side, side, 3), 0.5)
    dark, light = np.zeros(3), np.ones(3)
    # Both colours have the same sum, so that only a filter that weighs colours sees them.
    orange, blue = np.array([0.95, 0.5, 0.05]), np.array([0.05, 0.5, 0.95])
    rows = [(0, dark, light), (1, dark, light), (0, blue, orange), (0, light * 0.45, light * 0.55)]
    down, right = np.indices((patch, patch))
    for row, (moved, first, second) in enumerate(rows):
        for column in range(4):
            odd = ((down + moved) // 2**column + (right + moved) // 2**column) % 2
            top, left = row * cell + margin, column * cell + margin
            squares = np.where(odd[..., None] == 1, second, first)
            picture[top : top + patch, left : left + patch] = squares
    return picture


def _dots(side: int) -> _Grid:
    ground, cell = 0.08, side // 8
    picture = np.full((side, side), ground)
    for row, strength in enumerate((0.92, 0.6, 0.35, 0.18)):
        for column in range(8):
            across = min(column + 1, cell - 2)
            # An even corner: the smallest dots lie within one 2 x 2 window.
            corner = (cell - across) // 4 * 2
            top, left = row * cell + corner, column * cell + corner
            dot = ground + strength * _disc(side, top + across / 2, left + across / 2, across / 2)
            picture = np.maximum(picture, dot)
    picture[side // 2 :] = 1 - picture[: side - side // 2]
    return picture


def _ramps(side: int) -> _Grid:
    slow = np.linspace(0, 1, side)
    steps = np.minimum(np.floor(slow * 8), 7)
    grey = [np.repeat(band[:, None], 3, axis=1) for band in (slow, steps / 7)]
    bands = [*grey, _hue(slow), _hue(steps / 8)]
    edges = np.linspace(0, side, len(bands) + 1).round().astype(int)
    picture = np.empty((side, side, 3))
    for band, top, bottom in zip(bands, edges, edges[1:], strict=False):
        picture[top:bottom] = band
    return picture


def _star(side: int) -> _Grid:
    fine = 8
    offset = (np.arange(side * fine) + 0.5) / fine - side / 2
    angle = np.arctan2(offset[:, None], offset)
    spokes = (np.floor(angle / np.pi * 24 + 0.5) % 2).reshape(side, fine, side, fine)
    return _on_grey(spokes.mean(axis=(1, 3)))


def _zone_plate(side: int) -> _Grid:
    offset = np.arange(side) + 0.5 - side / 2
    squared = offset[:, None] ** 2 + offset**2
    return _on_grey(0.5 + 0.5 * np.cos(np.pi * squared / side))


def _noise(side: int) -> _Grid:
    half = side // 2
    scene = np.full((side, half), 0.35)
    long = (half - side // 8) // 16 * 16
    left = (half - long) // 2
    for row, width in enumerate((1, 2, 4, 8)):
        top, high = side * (2 * row + 1) // 16, side // 10
        scene[top : top + high, left : left + long] += 0.4 * (1 - np.arange(long) // width % 2)
    for column, strength in enumerate((0.4, -0.25)):
        centre = half * (2 * column + 1) / 4
        scene += strength * _disc(side, side * 0.76, centre, side * 0.09)[:, :half]
    grain = np.random.default_rng(20).normal(0, 0.12, scene.shape)
    picture: _Grid = np.concatenate([scene, scene + grain], axis=1)
    return np.pad(picture, ((0, 0), (0, side - 2 * half)), mode="edge")


def _disc(side: int, row: float, column: float, radius: float) -> _Grid:
    """How much of each pixel a disc covers."""
    centres = np.arange(side) + 0.5
    distance: _Grid = np.hypot(centres[:, None] - row, centres - column)
    return np.clip(radius - distance + 0.5, 0, 1)


def _on_grey(picture: _Grid) -> _Grid:
    """The round middle of a picture on mid-grey."""
    side = len(picture)
    return 0.5 + (picture - 0.5) * _disc(side, side / 2, side / 2, side * 0.48)


def _hue(turn: _Grid) -> _Grid:
    """Fully saturated colours around the colour circle, red at 0 and at 1."""
    distance: _Grid = np.abs((turn[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3)
    return np.clip(distance - 1, 0, 1)


_CARDS: dict[str, Callable[[int], _Grid]] = {
    "checks": _checks,
    "dots": _dots,
    "ramps": _ramps,
    "star": _star,
    "zone_plate": _zone_plate,
    "noise": _noise,
}
