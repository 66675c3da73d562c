"""A picture and its shifted self through everything, the maps laid over each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hybridpool.layers import POOLINGS, HybridPoolingWithAttention
from hybridpool.measure import align, relative_change
from hybridpool.more_poolings import MORE_POOLINGS, StochasticPooling
from hybridpool.pictures.perturb import shift
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings, Trace, pooling_layers
from hybridpool.ui.shift_state import REACH, Study

FEATURE_MAP = "feature_map"


@dataclass(frozen=True)
class Shifted:
    """The aligned maps of a picture and of the shifted one.

    Attributes:
        before: The picture through the stem and the poolings, cut to what both pictures share.
        after: The shifted picture, likewise.
        more: For each further pooling its two aligned maps (C, h, w).
        cells: Rows and columns of the pooled map by which the content moved, with fractions.
    """

    before: Trace
    after: Trace
    more: Mapping[str, tuple[Tensor, Tensor]]
    cells: tuple[float, float]


def more_layers(chosen: Study, settings: Settings, *, dense: bool = False) -> dict[str, nn.Module]:
    """The further poolings that are switched on; `dense` ones step by one cell.

    Stochastic pooling draws here as it does in training, from the seed on the page; each layer
    made here draws the same.
    """
    window = settings.window | ({"stride": 1, "ceil_mode": False} if dense else {})
    layers = {}
    for name in chosen.more:
        layer = MORE_POOLINGS[name](channels=1, **window)
        if isinstance(layer, StochasticPooling):
            layer.generator = torch.Generator().manual_seed(chosen.draw)
        layers[name] = layer
    return layers


def run_views(
    image: Tensor, stem: ConvStem, settings: Settings, chosen: Study, rows: int, columns: int
) -> dict[str, Tensor]:
    """The maps (C, h, w) of the picture moved by so many pixels, and the picture itself.

    A cropped picture is a view that is `REACH` pixels smaller on each side. A circular one goes
    around its edge, and so do stem and poolings: it is repeated beyond its edges as far as a pooled
    cell sees, after it was cut to whole steps of the pooled map, and the maps are cut back.
    """
    if chosen.mode == "crop":
        view = shift(image, rows, columns, margin=REACH)
        return {"image": view, **_run(view, stem, settings, chosen)}
    kernel, stride, _ = stem.receptive_field
    step = stride * settings.stride
    steps = [side // step for side in image.shape[-2:]]
    if min(steps) < 1:
        raise ValueError("a circular shift needs a picture of at least one step; choose a larger")
    beyond = 1 + (kernel + stride * settings.kernel_size) // step
    wrapped = image
    for axis, (count, pixels) in enumerate(zip(steps, (rows, columns), strict=True), start=1):
        places = torch.arange(-beyond * step, (count + beyond) * step) - pixels
        wrapped = wrapped.index_select(axis, places.remainder(count * step))

    def cut(values: Tensor, cells: int) -> Tensor:
        top, left = (slice(beyond * cells, (beyond + count) * cells) for count in steps)
        return values[..., top, left]

    maps = _run(wrapped, stem, settings, chosen)
    found = {
        name: cut(values, settings.stride if name == FEATURE_MAP else 1)
        for name, values in maps.items()
    }
    return {"image": cut(wrapped, step), **found}


def shifted(trace: Trace, stem: ConvStem, image: Tensor, chosen: Study) -> Shifted:
    """Move the picture as chosen, and lay the maps over each other.

    Raises:
        ValueError: If the picture is too small for the shift or the window.
    """
    before = run_views(image, stem, trace.settings, chosen, 0, 0)
    after = run_views(image, stem, trace.settings, chosen, chosen.rows, chosen.columns)
    return _laid_over(trace, stem, chosen, before, after)


def _laid_over(
    trace: Trace,
    stem: ConvStem,
    chosen: Study,
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
) -> Shifted:
    step = stem.receptive_field[1] * trace.settings.stride
    cells = (chosen.rows / step, chosen.columns / step)
    pairs = {
        name: align(before[name], after[name], *cells, chosen.mode)
        for name in before.keys() - {"image", FEATURE_MAP}
    }
    pictures = _overlaid(before["image"], after["image"], chosen, cells, step)
    clean, moved = (
        _trace(trace, stem, {name: pair[i] for name, pair in pairs.items()}, maps, pictures[i])
        for i, maps in enumerate((before, after))
    )
    return Shifted(clean, moved, more={name: pairs[name] for name in chosen.more}, cells=cells)


def distances(found: Shifted, weight: float | None) -> dict[str, float]:
    """Relative change of each pooling's aligned maps, all channels together.

    `weight` is the blend weight of hybrid pooling; None is the layer's own.
    """
    pairs = {name: (found.before.pooled[name], found.after.pooled[name]) for name in POOLINGS}
    if weight is not None:
        before, after = (
            torch.lerp(average, maximum, weight)
            for average, maximum in zip(pairs["average"], pairs["max"], strict=True)
        )
        pairs["hybrid"] = before, after
    pairs |= found.more
    return {name: relative_change(*pair).item() for name, pair in pairs.items()}


def distance_curves(
    trace: Trace, stem: ConvStem, image: Tensor, chosen: Study, weight: float | None
) -> dict[str, list[float]]:
    """The distances of :func:`distances` at shifts from -REACH to REACH pixels along one axis."""
    still = run_views(image, stem, trace.settings, chosen, 0, 0)
    found: dict[str, list[float]] = {}
    for pixels in range(-REACH, REACH + 1):
        rows, columns = (pixels, 0) if chosen.axis == "rows" else (0, pixels)
        moved = run_views(image, stem, trace.settings, chosen, rows, columns)
        here = replace(chosen, rows=rows, columns=columns)
        for name, value in distances(_laid_over(trace, stem, here, still, moved), weight).items():
            found.setdefault(name, []).append(value)
    return found


def whole_cells(cells: float) -> int:
    """By how many whole cells maps are moved to lie over each other: half a cell counts as none.

    Example:
        >>> [whole_cells(cells) for cells in (0.5, 0.75, -1.25, -0.5)]
        [0, 1, -1, 0]
    """
    return int(math.copysign(math.ceil(abs(cells) - 0.5), cells))


@torch.no_grad()
def _run(image: Tensor, stem: ConvStem, settings: Settings, chosen: Study) -> dict[str, Tensor]:
    feature_map = stem(image[None].contiguous(memory_format=torch.channels_last))
    layers = pooling_layers(stem.channels, settings, stem.pooling_state)
    layers |= more_layers(chosen, settings)
    layers.pop("attention")  # its values follow the mean of the map, once that is cut
    maps = {name: layer(feature_map)[0] for name, layer in layers.items()}
    return {FEATURE_MAP: feature_map[0], **maps}


def _trace(
    trace: Trace,
    stem: ConvStem,
    aligned: Mapping[str, Tensor],
    whole: Mapping[str, Tensor],
    picture: Tensor,
) -> Trace:
    """Aligned maps as a trace, whose windows are single cells of the max map."""
    layers = pooling_layers(stem.channels, trace.settings, stem.pooling_state)
    attention, hybrid = layers["attention"], layers["hybrid"]
    assert isinstance(attention, HybridPoolingWithAttention)
    with torch.no_grad():
        values = attention.attention(whole[FEATURE_MAP])
    pooled = {
        "max": aligned["max"],
        "average": aligned["average"],
        "hybrid": aligned["hybrid"],
        "attention": torch.lerp(aligned["average"], aligned["max"], values.view(-1, 1, 1)),
    }
    weight = hybrid.blend_weight
    assert isinstance(weight, Tensor)
    single = replace(trace.settings, kernel_size=1, stride=1, padding=0, ceil_mode=False)
    return replace(
        trace,
        settings=single,
        features=replace(trace.features, image=picture.clamp(0, 1)),
        feature_map=aligned["max"],
        pooled={name: each.contiguous() for name, each in pooled.items()},
        blend_weight=weight.expand(stem.channels),
        attention=values,
    )


def _overlaid(
    before: Tensor, after: Tensor, chosen: Study, cells: tuple[float, float], step: int
) -> tuple[Tensor, Tensor]:
    """Both pictures cut to the part that the aligned maps show.

    Around the edge maps move back by fractions of a cell, and pictures by the same pixels.
    """
    if chosen.mode == "circular":
        return before, after.roll((-chosen.rows, -chosen.columns), (-2, -1))
    height, width = before.shape[-2:]
    down, right = (whole_cells(distance) * step for distance in cells)
    return (
        before[:, max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)],
        after[:, max(0, down) : height - max(0, -down), max(0, right) : width - max(0, -right)],
    )
