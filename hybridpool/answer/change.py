"""What is done to the picture before the networks see it: noise, an occluder, or a shift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from hybridpool.pictures.perturb import NOISES, shift
from hybridpool.sensitivity import Perturbation
from hybridpool.sensitivity.perturbation import curve_levels

ACTIONS = ("noise", "occlusion", "shift")
"""What can be done, one at a time, so that the effects can be told apart."""

REACH = 8
"""The farthest shift along one side, in pixels."""

SIZES = (0, 4, 8, 12, 16, 20, 24, 32)
"""Sides of the occluders of a curve, in pixels."""

SHIFTS = tuple(range(-REACH, REACH + 1))
"""Shifts of a curve, in pixels."""


@dataclass(frozen=True)
class Change:
    """One thing done to the picture.

    Attributes:
        action: One of `ACTIONS`.
        done: The noise or the occluder.
        rows: Pixels that the picture moves down, what leaves at one edge coming back at the other.
        columns: Pixels that it moves to the right.
    """

    action: str = "noise"
    done: Perturbation = field(default_factory=Perturbation)
    rows: int = 0
    columns: int = 1

    def clamped(self) -> Change:
        """The nearest one that can be done; a link may ask for anything.

        Example:
            >>> Change("fly", rows=99).clamped().rows
            8
        """
        action = self.action if self.action in ACTIONS else "noise"
        kind = "occlusion" if action == "occlusion" else "noise"
        noise = self.done.noise if self.done.noise in NOISES else "gaussian"
        rows, columns = (min(max(by, -REACH), REACH) for by in (self.rows, self.columns))
        return Change(action, replace(self.done, kind=kind, noise=noise).clamped(), rows, columns)

    def apply(self, image: Tensor) -> Tensor:
        """The picture (3, H, W) after it.

        Example:
            >>> Change("shift", rows=0, columns=1).apply(torch.tensor([[[1.0, 2.0, 3.0]]]))
            tensor([[[3., 1., 2.]]])
        """
        if self.action == "shift":
            return shift(image, self.rows, self.columns, mode="circular")
        return self.done.apply(image)

    @property
    def nothing(self) -> bool:
        """Whether the picture stays as it is."""
        if self.action == "shift":
            return not (self.rows or self.columns)
        noise = NOISES[self.done.noise]
        return self.action == "noise" and noise.more_is_noisier and self.done.level == 0

    def canonical(self) -> Change:
        """The same with everything reset that does not matter: what caches are keyed by.

        Example:
            >>> Change("shift", Perturbation(level=0.3)).canonical() == Change("shift")
            True
        """
        plain = Change(self.action)
        if self.action == "shift":
            return replace(plain, rows=self.rows, columns=self.columns)
        return replace(plain, done=self.done.canonical())

    def curve(self, draws: int) -> Iterable[tuple[float, tuple[Change, ...]]]:
        """Levels of the same kind, and what is drawn at each: seeds, places or one shift.

        Noise is drawn from the first seeds; an occluder of each size lies where its middle stays
        that of the one that is chosen, and at other places drawn from the first seeds; a shift is
        along the side that is shifted farther.

        Example:
            >>> [level for level, _ in Change("occlusion").curve(2)][:3]
            [0.0, 4.0, 8.0]
        """
        if self.action == "shift":
            down = abs(self.rows) > abs(self.columns)
            for by in SHIFTS:
                shifted = (by, 0) if down else (0, by)
                yield float(by), (replace(self, rows=shifted[0], columns=shifted[1]),)
        elif self.action == "noise":
            for level in curve_levels(NOISES[self.done.noise]):
                at = replace(self.done, level=level)
                yield level, tuple(replace(self, done=replace(at, draw=s)) for s in range(draws))
        else:
            for side in SIZES:
                yield float(side), tuple(self._covered(side, draws))

    def _covered(self, side: int, draws: int) -> Iterable[Change]:
        """Occluders of one size: where the chosen one lies, then at places drawn from seeds."""
        length = max(1, round(side * 1000 / 32))
        done = self.done
        for draw in range(draws if side else 1):
            if draw:
                places = torch.rand(2, generator=torch.Generator().manual_seed(draw)).tolist()
                top, left = (round(place * max(1000 - length, 0)) for place in places)
            else:
                top = done.top + (done.height - length) // 2
                left = done.left + (done.width - length) // 2
            covered = replace(done, top=top, left=left, height=length, width=length)
            # A side of nothing is the picture as it is, which no occluder can be.
            yield (
                replace(self, action="shift", rows=0, columns=0)
                if not side
                else replace(self, done=replace(covered, draw=draw)).clamped()
            )
