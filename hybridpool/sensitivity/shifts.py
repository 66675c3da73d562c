"""How much each pooling's map differs when the picture is shifted: one shift, and shift by shift.

Maps of the shifted picture are laid over those of the unshifted one, so that the same content
meets. What still differs then is what a pooling does not carry along with the picture.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.measure import align, nearest_cells
from hybridpool.pictures.perturb import shift
from hybridpool.sensitivity.changes import FEATURE_MAP, Changes, Study, join_changes
from hybridpool.sensitivity.compare import Comparison, Layout, Side, compare
from hybridpool.sensitivity.poolings import More, Poolings
from hybridpool.sensitivity.receptive_field import PictureAxis, axes_of
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings, Trace
from hybridpool.window import Span

#: Shifts go from -REACH to REACH pixels, and a cropped picture loses as many on each side.
REACH = 8
AXES = ("columns", "rows")
MODES = ("crop", "circular")


@dataclass(frozen=True, kw_only=True)
class ShiftCurve(Study):
    """How much the aligned maps of a shifted picture differ, over a range of shifts.

    Attributes:
        shifts: The shifts K in pixels.
        axis: ``"columns"`` for shifts to the right, ``"rows"`` for shifts down.
        mode: ``"crop"`` or ``"circular"``.
        changes: Sums over the aligned cells, one for each shift: ``(K, ...)``.
    """

    shifts: tuple[int, ...]
    axis: str
    mode: str


def shift_curve(
    image: Tensor,
    stem: ConvStem,
    settings: Settings,
    *,
    reach: int = REACH,
    axis: str = "columns",
    mode: str = "crop",
    more: More | None = None,
) -> ShiftCurve:
    """Shift a picture pixel by pixel and lay its maps over those of the unshifted one.

    Maps are aligned as in :func:`hybridpool.measure.align`. ``"crop"`` makes no pixel up: each
    picture is a view `reach` pixels smaller on each side, and only cells are compared whose
    receptive field lies inside both views. With ``"circular"`` the picture goes around its edge,
    and so do the stem and the poolings: it is first cut to whole steps of the pooled map, so a
    shift by whole steps changes nothing.

    Args:
        image: Picture of shape (3, H, W) in [0, 1].
        stem: The stem, on the CPU.
        settings: The window, the blend weight, the seed of the attention layer, and the device.
        reach: Shifts go from -reach to reach pixels.
        axis: ``"columns"`` shifts to the right, ``"rows"`` down.
        mode: ``"crop"`` or ``"circular"``.
        more: Makes further poolings by name, see `Poolings`.

    Raises:
        ValueError: An unknown axis or mode, a reach below 0 or too large for the picture, or a
            picture too small for the window.

    Source:
        Zhang, Making Convolutional Networks Shift-Invariant Again, 2019, compares the map of a
        shifted picture with the shifted map; here their distance is relative to the map's norm.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> picture = torch.arange(40.0).expand(3, 32, 40) / 40
        >>> curve = shift_curve(picture, load_stem("filters"), Settings(), reach=2, axis="rows")
        >>> curve.shifts, curve.relative_change("max").tolist()  # all rows are equal
        ((-2, -1, 0, 1, 2), [0.0, 0.0, 0.0, 0.0, 0.0])
    """
    if axis not in AXES or reach < 0:
        raise ValueError(
            f"shifts go along {' or '.join(AXES)} by a reach from 0, but got {axis!r} and {reach}; "
            f"choose others"
        )
    started = time.perf_counter()
    views = _Views(image, Poolings(stem, settings, more), reach, mode)
    still, shifts = views.run(0, 0), tuple(range(-reach, reach + 1))
    changes = []
    for pixels in shifts:
        distance = (pixels, 0) if axis == "rows" else (0, pixels)
        changes.append(views.changes(still, views.run(*distance), *distance))
    return ShiftCurve(
        settings=settings,
        shifts=shifts,
        axis=axis,
        mode=mode,
        changes=join_changes(changes, torch.stack),
        device=views.poolings.device,
        seconds=time.perf_counter() - started,
    )


def compare_shifted(
    trace: Trace,
    stem: ConvStem,
    rows: int,
    columns: int,
    *,
    reach: int = REACH,
    mode: str = "crop",
    more: More | None = None,
) -> Comparison:
    """Move the picture of a trace, and compare the aligned maps as :func:`shift_curve` does.

    Args:
        trace: The picture through everything.
        stem: The stem it went through, on the CPU.
        rows: Pixels down; up if negative.
        columns: Pixels to the right; to the left if negative.
        reach: Pixels that a cropped picture loses on each side.
        mode: ``"crop"`` or ``"circular"``.
        more: Makes further poolings by name, see `Poolings`.

    Raises:
        ValueError: An unknown mode, a shift beyond the reach, or a picture too small for the
            window.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> from hybridpool.trace import run_poolings, run_stem
        >>> stem, picture = load_stem("filters"), torch.arange(40.0).expand(3, 40, 40) / 40
        >>> trace = run_poolings(run_stem(picture, stem, torch.device("cpu")), Settings())
        >>> compare_shifted(trace, stem, rows=1, columns=0).relative_change()["max"]
        0.0
    """
    poolings = Poolings(stem, trace.settings, more)
    views = _Views(trace.features.image, poolings, reach, mode)
    before, after = views.run(0, 0), views.run(rows, columns)
    maps = views.align(before, after, rows, columns)
    pictures = views.pictures(before, after, rows, columns)
    sides = [
        _side(picture, aligned, poolings.attention(view.maps[FEATURE_MAP]).float())
        for picture, aligned, view in zip(pictures, maps, (before, after), strict=True)
    ]
    changes = views.changes(before, after, rows, columns)
    height, width = sides[0].pooled["max"].shape[-2:]
    return compare(trace, sides[0], sides[1], views.layout(height, width), changes)


def _side(image: Tensor, aligned: Mapping[str, Tensor], attention: Tensor) -> Side:
    pooled = {name: values.cpu() for name, values in aligned.items() if name != FEATURE_MAP}
    share = attention.view(-1, 1, 1)
    pooled["attention"] = torch.lerp(pooled["average"], pooled["max"], share)
    pooled = {name: values.contiguous() for name, values in pooled.items()}
    return Side(image.clamp(0, 1), pooled, attention)


@dataclass(frozen=True)
class _View:
    """A picture as it is seen after a shift, and its maps (C, h, w) with all their cells."""

    image: Tensor
    maps: Mapping[str, Tensor]


class _Views:
    """A picture shifted by any distance, and how the maps of two shifts are laid over each other.

    A view in ``"crop"`` mode is `reach` pixels smaller on each side than the picture. In
    ``"circular"`` mode the picture goes around its edge: it is repeated beyond its edges as far as
    a pooled cell sees, and the maps are cut back to it, so that no cell sees a border.
    """

    def __init__(self, image: Tensor, poolings: Poolings, reach: int, mode: str) -> None:
        self.image, self.poolings, self.reach, self.mode = image, poolings, reach, mode
        stem_stride = poolings.stem.receptive_field[1]
        self.step = stem_stride * poolings.settings.stride
        self._steps = {FEATURE_MAP: stem_stride}
        self._axes: tuple[PictureAxis, PictureAxis] | None = None
        if mode == "crop":
            size = tuple(side - 2 * reach for side in image.shape[-2:])
            if min(size) > 0:  # else `shift` says what is wrong
                stem = poolings.stem.receptive_field
                self._axes = axes_of(size, stem, poolings.settings)

    def run(self, rows: int, columns: int) -> _View:
        """The picture moved by so many pixels through the stem and the poolings."""
        if self.mode != "circular":
            view = shift(self.image, rows, columns, self.mode, margin=self.reach)
            return _View(view, {name: each[0] for name, each in self.poolings.run(view).items()})
        return self._run_around(rows, columns)

    def _run_around(self, rows: int, columns: int) -> _View:
        step, settings = self.step, self.poolings.settings
        steps = [side // step for side in self.image.shape[-2:]]
        if min(steps) < 1:
            raise ValueError(
                f"a circular shift needs a picture of at least one step of the pooled map, {step} "
                f"pixels, on each side, but got {self.image.shape[-2]} x {self.image.shape[-1]}; "
                f"choose a smaller stride or a larger picture"
            )
        kernel, stride, _ = self.poolings.stem.receptive_field
        beyond = 1 + (kernel + stride * settings.kernel_size) // step
        wrapped = self.image
        for axis, (count, pixels) in enumerate(zip(steps, (rows, columns), strict=True), start=-2):
            places = torch.arange(-beyond * step, (count + beyond) * step) - pixels
            places = places.remainder(count * step).to(self.image.device)
            wrapped = wrapped.index_select(axis, places)

        def cut(values: Tensor, cells: int) -> Tensor:
            top, left = (slice(beyond * cells, (beyond + count) * cells) for count in steps)
            return values[..., top, left]

        maps = {
            name: cut(values[0], settings.stride if name == FEATURE_MAP else 1)
            for name, values in self.poolings.run(wrapped).items()
        }
        return _View(cut(wrapped, step), maps)

    def align(
        self, before: _View, after: _View, rows: int, columns: int
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The cells that are compared, those of one content at the same place."""
        clean, moved = {}, {}
        for name, values in before.maps.items():
            step = self._steps.get(name, self.step)
            clean[name], moved[name] = align(
                self._inside(name, values),
                self._inside(name, after.maps[name]),
                rows / step,
                columns / step,
                self.mode,
            )
        return clean, moved

    def changes(self, before: _View, after: _View, rows: int, columns: int) -> Changes:
        """How far the aligned maps lie apart; attention values are those of the whole views."""
        clean, moved = self.align(before, after, rows, columns)
        return self.poolings.changes(
            clean,
            moved,
            self.poolings.attention(before.maps[FEATURE_MAP]),
            self.poolings.attention(after.maps[FEATURE_MAP]),
        )

    def pictures(
        self, before: _View, after: _View, rows: int, columns: int
    ) -> tuple[Tensor, Tensor]:
        """The part of both pictures that the aligned maps see.

        Around the edge maps move back by fractions of a cell, and pictures by the same pixels.
        """
        if self._axes is None:
            return before.image, after.image.roll((-rows, -columns), (-2, -1))
        clean, moved = [], []
        for axis, pixels in zip(self._axes, (rows, columns), strict=True):
            (first, stop), cells = axis.inside()[1], nearest_cells(pixels / self.step)
            clean.append(slice(*axis.pixels(Span(first + max(0, -cells), stop - max(0, cells)))))
            moved.append(slice(*axis.pixels(Span(first + max(0, cells), stop - max(0, -cells)))))
        return before.image[:, *clean], after.image[:, *moved]

    def layout(self, height: int, width: int) -> Layout:
        """Where the cells of aligned maps of this size lie on the part of the picture they see."""
        settings, stem = self.poolings.settings, self.poolings.stem.receptive_field
        kernel, stride = settings.kernel_size, settings.stride
        if self._axes is None:
            size = height * stride, width * stride
            return Layout(size, (kernel, stride, settings.padding), stem)
        size = (height - 1) * stride + kernel, (width - 1) * stride + kernel
        return Layout(size, (kernel, stride, 0), (stem[0], stem[1], 0))

    def _inside(self, name: str, values: Tensor) -> Tensor:
        """The cells of a map that see nothing but the view."""
        if self._axes is None:
            return values
        rows, columns = (axis.inside()[name != FEATURE_MAP] for axis in self._axes)
        return values[..., slice(*rows), slice(*columns)]
