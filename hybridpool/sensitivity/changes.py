"""How far every pooled map moves when a picture changes, from one set of sums.

Max, average, hybrid and attention maps are blends of two maps. Inner products of how these two
moved are enough to say how far each blend moved, for any blend weight, so a noise level or a patch
is computed once and every pooling, channel and blend weight is read off afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hybridpool.measure import exact
from hybridpool.trace import Settings

FEATURE_MAP = "feature_map"
BLENDS = ("max", "average", "hybrid", "attention")


@dataclass(frozen=True)
class Changes:
    r"""What changes of a picture did to its pooled maps, as sums over their cells.

    With the max map :math:`M` and the average map :math:`A`, a blend whose weight the change moves
    from :math:`w` to :math:`w'` moves by

    .. math:: w' \, \Delta M + (1 - w') \, \Delta A + (w' - w)(M - A)

    where only attention has :math:`w' \ne w`. Its norm and its mean follow from a few sums for
    every blend weight. All sums are in double precision and on the CPU, one for each change and
    channel; those that are not computed yet are NaN.

    Attributes:
        moved: ``(..., C, 7)``, sums of :math:`\Delta M^2, \Delta M \Delta A, \Delta A^2,
            \Delta M (M - A), \Delta A (M - A), \Delta M, \Delta A`.
        clean: ``(..., C, 5)``, sums of :math:`M^2, M A, A^2, M - A, 1`.
        others: ``(..., C, 4)``, sums of :math:`\Delta x^2, x^2, \Delta x, 1` for the feature map
            before pooling, under ``"feature_map"``, and each pooling that is no such blend.
        blend_weight: ``(C,)``, of the hybrid layer.
        attention: ``(..., C)``, attention values before the change.
        attention_changed: ``(..., C)``, attention values after it.
    """

    moved: Tensor
    clean: Tensor
    others: Mapping[str, Tensor]
    blend_weight: Tensor
    attention: Tensor
    attention_changed: Tensor

    def relative_change(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """The relative change of the pooled maps, as in :func:`hybridpool.measure.relative_change`.

        Args:
            pooling: A key of `POOLINGS`, or ``"feature_map"`` for the map before pooling.
            channel: One channel; all of them together by default.
            blend_weight: For ``"hybrid"``, another blend weight than the layer's own.
        """
        distance, size, _, _ = self.sums(pooling, blend_weight)
        distance = _together(distance, channel).clamp(min=0)
        return (distance / _together(size, channel)).sqrt().where(distance != 0, 0)

    def mean_change(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """The mean signed change of a cell, above zero where maps became brighter."""
        _, _, total, cells = self.sums(pooling, blend_weight)
        return _together(total, channel) / _together(cells, channel)

    def bias(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """The mean signed change of a cell in units of sigma; 0 where nothing changed.

        Sigma is the standard deviation of what arrived at the feature map, which is the noise as
        the pooling sees it. What it is worth: see :func:`hybridpool.sensitivity.expected_maximum`.
        """
        squares, _, total, count = (
            _together(each, channel) for each in self.others[FEATURE_MAP].unbind(-1)
        )
        sigma = (squares / count - (total / count).square()).clamp(min=0).sqrt()
        mean = self.mean_change(pooling, channel, blend_weight)
        return (mean / sigma).where(mean != 0, 0)

    def sums(self, pooling: str, blend_weight: float | None = None) -> tuple[Tensor, ...]:
        """For one pooling, what `others` holds of those that are no blend.

        Args:
            pooling: As in `relative_change`.
            blend_weight: Likewise.
        """
        if blend_weight is not None and pooling != "hybrid":
            raise ValueError(
                f'only "hybrid" has a blend weight to choose, but got {blend_weight} for '
                f"{pooling!r}; leave it"
            )
        if pooling in self.others:
            return self.others[pooling].unbind(-1)
        before, after = self._weights(pooling, blend_weight)
        step, rest = after - before, 1 - after
        *moved, max_contrast, average_contrast, of_max, of_average = self.moved.unbind(-1)
        *clean, contrast, cells = self.clean.unbind(-1)
        distance = blend_energy(moved, after)
        distance = distance + 2 * step * (after * max_contrast + rest * average_contrast)
        distance = distance + step.square() * (clean[0] - 2 * clean[1] + clean[2])
        total = after * of_max + rest * of_average + step * contrast
        return distance, blend_energy(clean, before), total, cells

    def _weights(self, pooling: str, blend_weight: float | None) -> tuple[Tensor, Tensor]:
        """The blend weights of a pooling before and after the change."""
        if pooling == "attention":
            return self.attention, self.attention_changed
        own = self.blend_weight
        weights = {
            "max": torch.ones_like(own),
            "average": torch.zeros_like(own),
            "hybrid": own if blend_weight is None else torch.full_like(own, blend_weight),
        }
        if pooling not in weights:
            known = ", ".join((*BLENDS, *self.others))
            raise ValueError(f"pooling must be one of {known}, but got {pooling!r}; choose one")
        return weights[pooling], weights[pooling]


def changes_of(
    clean: Mapping[str, Tensor],
    changed: Mapping[str, Tensor],
    blend_weight: Tensor,
    attention: Tensor,
    attention_changed: Tensor,
) -> Changes:
    """Sum up how far the maps of one picture lie from those of another.

    Args:
        clean: Maps (..., C, H, W) by name, ``"max"`` and ``"average"`` among them; of other blends
            nothing is needed.
        changed: Those of the changed picture.
        blend_weight: (C,) of the hybrid layer.
        attention: (..., C) attention values before.
        attention_changed: (..., C) attention values after.

    Example:
        >>> maps = {"max": torch.ones(1, 2, 2), "average": torch.zeros(1, 2, 2)}
        >>> after = {name: values + 1 for name, values in maps.items()}
        >>> changes = changes_of(maps, after, *torch.full((3, 1), 0.5))
        >>> changes.relative_change("max").item(), changes.relative_change("hybrid").item()
        (1.0, 2.0)
    """
    # Doubling a map in another order of memory would make each sum far slower.
    before = {name: exact(each.contiguous()) for name, each in clean.items()}
    moved = {name: exact(changed[name].contiguous()) - each for name, each in before.items()}
    return Changes(
        moved=moved_sums(moved["max"], moved["average"], before["max"] - before["average"]),
        clean=clean_sums(before["max"], before["average"]),
        others={
            name: other_sums(moved[name], before[name]) for name in before if name not in BLENDS
        },
        blend_weight=blend_weight.double(),
        attention=attention.double(),
        attention_changed=attention_changed.double(),
    )


def moved_sums(
    of_max: Tensor, of_average: Tensor, contrast: Tensor, dims: tuple[int, int] = (-2, -1)
) -> Tensor:
    """The sums in `Changes.moved`, over two dimensions of the changes and of max minus average.

    Example:
        >>> changes = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 3.0]])
        >>> moved_sums(*changes, contrast=torch.tensor([[5.0, 1.0]])).tolist()
        [5.0, 6.0, 9.0, 7.0, 3.0, 3.0, 3.0]
    """
    values = (
        of_max * of_max,
        of_max * of_average,
        of_average * of_average,
        of_max * contrast,
        of_average * contrast,
        of_max,
        of_average,
    )
    return torch.stack([exact_sum(each, dims) for each in values], -1)


def clean_sums(maximum: Tensor, average: Tensor) -> Tensor:
    """The sums in `Changes.clean`.

    Example:
        >>> clean_sums(torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, 3.0]])).tolist()
        [13.0, 11.0, 10.0, 1.0, 2.0]
    """
    values = (
        maximum * maximum,
        maximum * average,
        average * average,
        maximum - average,
        torch.ones_like(maximum),
    )
    return torch.stack([exact_sum(each, (-2, -1)) for each in values], -1)


def other_sums(moved: Tensor, clean: Tensor) -> Tensor:
    """The sums in `Changes.others`.

    Example:
        >>> other_sums(torch.tensor([[3.0, -1.0]]), torch.tensor([[2.0, 1.0]])).tolist()
        [10.0, 5.0, 2.0, 2.0]
    """
    values = moved * moved, clean * clean, moved, torch.ones_like(moved)
    return torch.stack([exact_sum(each, (-2, -1)) for each in values], -1)


def blend_energy(sums: Sequence[Tensor], blend_weight: Tensor) -> Tensor:
    """The energy of a blend, from that of its max map, their inner product, and of its average map.

    Example:
        >>> blend_energy(torch.tensor([4.0, 2.0, 1.0]).unbind(), torch.tensor(0.5))  # 1.5 squared
        tensor(2.2500)
    """
    of_max, both, of_average = sums
    rest = 1 - blend_weight
    energy = blend_weight.square() * of_max + rest.square() * of_average
    return energy + 2 * blend_weight * rest * both


def join_changes(
    changes: Sequence[Changes], join: Callable[[list[Tensor]], Tensor] = torch.cat
) -> Changes:
    """Changes of one clean picture as one record.

    Args:
        changes: What to join; there must be some.
        join: ``torch.cat`` lays them behind each other, ``torch.stack`` adds a dimension in front.

    Example:
        >>> maps = {"max": torch.ones(1, 2, 2), "average": torch.zeros(1, 2, 2)}
        >>> one = changes_of(maps, maps, *torch.full((3, 1), 0.5))
        >>> join_changes([one, one], torch.stack).relative_change("max").tolist()
        [0.0, 0.0]
    """
    return Changes(
        moved=join([each.moved for each in changes]),
        clean=join([each.clean for each in changes]),
        others={name: join([each.others[name] for each in changes]) for name in changes[0].others},
        blend_weight=changes[0].blend_weight,
        attention=join([each.attention for each in changes]),
        attention_changed=join([each.attention_changed for each in changes]),
    )


def exact_sum(values: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """The sum in double precision, on the CPU.

    Example:
        >>> exact_sum(torch.tensor([1.0, 2.0]), 0)
        tensor(3., dtype=torch.float64)
    """
    values = values.cpu() if values.device.type == "mps" else values
    return values.sum(dim, dtype=torch.float64).cpu()


@dataclass(frozen=True, kw_only=True)
class Study:
    """What several changes of one picture did to its maps.

    Attributes:
        settings: The window, the blend weight and the device that were asked for.
        changes: Sums over the cells, one for each change: ``(..., C, ...)``.
        device: Where it was computed.
        seconds: How long it took.

    Example:
        >>> from hybridpool.sensitivity import NoiseSweep, OcclusionMap, ShiftCurve
        >>> all(issubclass(each, Study) for each in (NoiseSweep, OcclusionMap, ShiftCurve))
        True
    """

    settings: Settings
    changes: Changes
    device: torch.device
    seconds: float

    def relative_change(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """Relative change ``(...)`` of the pooled maps, see `Changes.relative_change`."""
        return self.changes.relative_change(pooling, channel, blend_weight)


def _together(channels: Tensor, channel: int | None) -> Tensor:
    return channels.sum(-1) if channel is None else channels[..., channel]
