"""Occlusion maps: how far every pooled map moves when a patch covers each part of a picture."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hybridpool.sensitivity.changes import Changes, Study, join_changes
from hybridpool.sensitivity.patches import Occluder, changes_of_patches
from hybridpool.sensitivity.poolings import Poolings
from hybridpool.sensitivity.receptive_field import axes_of
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings

# More records than the eye can follow would only be copied.
_MOST_RECORDS = 12


@dataclass(frozen=True, kw_only=True)
class OcclusionMap(Study):
    """How far each pooled map moved with a patch at each place of a grid.

    Attributes:
        occluder: The patch at its first place.
        tops: First row of the patch in each row of the grid.
        lefts: First column of the patch in each column of the grid.
        changes: Sums over the cells, one for each place: ``(len(tops), len(lefts), ...)``; NaN
            where they are not computed yet.
        done: How many places are computed, row by row.
    """

    occluder: Occluder
    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    done: int

    def at(self, row: int, column: int) -> Occluder:
        """The patch at a place of the grid."""
        return replace(self.occluder, top=self.tops[row], left=self.lefts[column])


def occlusion_map(
    image: Tensor,
    stem: ConvStem,
    settings: Settings,
    *,
    size: int | tuple[int, int] = 32,
    stride: int | tuple[int, int] = 8,
    fill: str = "grey",
    shape: str = "rectangle",
    seed: int = 0,
) -> Iterator[OcclusionMap]:
    """Slide a patch over a picture and say how far every pooled map moves with it at each place.

    The patch starts at the top left corner and goes on until the picture is covered; its last row
    and column of places may be cut off at the border. The ``"noise"`` fill is the same noise at
    every place.

    Max and average maps are those of the whole computation: the same cells in the same order of
    operations, bit for bit where the convolution does not depend on the size of its input (so on
    the CPU), else within its rounding. Cells that do not see the patch are the clean ones exactly.
    Blends are made from them in double precision, so relative changes differ from those of the
    layers' own float32 maps by less than 1e-6.

    Args:
        image: Picture of shape (3, H, W) in [0, 1].
        stem: The stem, on the CPU.
        settings: The window, the blend weight, the seed of the attention layer, and the device.
        size: Height and width of the patch, or one number for both.
        stride: Step of the patch down and to the right, or one number for both.
        fill: A key of `FILLS`.
        shape: A key of `SHAPES`.
        seed: Seed of the ``"noise"`` fill.

    Returns:
        An iterator over records with more and more places; the last one is whole. To stop, ask for
        no more.

    Raises:
        ValueError: A size or stride below 1, an unknown fill or shape, or a window that does not
            fit the feature map.

    Source:
        Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014: they record
        the probability of a class; here it is how far the maps move.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> picture = torch.full((3, 32, 32), 0.5)
        >>> picture[:, :16, :16] = 1
        >>> *_, whole = occlusion_map(picture, load_stem("filters"), Settings(), size=16, stride=16)
        >>> (whole.relative_change("max") > 0).tolist()  # grey on grey changes nothing
        [[True, False], [False, False]]
    """
    (height, width), steps = (
        value if isinstance(value, tuple) else (value, value) for value in (size, stride)
    )
    if min(height, width, *steps) < 1:
        raise ValueError(
            f"a patch needs a size and a stride of at least 1, but got {size} and {stride}; choose "
            f"larger ones"
        )
    tops, lefts = (
        tuple(step * place for place in range(math.ceil(max(0, whole - side) / step) + 1))
        for whole, side, step in zip(image.shape[-2:], (height, width), steps, strict=True)
    )
    occluder = Occluder(0, 0, height, width, fill, shape, seed)
    # What cannot be is refused now, not when the first record is asked for.
    occluder.cover(image)
    axes_of((image.shape[-2], image.shape[-1]), stem.receptive_field, settings)
    return _records(image, Poolings(stem, settings), occluder, tops, lefts)


def _records(
    image: Tensor,
    poolings: Poolings,
    occluder: Occluder,
    tops: tuple[int, ...],
    lefts: tuple[int, ...],
) -> Iterator[OcclusionMap]:
    started, seconds = time.perf_counter(), 0.0
    parts: list[Changes] = []
    done, shown, total = 0, 0, len(tops) * len(lefts)

    def grid(tensors: list[Tensor]) -> Tensor:
        together = torch.cat(tensors)
        return together.view(len(tops), len(lefts), *together.shape[1:])

    for changes in changes_of_patches(poolings, image, occluder, tops, lefts):
        parts.append(changes)
        done += len(changes.moved)
        if done < total and done < shown + total / _MOST_RECORDS:
            continue
        shown = done
        unknown = _unknown(changes, total - done)
        together = join_changes([*parts, unknown], grid)
        seconds += time.perf_counter() - started
        yield OcclusionMap(
            settings=poolings.settings,
            occluder=occluder,
            tops=tops,
            lefts=lefts,
            changes=together,
            done=done,
            device=poolings.device,
            seconds=seconds,
        )
        started = time.perf_counter()


def _unknown(changes: Changes, count: int) -> Changes:
    """So many changes that are not computed yet."""

    def unknown(tensors: list[Tensor]) -> Tensor:
        return tensors[0].new_full((count, *tensors[0].shape[1:]), torch.nan)

    return join_changes([changes], unknown)
