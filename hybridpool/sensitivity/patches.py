"""What patches on a picture change in its pooled maps, computed only where it changes.

A patch changes only the cells that see it. For each of its places only those are computed again,
in batches; all others are the clean ones. Attention values depend on the mean of the whole feature
map, and so on the changed cells alone as well: with the new values the change of every other cell
follows from sums that are made once (see :mod:`hybridpool.sensitivity.changes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.measure import exact
from hybridpool.pictures.perturb import occlude, occlusion_mask, patch_content
from hybridpool.sensitivity.changes import (
    FEATURE_MAP,
    Changes,
    exact_sum,
    moved_sums,
    other_sums,
)
from hybridpool.sensitivity.poolings import Poolings
from hybridpool.sensitivity.receptive_field import PictureAxis, axes_through

# So many cells of feature maps fit a core's cache together with what is computed from them.
_BATCH_CELLS = 2**19


@dataclass(frozen=True)
class Occluder:
    """A patch that covers a part of a picture, see :func:`hybridpool.pictures.perturb.occlude`.

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


def changes_of_patches(
    poolings: Poolings,
    image: Tensor,
    occluder: Occluder,
    tops: Sequence[int],
    lefts: Sequence[int],
) -> Iterator[Changes]:
    """What a patch changes at each place of a grid, row by row, some places at a time.

    Args:
        poolings: The stem and the poolings.
        image: Picture of shape (3, H, W) in [0, 1].
        occluder: The patch; its own place plays no role.
        tops: First row of the patch in each row of the grid.
        lefts: First column of the patch in each column of the grid.

    Returns:
        An iterator with the changes ``(n, ...)`` at the next n places.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> from hybridpool.trace import Settings
        >>> poolings = Poolings(load_stem("filters"), Settings())
        >>> patch, grey = Occluder(0, 0, 4, 4, "grey"), torch.full((3, 32, 32), 0.5)
        >>> (found,) = changes_of_patches(poolings, grey, patch, tops=[0], lefts=[0, 8])
        >>> found.relative_change("max").tolist()
        [0.0, 0.0]
    """
    rows, columns = axes_through(image.shape[-2:], poolings.stem, poolings.settings)
    down = _surroundings(rows, tops, occluder.height, poolings)
    across = _surroundings(columns, lefts, occluder.width, poolings)
    picture = _Picture(poolings, image, occluder)
    cells = poolings.stem.channels * down.cells.shape[1] * across.cells.shape[1]
    places = torch.arange(len(tops) * len(lefts), device=poolings.device)
    for some in torch.split(places, max(1, _BATCH_CELLS // cells)):
        yield picture.changes(down.of(some // len(lefts)), across.of(some % len(lefts)))


class _Surroundings(NamedTuple):
    """What is computed along one axis around each of n places: a block that holds all that changes.

    A block begins where a pooling window does. Where it leaves the picture or the map, the nearest
    pixel or cell stands in and is marked.

    Attributes:
        pixels: (n, p) the pixels that the block's cells see.
        on_picture: (n, p) False in padding with zeros.
        of_patch: (n, p) row or column of the patch that lies there.
        on_patch: (n, p) whether there is one.
        cells: (n, a) the cells of the feature map.
        on_map: (n, a) whether the map has them.
        seeing: (n, a) whether they see the patch.
        pooled: (n, b) the cells of the pooled map whose windows the block begins with, those that
            see the patch among them.
        counted: (n, b) how many cells of a window the average divides by.
    """

    pixels: Tensor
    on_picture: Tensor
    of_patch: Tensor
    on_patch: Tensor
    cells: Tensor
    on_map: Tensor
    seeing: Tensor
    pooled: Tensor
    counted: Tensor

    def of(self, places: Tensor) -> _Surroundings:
        """Those of some of the places."""
        return _Surroundings(*(each[places] for each in self))


def _surroundings(
    axis: PictureAxis, starts: Sequence[int], side: int, poolings: Poolings
) -> _Surroundings:
    filters, window = axis.stem, axis.window
    spans = torch.tensor([axis.seeing(start, side) for start in starts])
    (cell, cells_stop), (first, stop) = spans.unsqueeze(-1).permute(1, 2, 0, 3)
    # The first window that sees the patch, or an earlier one where windows leave gaps.
    before = (cell + window.padding).div(window.stride, rounding_mode="floor")
    first = before.minimum(first).where(first < stop, before)
    windows = int((stop - first).clamp(min=1).max())
    pooled = first.clamp(max=axis.window.count - windows) + torch.arange(windows)
    begin = pooled * window.stride - window.padding
    edge = window.padding if poolings.settings.count_include_pad else 0
    counted = (begin + window.kernel).clamp(max=axis.window.size + edge) - begin.clamp(min=-edge)
    corner, least = begin[:, :1], (windows - 1) * window.stride + window.kernel
    block = corner + torch.arange(int((cells_stop - corner).clamp(min=least).max()))
    taps = torch.arange((block.shape[1] - 1) * filters.stride + filters.kernel)
    taps = taps + corner * filters.stride - filters.padding
    pixels = taps.clamp(0, axis.stem.size - 1)
    on_picture = (taps == pixels) | axis.repeats
    of_patch = pixels - torch.tensor(starts).unsqueeze(-1)
    found = _Surroundings(
        pixels=pixels,
        on_picture=on_picture,
        of_patch=of_patch.clamp(0, side - 1),
        on_patch=on_picture & (of_patch >= 0) & (of_patch < side),
        cells=block.clamp(0, axis.window.size - 1),
        on_map=(block >= 0) & (block < axis.window.size),
        seeing=(block >= cell) & (block < cells_stop),
        pooled=pooled,
        counted=counted,
    )
    # Half the size of 64 bit numbers is half the time to work out what lies where.
    return _Surroundings(
        *(
            each.to(poolings.device, each.dtype if each.dtype == torch.bool else torch.int32)
            for each in found
        )
    )


class _Picture:
    """A picture and its maps, and what a patch changes in them.

    Pictures and maps are kept as tables with one pixel or cell a row, all its channels in it, and
    zeros as the last one.
    """

    @torch.no_grad()
    def __init__(self, poolings: Poolings, image: Tensor, occluder: Occluder) -> None:
        self._poolings, stem = poolings, poolings.stem
        self._repeats = stem.conv.padding_mode == "replicate"
        self._maps = poolings.run(image)
        self._clean = poolings.changes(self._maps, self._maps)
        # The stem ends in ReLU: a zero where the map ends adds nothing and never wins.
        self._cells = _table(self._maps[FEATURE_MAP][0])
        self._means = exact_sum(self._cells, 0) / (len(self._cells) - 1)
        self._pooled = [exact(_table(self._maps[name][0])) for name in ("max", "average")]
        size = occluder.height, occluder.width
        generator = torch.Generator().manual_seed(occluder.seed)
        content = patch_content(image, *size, occluder.fill, generator)
        self._mask = None
        if occluder.shape != "rectangle":
            self._mask = occlusion_mask(size, 0, 0, *size, occluder.shape).to(poolings.device)
        self._moves, self._patch_width, self._width = (
            occluder.fill == "noise",
            size[1],
            image.shape[-1],
        )
        self._picture_pixels = image.shape[-2] * image.shape[-1] + 1
        self._pixels = torch.cat(
            [_table((each.to(poolings.device) - stem.mean) / stem.std) for each in (image, content)]
        )

    @torch.no_grad()
    def changes(self, down: _Surroundings, across: _Surroundings) -> Changes:
        """The changes with the patch in one row of places."""
        before = self._before(down, across)
        after = self._after(down, across, before)
        moved = after - before
        total = exact_sum(moved, (1, 2))
        sums = self._clean.others[FEATURE_MAP].repeat(len(total), 1, 1)
        sums[..., 0], sums[..., 2] = exact_sum(moved.square(), (1, 2)), total
        # Rounding must not make a change of attention where there is none.
        same, before_it = (total == 0).all(-1, keepdim=True), self._clean.attention
        attention = self._poolings.attention_of_means(self._means + total / sums[..., 3])
        return Changes(
            moved=self._moved(after, down, across),
            clean=self._clean.clean.expand(len(total), -1, -1),
            others={**self._others(after, down, across), FEATURE_MAP: sums},
            blend_weight=self._clean.blend_weight,
            attention=before_it.expand_as(attention),
            attention_changed=before_it.where(same, attention),
        )

    def _before(self, down: _Surroundings, across: _Surroundings) -> Tensor:
        """The clean cells (n, a, b, C) around each place, zeros where the map ends."""
        index = down.cells[..., None] * self._maps[FEATURE_MAP].shape[-1] + across.cells[:, None]
        on_map = down.on_map[..., None] & across.on_map[:, None]
        return _rows(self._cells, index.where(on_map, len(self._cells) - 1))

    def _after(self, down: _Surroundings, across: _Surroundings, before: Tensor) -> Tensor:
        """The same cells with the patch there."""
        stem = self._poolings.stem
        pixels = down.pixels[..., None] * self._width + across.pixels[:, None]
        on_patch = down.on_patch[..., None] & across.on_patch[:, None]
        if self._mask is not None:
            on_patch &= self._mask[down.of_patch[..., None], across.of_patch[:, None]]
        content = pixels
        if self._moves:
            content = down.of_patch[..., None] * self._patch_width + across.of_patch[:, None]
        index = (content + self._picture_pixels).where(on_patch, pixels)
        if not self._repeats:
            on_picture = down.on_picture[..., None] & across.on_picture[:, None]
            index = index.where(on_picture, self._picture_pixels - 1)
        crops = _rows(self._pixels, index).permute(0, 3, 1, 2)
        weight, bias = stem.conv.weight, stem.conv.bias
        cells = F.conv2d(crops, weight, bias, stem.conv.stride)
        cells = F.relu(stem.bn(cells), inplace=True).permute(0, 2, 3, 1)
        seeing = down.seeing[..., None] & across.seeing[:, None]
        return cells.where(seeing[..., None], before)

    def _moved(self, after: Tensor, down: _Surroundings, across: _Surroundings) -> Tensor:
        """The sums in `Changes` for max and average maps."""
        size, stride = self._poolings.settings.kernel_size, self._poolings.settings.stride
        needed = ((each.pooled.shape[1] - 1) * stride + size for each in (down, across))
        rows, columns = map(slice, needed)
        cells = after[:, rows, columns].permute(0, 3, 1, 2)
        maximum = F.max_pool2d(cells, size, stride).permute(0, 2, 3, 1)
        average = F.avg_pool2d(cells, size, stride, divisor_override=1).permute(0, 2, 3, 1)
        average = average / (down.counted[..., None] * across.counted[:, None])[..., None]
        index = down.pooled[..., None] * self._maps["max"].shape[-1] + across.pooled[:, None]
        clean_max, clean_average = (_rows(table, index) for table in self._pooled)
        of_max, of_average = exact(maximum) - clean_max, exact(average) - clean_average
        return moved_sums(of_max, of_average, clean_max - clean_average, dims=(1, 2))

    def _others(
        self, after: Tensor, down: _Surroundings, across: _Surroundings
    ) -> dict[str, Tensor]:
        """Poolings that are no blend, on the whole map: nothing else is known of them."""
        sums: dict[str, list[Tensor]] = {name: [] for name in self._poolings.others}
        if not sums:
            return {}
        for place, cells in enumerate(after.permute(0, 3, 1, 2)):
            feature_map = self._maps[FEATURE_MAP].clone()
            rows, columns = down.on_map[place], across.on_map[place]
            at = down.cells[place][rows][:, None], across.cells[place][columns]
            feature_map[0][:, *at] = cells[:, rows][..., columns]
            for name, layer in self._poolings.others.items():
                clean = exact(self._maps[name])
                sums[name].append(other_sums(exact(layer(feature_map)) - clean, clean))
        return {name: torch.cat(each) for name, each in sums.items()}


def _table(maps: Tensor) -> Tensor:
    """Maps (C, H, W) as a table (H W + 1, C), with zeros as its last row."""
    cells = maps.permute(1, 2, 0).flatten(0, 1)
    return torch.cat([cells, torch.zeros_like(cells[:1])])


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """The rows of a table at an index (n, a, b), as (n, a, b, C)."""
    return table.index_select(0, index.flatten()).view(*index.shape, table.shape[1])
