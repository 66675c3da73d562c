"""Two pictures through the same poolings, compared: everything that is shown and said of them.

A `Comparison` is computed once for two pictures. The rows, the numbers beside them and the
sentences below are read off it, for every blend weight and every channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from hybridpool.measure import TIE, changed_cells, largest_change, negligible
from hybridpool.sensitivity.changes import BLENDS, FEATURE_MAP, Changes, changes_of
from hybridpool.sensitivity.receptive_field import cells_seeing
from hybridpool.trace import Trace


@dataclass(frozen=True)
class Side:
    """One of the two pictures, and its maps.

    Attributes:
        image: (3, H, W) in [0, 1], the part of the picture that the maps show.
        pooled: Maps (C, h, w) by name: max, average, attention, and those that are no blend.
        attention: (C,) attention values.
        winners: (C, h, w) which cell of each window is its maximum, `TIE` where several are; None
            where the windows do not match.
    """

    image: Tensor
    pooled: Mapping[str, Tensor]
    attention: Tensor
    winners: Tensor | None = None


@dataclass(frozen=True)
class Layout:
    """Where the cells of the maps lie on the picture.

    Attributes:
        map_size: Rows and columns of the feature map.
        window: Kernel size, stride and padding of the pooling window.
        stem: Those of the stem.
    """

    map_size: tuple[int, int]
    window: tuple[int, int, int]
    stem: tuple[int, int, int]


@dataclass(frozen=True)
class Comparison:
    """What a change of a picture did to every pooling, at every blend weight.

    What is below `hybridpool.measure.negligible` counts as unchanged.

    Attributes:
        trace: The whole picture before the change, through everything.
        before: The maps before the change.
        after: The maps after it, cell by cell those of the same content.
        layout: Where their cells lie.
        changes: How far the maps moved, as sums over their cells, for each channel.
        cells: For each map of `Side.pooled`, which cells changed.
        largest: For each of them the largest change (C,) of a cell.
        reached: (h, w) the cells that can see what was covered; None where nothing was.
        covered: Share of the picture that was covered.
    """

    trace: Trace
    before: Side
    after: Side
    layout: Layout
    changes: Changes
    cells: Mapping[str, Tensor]
    largest: Mapping[str, Tensor]
    reached: Tensor | None = None
    covered: float = 0.0
    _relative: dict[float | None, dict[str, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def reach(self) -> Tensor:
        """The largest difference (C,) that max, average, attention or any blend has anywhere."""
        return torch.stack([self.largest[name] for name in ("max", "average", "attention")]).amax(0)

    def relative_change(self, blend_weight: float | None = None) -> dict[str, float]:
        """For each pooling the relative change of its maps, all channels together.

        Args:
            blend_weight: Of hybrid pooling; the layer's own by default.
        """
        if blend_weight not in self._relative:
            names = (*BLENDS, *(name for name in self.changes.others if name != FEATURE_MAP))
            self._relative[blend_weight] = {
                name: self.changes.relative_change(
                    name, blend_weight=blend_weight if name == "hybrid" else None
                ).item()
                for name in names
            }
        return dict(self._relative[blend_weight])

    def bias(self, channel: int, blend_weight: float | None = None) -> dict[str, float]:
        """For max, average and hybrid pooling the mean change of a cell, see `Changes.bias`.

        Nothing where the feature map did not change either.

        Args:
            channel: The channel.
            blend_weight: Of hybrid pooling; the layer's own by default.
        """
        squares, _, _, count = self.changes.others[FEATURE_MAP][channel].tolist()
        scale = negligible(self.before.pooled["max"], self.after.pooled["max"])
        if squares <= count * scale**2:
            return {}
        weights = {"max": None, "average": None, "hybrid": blend_weight}
        return {
            name: self.changes.bias(name, channel, weight).item()
            for name, weight in weights.items()
        }

    def winners(self) -> tuple[Tensor, Tensor]:
        """For each channel (C,) how many clear winners were replaced, and how many there were."""
        was, now = self.before.winners, self.after.winners
        if was is None or now is None:
            nothing = torch.zeros(len(self.before.attention), dtype=torch.int64)
            return nothing, nothing
        clear = was != TIE
        return ((was != now) & clear).sum((-2, -1)), clear.sum((-2, -1))

    def changed(self, pooling: str, channel: int, blend_weight: float | None = None) -> Tensor:
        """Which cells (h, w) of a pooling changed; a blend changes with either of its parts.

        Args:
            pooling: A key of `POOLINGS`.
            channel: The channel.
            blend_weight: Of hybrid pooling; the layer's own by default.
        """
        if pooling != "hybrid":
            return self.cells[pooling][channel]
        weight = self.trace.blend_weight[channel].item() if blend_weight is None else blend_weight
        parts = {"max": weight > 0, "average": weight < 1}
        marked = [self.cells[name][channel] for name, counts in parts.items() if counts]
        return torch.stack(marked).any(0)


def compare(
    trace: Trace,
    before: Side,
    after: Side,
    layout: Layout,
    changes: Changes,
    mask: Tensor | None = None,
) -> Comparison:
    """Compare two sides, cell by cell.

    Args:
        trace: The whole picture before the change, through everything.
        before: The maps before.
        after: Those after, of the same shapes.
        layout: Where their cells lie.
        changes: The sums of `changes_of`, one for each channel.
        mask: The pixels (H, W) that were covered, if some were.

    Example:
        >>> from hybridpool.trace import Settings, run_poolings, run_stem
        >>> from hybridpool.stem import load_stem
        >>> stem, grey = load_stem("filters"), torch.full((3, 32, 32), 0.5)
        >>> trace = run_poolings(run_stem(grey, stem, torch.device("cpu")), Settings())
        >>> same = compare_traces(trace, trace)
        >>> compare(trace, same.before, same.after, same.layout, same.changes).relative_change()
        {'max': 0.0, 'average': 0.0, 'hybrid': 0.0, 'attention': 0.0}
    """
    pairs = {name: (values, after.pooled[name]) for name, values in before.pooled.items()}
    rounding = negligible(*(each for pair in pairs.values() for each in pair))
    return Comparison(
        trace=trace,
        before=before,
        after=after,
        layout=layout,
        changes=changes,
        cells={name: changed_cells(*pair, rounding) for name, pair in pairs.items()},
        largest={name: largest_change(*pair, map_dims=2) for name, pair in pairs.items()},
        reached=None if mask is None else cells_seeing(mask, layout.stem, trace.settings),
        covered=0.0 if mask is None else mask.double().mean().item(),
    )


def compare_traces(clean: Trace, changed: Trace, mask: Tensor | None = None) -> Comparison:
    """Compare a picture with a changed one of the same size.

    Args:
        clean: The picture through everything.
        changed: The changed one, likewise.
        mask: The pixels (H, W) that were covered, if some were.

    Example:
        >>> from hybridpool.trace import Settings, run_poolings, run_stem
        >>> from hybridpool.stem import load_stem
        >>> stem, cpu = load_stem("filters"), torch.device("cpu")
        >>> dark, bright = (
        ...     run_poolings(run_stem(torch.full((3, 32, 32), each), stem, cpu), Settings())
        ...     for each in (0.25, 0.5))
        >>> round(compare_traces(dark, bright).relative_change()["max"], 3)
        1.0
    """
    settings = clean.settings
    window = (settings.kernel_size, settings.stride, settings.padding)
    before, after = (
        Side(
            image=trace.features.image,
            pooled={name: each for name, each in trace.pooled.items() if name != "hybrid"},
            attention=trace.attention,
            winners=trace.winners,
        )
        for trace in (clean, changed)
    )
    # A map of attention is a blend of max and average too.
    maps, maps_changed = (
        {name: each for name, each in trace.pooled.items() if name not in ("hybrid", "attention")}
        | {FEATURE_MAP: trace.feature_map}
        for trace in (clean, changed)
    )
    attention = clean.attention, changed.attention
    changes = changes_of(maps, maps_changed, clean.blend_weight, *attention)
    rows, columns = clean.feature_map.shape[-2:]
    layout = Layout((rows, columns), window, clean.features.receptive_field)
    return compare(clean, before, after, layout, changes, mask)
