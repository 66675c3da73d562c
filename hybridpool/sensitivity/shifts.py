"""How much each pooling's map differs when the picture is shifted, shift by shift."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.measure import align
from hybridpool.pictures.perturb import shift
from hybridpool.sensitivity.changes import FEATURE_MAP, Changes, Poolings, join_changes
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings

AXES = ("columns", "rows")


@dataclass(frozen=True)
class ShiftCurve:
    """How much the aligned maps of a shifted picture differ, over a range of shifts.

    Attributes:
        settings: The window, the blend weight and the device that were asked for.
        shifts: The shifts K in pixels.
        axis: ``"columns"`` for shifts to the right, ``"rows"`` for shifts down.
        mode: ``"crop"`` or ``"circular"``.
        changes: Sums over the aligned cells, one for each shift: ``(K, ...)``.
        device: Where it was computed.
        seconds: How long it took.
    """

    settings: Settings
    shifts: tuple[int, ...]
    axis: str
    mode: str
    changes: Changes
    device: torch.device
    seconds: float

    def relative_change(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """Distance ``(K,)`` of the aligned maps, see `Changes.relative_change`."""
        return self.changes.relative_change(pooling, channel, blend_weight)


def shift_curve(
    image: Tensor,
    stem: ConvStem,
    settings: Settings,
    *,
    reach: int = 8,
    axis: str = "columns",
    mode: str = "crop",
) -> ShiftCurve:
    """Shift a picture pixel by pixel and lay its maps over those of the unshifted one.

    Maps are aligned as in :func:`hybridpool.measure.align`. ``"crop"`` makes no pixel up: each
    picture is a view `reach` pixels smaller on each side. With ``"circular"`` the picture goes
    around its edge, and so do the stem and the poolings: it is first cut to whole steps of the
    pooled map, so a shift by whole steps changes nothing.

    Args:
        image: Picture of shape (3, H, W) in [0, 1].
        stem: The stem, on the CPU.
        settings: The window, the blend weight, the seed of the attention layer, and the device.
        reach: Shifts go from -reach to reach pixels.
        axis: ``"columns"`` shifts to the right, ``"rows"`` down.
        mode: ``"crop"`` or ``"circular"``.

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
    poolings = Poolings(stem, settings)

    def run(rows: int, columns: int) -> dict[str, Tensor]:
        if mode == "circular":
            return _run_around(poolings, image, rows, columns)
        return poolings.run(shift(image, rows, columns, mode, margin=reach))

    clean = run(0, 0)
    shifts = tuple(range(-reach, reach + 1))
    changes = []
    for pixels in shifts:
        distance = (pixels, 0) if axis == "rows" else (0, pixels)
        changes.append(_aligned_changes(poolings, clean, run(*distance), distance, mode))
    return ShiftCurve(
        settings=settings,
        shifts=shifts,
        axis=axis,
        mode=mode,
        changes=join_changes(changes),
        device=poolings.device,
        seconds=time.perf_counter() - started,
    )


def _run_around(poolings: Poolings, image: Tensor, rows: int, columns: int) -> dict[str, Tensor]:
    """The maps of a picture that goes around its edge, shifted: no cell sees a border.

    The picture is repeated beyond its edges as far as a pooled cell sees, and the maps are cut
    back to the picture.
    """
    kernel, stride, _ = poolings.stem.receptive_field
    window = poolings.settings
    step = stride * window.stride
    steps = [side // step for side in image.shape[-2:]]
    if min(steps) < 1:
        raise ValueError(
            f"a circular shift needs a picture of at least one step of the pooled map, {step} "
            f"pixels, on each side, but got {image.shape[-2]} x {image.shape[-1]}; choose a "
            f"smaller stride or a larger picture"
        )
    beyond = 1 + (kernel + stride * window.kernel_size) // step
    wrapped = image
    for axis, (count, pixels) in enumerate(zip(steps, (rows, columns), strict=True), start=-2):
        places = torch.arange(-beyond * step, (count + beyond) * step) - pixels
        wrapped = wrapped.index_select(axis, places.remainder(count * step).to(image.device))

    def cut(feature_map: Tensor, cells: int) -> Tensor:
        top, left = (slice(beyond * cells, (beyond + count) * cells) for count in steps)
        return feature_map[..., top, left]

    return {
        name: cut(feature_map, window.stride if name == FEATURE_MAP else 1)
        for name, feature_map in poolings.run(wrapped).items()
    }


def _aligned_changes(
    poolings: Poolings,
    clean: Mapping[str, Tensor],
    shifted: Mapping[str, Tensor],
    pixels: tuple[int, int],
    mode: str,
) -> Changes:
    _, stem_stride, _ = poolings.stem.receptive_field
    before, after = {}, {}
    for name, feature_map in clean.items():
        step = stem_stride * (1 if name == FEATURE_MAP else poolings.settings.stride)
        rows, columns = (distance / step for distance in pixels)
        before[name], after[name] = align(feature_map, shifted[name], rows, columns, mode)
    return poolings.changes(
        before,
        after,
        attention=poolings.attention(clean[FEATURE_MAP]),
        attention_changed=poolings.attention(shifted[FEATURE_MAP]),
    )
