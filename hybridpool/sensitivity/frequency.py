"""Which frequencies each pooling keeps, and where the gradient of its cells goes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import (
    aliased_share,
    gradient_shares,
    ideal_downsampling,
    negligible,
    radial_spectrum,
    spectrum_shares,
)
from hybridpool.sensitivity.receptive_field import axes_of, window_of
from hybridpool.sensitivity.study import Study
from hybridpool.stem import ConvStem
from hybridpool.trace import Trace
from hybridpool.window import Span

#: Bands of frequencies that are the same for every map: thirds of what a pooled map can carry
#: along an axis, and what is beyond. Rounding must not decide about a wave at an edge.
SHARES = ("low", "middle", "high", "beyond")
_EDGES = (1 / 3 - 1e-9, 2 / 3 - 1e-9, 1 + 1e-9)


@dataclass(frozen=True)
class Spectrum:
    """What frequencies a map has, all channels together.

    Attributes:
        frequency: Rings, in cycles per cell of the feature map.
        power: Power density at each: over all frequencies of the plane it adds up to the variance.
        shares: Share of the energy in each band of `SHARES`: thirds of the Nyquist frequency of
            the pooled maps, and beyond it, which a pooled map reaches along diagonals alone.
        aliased: Share of the energy that the stride folds onto other frequencies; None where
            nothing is strided.
    """

    frequency: tuple[float, ...]
    power: tuple[float, ...]
    shares: tuple[float, ...]
    aliased: float | None


def spectrum_of(trace: Trace, chosen: Study, name: str, weight: float | None) -> Spectrum:
    """The spectrum of the feature map, of a pooled map, or of one pooled without aliasing.

    Args:
        trace: The picture through everything.
        chosen: The seed of stochastic pooling.
        name: ``"feature_map"``, ``"ideal"``, or a pooling.
        weight: Blend weight of hybrid pooling; None is the layer's own.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> from hybridpool.trace import Settings, run_poolings, run_stem
        >>> stripes = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1]).repeat(4).expand(3, 32, 32)
        >>> features = run_stem(stripes, load_stem("filters"), torch.device("cpu"))
        >>> trace = run_poolings(features, Settings())
        >>> round(sum(spectrum_of(trace, Study(), "max", None).shares), 6)
        1.0
    """
    stride = trace.settings.stride
    if name == "feature_map":
        return _spectrum(trace.feature_map, 1, stride, None)
    if name == "ideal":
        return _spectrum(ideal_downsampling(trace.feature_map, stride), stride, stride, 0.0)
    dense = pool(trace, chosen, name, weight, dense=True)
    strided = pool(trace, chosen, name, weight)
    return _spectrum(strided, stride, stride, aliased_share(dense, stride).item())


def pool(
    trace: Trace, chosen: Study, name: str, weight: float | None, *, dense: bool = False
) -> Tensor:
    """A pooled map (C, h, w), or the same pooling at each cell of the feature map.

    Args:
        trace: The picture through everything.
        chosen: The seed of stochastic pooling.
        name: A pooling.
        weight: Blend weight of hybrid pooling; None is the layer's own.
        dense: Whether the window steps by one cell.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> from hybridpool.trace import Settings, run_poolings, run_stem
        >>> features = run_stem(torch.zeros(3, 16, 16), load_stem("filters"), torch.device("cpu"))
        >>> trace = run_poolings(features, Settings())
        >>> pool(trace, Study(), "max", None, dense=True).shape[1:]
        torch.Size([7, 7])
    """
    window = trace.settings.window | ({"stride": 1, "ceil_mode": False} if dense else {})
    weights = {
        "max": torch.tensor(1.0),
        "average": torch.tensor(0.0),
        "hybrid": trace.blend_weight if weight is None else torch.tensor(weight),
        "attention": trace.attention,
    }
    with torch.no_grad():
        if name in weights:
            return hybrid_pool2d(trace.feature_map, weights[name], **window)
        pooled: Tensor = chosen.layers(trace.settings, dense=dense)[name](trace.feature_map)
        return pooled


def _spectrum(values: Tensor, grid: int, stride: int, aliased: float | None) -> Spectrum:
    """The spectrum of a map whose cells lie `grid` cells of the feature map apart."""
    found = radial_spectrum(values)
    # So many coefficients lie in one cycle per cell squared: power of maps of unequal size becomes
    # comparable.
    density = values.shape[-2] * values.shape[-1] * grid**2
    edges = tuple(edge * grid / stride for edge in _EDGES)
    return Spectrum(
        frequency=tuple((found.frequency / 2 / grid).tolist()),
        power=tuple((found.power * density).tolist()),
        shares=tuple(spectrum_shares(values, edges).tolist()),
        aliased=aliased,
    )


@dataclass(frozen=True)
class GradientMaps:
    """Where the gradient goes for max, average and hybrid pooling.

    Attributes:
        maps: For each pooling the gradient (rows, columns) on the whole map or picture.
        corner: Row and column of the first cell that is worth showing.
        size: How many rows and columns from there are.
        cancels: Whether gradient reaches the picture, but its red, green and blue add up to
            nothing at every pixel.
    """

    maps: dict[str, Tensor]
    corner: tuple[int, int]
    size: tuple[int, int]
    cancels: bool = False

    def part(self, name: str) -> Tensor:
        """The part of a map that is worth showing."""
        (top, left), (rows, columns) = self.corner, self.size
        return self.maps[name][top : top + rows, left : left + columns]


def gradient_maps(
    trace: Trace,
    stem: ConvStem,
    image: Tensor,
    channel: int,
    weight: float,
    cell: tuple[int, int] | None,
    on_picture: bool,
) -> GradientMaps:
    """Send the gradient of one pooled cell, or of all, back through pooling, or to the picture.

    On the picture it is the sum over red, green and blue: how much the cells grow if a pixel is
    made brighter.

    Args:
        trace: The picture through everything.
        stem: The stem it went through.
        image: The picture that went in (3, H, W).
        channel: The channel of the pooled cells.
        weight: Blend weight of hybrid pooling.
        cell: Row and column of the pooled cell; None is all of them.
        on_picture: Whether to go on through the stem.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> from hybridpool.trace import Settings, run_poolings, run_stem
        >>> stem, picture = load_stem("filters"), torch.zeros(3, 32, 32)
        >>> trace = run_poolings(run_stem(picture, stem, torch.device("cpu")), Settings())
        >>> found = gradient_maps(trace, stem, picture, 0, 0.5, cell=(3, 3), on_picture=False)
        >>> found.maps["average"].sum().item(), found.part("average").shape
        (1.0, torch.Size([6, 6]))
    """
    settings = trace.settings
    window = window_of(settings)
    upstream = torch.ones(trace.pooled["max"].shape[1:])
    if cell is not None:
        upstream = torch.zeros_like(upstream)
        upstream[cell] = 1
    maps, cancels = {}, on_picture
    for name, share in (("max", 1.0), ("average", 0.0), ("hybrid", weight)):
        found = gradient_shares(trace.feature_map[channel], share, window, upstream=upstream)
        if on_picture:
            by_colour = _through(stem, image, channel, found)
            found = by_colour.sum(0)
            rounding = negligible(by_colour)
            cancels = cancels and rounding > 0 and found.abs().max().item() <= rounding
        maps[name] = found
    shape = maps["max"].shape
    if cell is None:
        return GradientMaps(maps, (0, 0), (shape[0], shape[1]), cancels)
    axes = axes_of(image.shape[-2:], stem.receptive_field, settings)
    spans = []
    for axis, index, end in zip(axes, cell, shape, strict=True):
        start = index * settings.stride - settings.padding
        seen = Span(start, start + settings.kernel_size)
        seen = axis.pixels(Span(index, index + 1)) if on_picture else seen
        spans.append(_around(seen, end))
    (top, rows), (left, columns) = spans
    return GradientMaps(maps, (top, left), (rows, columns), cancels)


def spread_of(values: Tensor) -> tuple[int, int]:
    """How many cells a gradient reaches, and on how few half of it falls, by magnitude.

    Example:
        >>> spread_of(torch.tensor([[0.7, 0.1], [-0.1, 0.0]]))
        (3, 1)
    """
    sizes = values.double().abs().flatten().sort(descending=True).values
    total = sizes.sum()
    if total == 0:
        return 0, 0
    within = sizes.cumsum(0) < total / 2 * (1 - 1e-9)
    return int((sizes > 0).sum()), int(within.sum()) + 1


def _through(stem: ConvStem, image: Tensor, channel: int, arriving: Tensor) -> Tensor:
    with torch.enable_grad():
        pixels = image.detach().clone().requires_grad_()
        sent = stem(pixels)[channel]
        (gradient,) = torch.autograd.grad(sent, pixels, arriving.to(sent))
    return gradient


def _around(seen: Span, end: int) -> tuple[int, int]:
    """First place and number of places of what a window sees, with some room around it."""
    room = max(2, (seen.stop - seen.first) // 4)
    start, stop = max(seen.first - room, 0), min(seen.stop + room, end)
    return start, stop - start
