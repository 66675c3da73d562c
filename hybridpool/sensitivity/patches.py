"""What patches on a picture change in its pooled maps, computed only where it changes.

A patch changes only the cells that see it. For each of its places only those are computed again,
in batches; all others are the clean ones. Attention values depend on the mean of the whole feature
map, and so on the changed cells alone as well: with the new values the change of every other cell
follows from sums that are made once (see :mod:`hybridpool.sensitivity.changes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.perturb import occlude
from hybridpool.sensitivity.changes import (
    FEATURE_MAP,
    Changes,
    Poolings,
    exact,
    inner_products,
    join_changes,
)
from hybridpool.sensitivity.receptive_field import Axis, Box, Span, axes_of, receptive_field_box
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings

# So many cells of feature maps fit a core's cache together with what is computed from them.
_BATCH_CELLS = 2**17


@dataclass(frozen=True)
class Occluder:
    """A patch that covers a part of a picture, see :func:`hybridpool.perturb.occlude`.

    Attributes:
        top: First row, may lie outside the picture.
        left: First column, likewise.
        height: Rows.
        width: Columns.
        fill: A key of `FILLS`.
        shape: A key of `SHAPES`.
        seed: Seed of the ``"noise"`` fill.
    """

    top: int
    left: int
    height: int
    width: int
    fill: str = "grey"
    shape: str = "rectangle"
    seed: int = 0

    def cover(self, image: Tensor) -> Tensor:
        """The picture with the patch on it."""
        return occlude(
            image,
            self.top,
            self.left,
            self.height,
            self.width,
            self.fill,
            torch.Generator().manual_seed(self.seed),
            self.shape,
        )

    def seen_by(self, image_size: tuple[int, int], stem: ConvStem, settings: Settings) -> Box:
        """The pooled cells that can see the patch, see :func:`receptive_field_box`."""
        corner_and_size = (self.top, self.left, self.height, self.width)
        return receptive_field_box(image_size, stem, settings, *corner_and_size)


def changes_by_row(
    poolings: Poolings,
    image: Tensor,
    occluder: Occluder,
    tops: Sequence[int],
    lefts: Sequence[int],
) -> Iterator[Changes]:
    """What a patch changes at each place of a grid, one row of places after the other.

    Args:
        poolings: The stem and the poolings.
        image: Picture of shape (3, H, W) in [0, 1].
        occluder: The patch; its own place plays no role.
        tops: First row of the patch in each row of the grid.
        lefts: First column of the patch in each column of the grid.

    Returns:
        An iterator with the changes at the places ``(len(lefts), ...)`` of each row.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> poolings = Poolings(load_stem("filters"), Settings())
        >>> patch, grey = Occluder(0, 0, 4, 4, "grey"), torch.full((3, 32, 32), 0.5)
        >>> (row,) = changes_by_row(poolings, grey, patch, tops=[0], lefts=[0, 8])
        >>> row.relative_change("max").tolist()
        [0.0, 0.0]
    """
    rows, columns = axes_of(image.shape[-2:], poolings.stem, poolings.settings)
    down = _neighbourhoods(rows, tops, occluder.height, poolings)
    across = _neighbourhoods(columns, lefts, occluder.width, poolings)
    clean = _Clean(poolings, image)
    batch = max(1, _BATCH_CELLS // (poolings.stem.channels * down.beside * across.beside))
    for row, top in enumerate(tops):
        parts = []
        for first in range(0, len(lefts), batch):
            some = slice(first, first + batch)
            patches = [replace(occluder, top=top, left=left) for left in lefts[some]]
            parts.append(clean.changes(patches, down.of(slice(row, row + 1)), across.of(some)))
        yield join_changes(parts)


class _Neighbourhoods(NamedTuple):
    """What has to be computed along one axis for each of n places, as much for each.

    Attributes:
        cells: (n, a) neighbouring cells of the feature map, those that see the patch among them.
        seeing: (n, a) which of them see it.
        pixels: (n, p) the pixels that they see, border pixels instead of padding.
        inside: (n, p) False for padding with zeros.
        pooled: (n, b) neighbouring cells of the pooled map, those that see the patch among them.
        pooled_seeing: (n, b) which of them see it.
        padded: (n, q) the cells of the padded feature map that they see.
        counted: (n, b) how many cells the average divides by.
    """

    cells: Tensor
    seeing: Tensor
    pixels: Tensor
    inside: Tensor
    pooled: Tensor
    pooled_seeing: Tensor
    padded: Tensor
    counted: Tensor

    @property
    def beside(self) -> int:
        """How many cells of the feature map are worked on at one place."""
        return max(self.cells.shape[1], self.padded.shape[1])

    def of(self, places: slice) -> _Neighbourhoods:
        """Some of the places."""
        return _Neighbourhoods(*(each[places] for each in self))


def _neighbourhoods(
    axis: Axis, starts: Sequence[int], side: int, poolings: Poolings
) -> _Neighbourhoods:
    filters, window = axis.stem, axis.window
    spans = [axis.seeing(start, side) for start in starts]
    cells, seeing = _neighbours([span for span, _ in spans], axis.cells)
    pooled, pooled_seeing = _neighbours([span for _, span in spans], axis.pooled)
    taps = cells[:, :1] * filters.stride - filters.padding
    taps = taps + torch.arange((cells.shape[1] - 1) * filters.stride + filters.kernel)
    pixels = taps.clamp(0, axis.pixels - 1)
    padded = pooled[:, :1] * window.stride
    padded = padded + torch.arange((pooled.shape[1] - 1) * window.stride + window.kernel)
    edge = window.padding if poolings.settings.count_include_pad else 0
    first = pooled * window.stride - window.padding
    counted = (first + window.kernel).clamp(max=axis.cells + edge) - first.clamp(min=-edge)
    found = (cells, seeing, pixels, (taps == pixels) | axis.repeats)
    return _Neighbourhoods(
        *(each.to(poolings.device) for each in (*found, pooled, pooled_seeing, padded, counted))
    )


def _neighbours(spans: list[Span], cells: int) -> tuple[Tensor, Tensor]:
    """As many neighbouring cells (n, a) for each span, and which of them lie in it."""
    first, stop = torch.tensor(spans).unsqueeze(-1).unbind(1)
    length = max(1, int((stop - first).max()))
    places = first.clamp(max=cells - length) + torch.arange(length)
    return places, (places >= first) & (places < stop)


class _Clean:
    """The maps of a picture, and what patches change in them."""

    def __init__(self, poolings: Poolings, image: Tensor) -> None:
        self.poolings, self.image = poolings, image
        self.maps = poolings.run(image)
        self.sums = poolings.changes(self.maps, self.maps)
        padding, reach = poolings.settings.padding, poolings.settings.kernel_size
        # The stem ends in ReLU: zeros outside the map add nothing and never win.
        self._padded = F.pad(
            self.maps[FEATURE_MAP], (padding, padding + reach, padding, padding + reach)
        )

    @torch.no_grad()
    def changes(
        self, patches: list[Occluder], down: _Neighbourhoods, across: _Neighbourhoods
    ) -> Changes:
        """The changes that patches make whose rows are `down` and whose columns are `across`."""
        seeing = _grid(down.seeing, across.seeing)
        before = _gather(self.maps[FEATURE_MAP], down.cells, across.cells)
        after = self._cells(patches, down, across).where(seeing, before)
        pooled = self._pool(after, down, across)
        clean = {name: _gather(self.maps[name], down.pooled, across.pooled) for name in pooled}
        moved = {name: exact(pooled[name]) - exact(each) for name, each in clean.items()}
        others = self._others(after, down, across)
        others[FEATURE_MAP] = inner_products(exact(after) - exact(before), before)
        sums = self.sums.others
        others = {name: _put(each, sums[name], changes=1) for name, each in others.items()}
        blends = inner_products(*moved.values(), *clean.values())
        totals = others[FEATURE_MAP][..., 2]
        attention = self.poolings.attention_of_means(
            (totals[..., 0] + totals[..., 1]) / totals[..., 2]
        )
        unchanged = (totals[..., 0] == 0).all(-1, keepdim=True)
        return replace(
            self.sums,
            blends=_put(blends, self.sums.blends, changes=2),
            others=others,
            # Rounding must not make a change of attention where there is none.
            attention_changed=self.sums.attention.where(unchanged, attention),
        )

    def _cells(
        self, patches: list[Occluder], down: _Neighbourhoods, across: _Neighbourhoods
    ) -> Tensor:
        """The stem on the pixels around each patch."""
        stem = self.poolings.stem
        rows, columns = down.pixels.T.to(self.image.device), across.pixels.to(self.image.device)
        crops = [
            patch.cover(self.image)[:, rows, pixels]
            for patch, pixels in zip(patches, columns, strict=True)
        ]
        batch = torch.stack(crops).to(self.poolings.device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        batch = (batch - stem.mean) / stem.std * _grid(down.inside, across.inside)
        weight, bias = stem.conv.weight, stem.conv.bias
        return F.relu(stem.bn(F.conv2d(batch, weight, bias, stem.conv.stride)))

    def _pool(
        self, after: Tensor, down: _Neighbourhoods, across: _Neighbourhoods
    ) -> dict[str, Tensor]:
        """Max and average maps around each patch."""
        settings = self.poolings.settings
        around = _gather(self._padded, down.padded, across.padded)
        rows, columns = (
            each.padded - settings.padding - each.cells[:, :1] for each in (down, across)
        )
        height, width = after.shape[-2:]
        known = _grid((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
        inner = _gather(after, rows.clamp(0, height - 1), columns.clamp(0, width - 1))
        around = inner.where(known, around)
        size, stride = settings.kernel_size, settings.stride
        total = F.avg_pool2d(around, size, stride, divisor_override=1)
        average = total / (down.counted[:, None, :, None] * across.counted[:, None, None, :])
        seeing = _grid(down.pooled_seeing, across.pooled_seeing)
        maps = {"max": F.max_pool2d(around, size, stride), "average": average}
        return {
            name: each.where(seeing, _gather(self.maps[name], down.pooled, across.pooled))
            for name, each in maps.items()
        }

    def _others(
        self, after: Tensor, down: _Neighbourhoods, across: _Neighbourhoods
    ) -> dict[str, Tensor]:
        """Poolings that are no blend, on the whole map of each patch: nothing is known of them."""
        products: dict[str, list[Tensor]] = {name: [] for name in self.poolings.others}
        if products:
            for cells, columns in zip(after, across.cells, strict=True):
                feature_map = self.maps[FEATURE_MAP].clone()
                feature_map[0][:, down.cells.T, columns] = cells
                for name, layer in self.poolings.others.items():
                    clean = exact(self.maps[name])
                    moved = exact(layer(feature_map)) - clean
                    products[name].append(inner_products(moved, clean))
        return {name: torch.cat(each) for name, each in products.items()}


def _grid(rows: Tensor, columns: Tensor) -> Tensor:
    """Where both hold, (n, 1, rows, columns)."""
    return rows[:, None, :, None] & columns[:, None, None, :]


def _gather(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The crops (n, C, a, b) of one map, or of each of n, at rows (n, a) and columns (n, b)."""
    number = torch.arange(len(maps), device=maps.device)[:, None, None]
    # Whole pixels of all channels are moved at once.
    last = maps.permute(0, 2, 3, 1)
    return last[number, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _put(around: Tensor, whole: Tensor, changes: int) -> Tensor:
    """Inner products with the first maps, the changes, from around the patch, else the whole's."""
    change = torch.arange(around.shape[-1]) < changes
    return around.where(change[:, None] | change, whole)
