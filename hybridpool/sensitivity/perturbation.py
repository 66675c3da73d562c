"""What is done to a picture: noise of one kind, or an occluder, as one frozen record.

The place of the occluder is kept in thousandths of the picture, so that it stays on the same part
of the picture when the size before the stem changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from hybridpool.pictures.perturb import CHANGES, FILLS, SHAPES, Noise, occlude, occlusion_mask
from hybridpool.trace import MAX_SEED

KINDS = ("noise", "occlusion")
VIEWS = ("clean", "max")
WHOLE = 1000
PATCHES = (60, 90, 125, 180, 250, 350)
#: The axis of the picture that each place of the occluder lies along.
_SIDES = {"top": 0, "left": 1, "height": 0, "width": 1}
_ROUND = (1, 1.5, 2, 3, 5, 7)
_CURVE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Perturbation:
    """One thing done to the picture: noise or an occluder, never both.

    Args:
        kind: ``"noise"`` or ``"occlusion"``.
        noise: Key of `CHANGES`.
        level: How strong the noise is, in its own unit.
        draw: Seed of what is drawn at random.
        shape: Shape of the occluder.
        fill: What the occluder shows.
        top: First row of the occluder in thousandths of the picture, and so are the next three.
        left: Its first column.
        height: Its rows.
        width: Its columns.
        patch: Side of the patch that slides over the picture, in thousandths of the longer side.
        against: Whether changes are shown as they are, against the ``"clean"`` map, or beside those
            of ``"max"`` pooling.
    """

    kind: str = "noise"
    noise: str = "gaussian"
    level: float = CHANGES["gaussian"].default
    draw: int = 0
    shape: str = "rectangle"
    fill: str = "grey"
    top: int = 320
    left: int = 270
    height: int = 300
    width: int = 200
    patch: int = 125
    against: str = "clean"

    def clamped(self) -> Perturbation:
        """The nearest one that can be done; a link may ask for anything.

        Example:
            >>> Perturbation(noise="fog", level=9, left=900, width=400).clamped().left
            600
        """
        noise = self.noise if self.noise in CHANGES else "gaussian"
        sides = {"height": _clamp(self.height, 1, WHOLE), "width": _clamp(self.width, 1, WHOLE)}
        return replace(
            self,
            kind=self.kind if self.kind in KINDS else "noise",
            noise=noise,
            level=nearest_level(CHANGES[noise], self.level),
            draw=_clamp(self.draw, 0, MAX_SEED),
            shape=self.shape if self.shape in SHAPES else "rectangle",
            fill=self.fill if self.fill in FILLS else "grey",
            top=_clamp(self.top, 0, WHOLE - sides["height"]),
            left=_clamp(self.left, 0, WHOLE - sides["width"]),
            patch=min(PATCHES, key=lambda side: abs(side - self.patch)),
            against=self.against if self.against in VIEWS else "clean",
            **sides,
        )

    def canonical(self) -> Perturbation:
        """The same with everything reset that does not matter: what caches are keyed by.

        Example:
            >>> Perturbation(fill="black").canonical() == Perturbation(fill="blur").canonical()
            True
        """
        if self.kind == "noise":
            drawn = self.draw if CHANGES[self.noise].random else 0
            return Perturbation(noise=self.noise, level=self.level, draw=drawn)
        drawn = self.draw if self.fill == "noise" else 0
        plain = Perturbation()
        canonical = replace(self, noise=plain.noise, level=plain.level, draw=drawn)
        return replace(canonical, patch=plain.patch, against=plain.against)

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of the occluder in pixels of a picture (height, width)."""
        found = []
        for start, side, end in (
            (self.top, self.height, size[0]),
            (self.left, self.width, size[1]),
        ):
            length = min(max(1, round(side * end / WHOLE)), end)
            found.append((min(round(start * end / WHOLE), end - length), length))
        (top, height), (left, width) = found
        return top, left, height, width

    def in_middle_square(self, size: tuple[int, int]) -> Perturbation:
        """The occluder on the same part of the picture's middle square, as far as it lies there.

        Args:
            size: Height and width of the picture.

        Example:
            >>> Perturbation(left=250, width=250).in_middle_square((50, 100)).width
            500
        """
        shorter = min(size)
        places: dict[str, float] = {}
        for names, end in zip((("top", "height"), ("left", "width")), size, strict=True):
            start, length = (getattr(self, name) * end / WHOLE for name in names)
            border = (end - shorter) / 2
            first, last = max(start, border), min(start + length, border + shorter)
            # What lies wholly outside comes to the nearest edge.
            kept = (first, last - first) if last > first else (start, length)
            places |= dict(zip(names, (kept[0] - border, kept[1]), strict=True))
        return self._covering(places, (shorter, shorter))

    def from_middle_square(self, size: tuple[int, int]) -> Perturbation:
        """The occluder of a picture's middle square on the same part of the whole picture.

        Example:
            >>> Perturbation(left=0, width=500).from_middle_square((50, 100)).left
            250
        """
        shorter = min(size)
        places = {name: getattr(self, name) * shorter / WHOLE for name in _SIDES}
        places["top"] += (size[0] - shorter) / 2
        places["left"] += (size[1] - shorter) / 2
        return self._covering(places, size)

    def _covering(self, box: Mapping[str, float], size: tuple[int, int]) -> Perturbation:
        places: dict[str, Any] = _thousandths(box, size)
        return replace(self, **places).clamped()

    def apply(self, image: Tensor) -> Tensor:
        """The picture (3, H, W) after it."""
        generator = torch.Generator().manual_seed(self.draw)
        if self.kind == "noise":
            return CHANGES[self.noise].apply(image, self.level, generator)
        box = self.box((image.shape[-2], image.shape[-1]))
        return occlude(image, *box, fill=self.fill, generator=generator, shape=self.shape)

    def mask(self, size: tuple[int, int]) -> Tensor:
        """The pixels that the occluder covers, (H, W)."""
        return occlusion_mask(size, *self.box(size), shape=self.shape)


def in_thousandths(box: Mapping[str, int], size: tuple[int, int]) -> dict[str, int]:
    """A box in pixels of a picture (height, width), as `Perturbation` keeps it.

    Example:
        >>> in_thousandths({"top": 5, "left": 0, "height": 10, "width": 20}, (50, 40))
        {'top': 100, 'left': 0, 'height': 200, 'width': 500}
    """
    return _thousandths({name: int(box[name]) for name in _SIDES}, size)


def _thousandths(box: Mapping[str, float], size: tuple[int, int]) -> dict[str, int]:
    return {name: round(box[name] * WHOLE / size[axis]) for name, axis in _SIDES.items()}


def level_options(noise: Noise) -> list[float]:
    """Every level that the control of a noise offers, from low to high.

    Example:
        >>> level_options(CHANGES["salt"])[:3]
        [0.0, 0.01, 0.02]
    """
    if not noise.logarithmic:
        step = (noise.high - noise.low) / noise.steps
        return [round(noise.low + i * step, 6) for i in range(noise.steps + 1)]
    decades = range(math.floor(math.log10(noise.low)), math.ceil(math.log10(noise.high)) + 1)
    found = [float(f"{digit * 10**decade:g}") for decade in decades for digit in _ROUND]
    return [level for level in found if noise.low <= level <= noise.high]


def curve_levels(noise: Noise) -> list[float]:
    """The eight levels of a curve, each one that the control offers too.

    Example:
        >>> curve_levels(CHANGES["salt"])
        [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]
    """
    options = level_options(noise)
    places = [i / (len(_CURVE) - 1) for i in range(len(_CURVE))] if noise.logarithmic else _CURVE
    return [options[round(place * (len(options) - 1))] for place in places]


def nearest_level(noise: Noise, level: float) -> float:
    """The level that the control offers nearest to a wish.

    Example:
        >>> nearest_level(CHANGES["salt"], 0.123)
        0.12
    """
    wanted = min(max(level, noise.low), noise.high) if math.isfinite(level) else noise.default
    return min(level_options(noise), key=lambda option: abs(option - wanted))


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
