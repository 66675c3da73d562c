"""How far every pooled map moves when a picture changes, from one set of sums.

Max, average, hybrid and attention maps are blends of two maps. Inner products of how these two
moved are enough to say how far each blend moved, for any blend weight, so a noise level or a patch
is computed once and every pooling, channel and blend weight is read off afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.sensitivity.receptive_field import pooled_size
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings, pooling_layers, resolve_device

FEATURE_MAP = "feature_map"
BLENDS = ("max", "average", "hybrid", "attention")


@dataclass(frozen=True)
class Changes:
    r"""What changes of a picture did to its pooled maps, as sums over their cells.

    With the max map :math:`M` and the average map :math:`A`, a blend whose weight the change moves
    from :math:`w` to :math:`w'` moves by

    .. math:: w' \, \Delta M + (1 - w') \, \Delta A + (w' - w)(M - A)

    where only attention has :math:`w' \ne w`. Its norm and its mean follow from the inner products
    of :math:`\Delta M, \Delta A, M, A` and a map of ones. All sums are in double precision and on
    the CPU; changes that are not computed yet are NaN.

    Attributes:
        blends: ``(..., C, 5, 5)``, those inner products in that order, for each change and channel.
        others: the same with ``(..., C, 3, 3)`` for a change, what it changed, and ones: of the
            feature map before pooling, under ``"feature_map"``, and of each pooling in `POOLINGS`
            that is no blend.
        blend_weight: ``(C,)``, of the hybrid layer.
        attention: ``(C,)`` or ``(..., C)``, attention values before the change.
        attention_changed: ``(..., C)``, attention values after it.
    """

    blends: Tensor
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
        products, moved, clean = self._terms(pooling, blend_weight)
        distance, size = (
            _together(_energy(products, terms), channel).clamp(min=0) for terms in (moved, clean)
        )
        return (distance / size).sqrt().where(distance != 0, 0)

    def mean_change(
        self, pooling: str, channel: int | None = None, blend_weight: float | None = None
    ) -> Tensor:
        """The mean signed change of a cell, above zero where maps became brighter."""
        products, moved, _ = self._terms(pooling, blend_weight)
        total = _together((moved * products[..., -1]).sum(-1), channel)
        return total / _together(products[..., -1, -1], channel)

    def _terms(self, pooling: str, blend_weight: float | None) -> tuple[Tensor, Tensor, Tensor]:
        """Inner products, and what to take of each map for the change and for the clean map."""
        if blend_weight is not None and pooling != "hybrid":
            raise ValueError(
                f'only "hybrid" has a blend weight to choose, but got {blend_weight} for '
                f"{pooling!r}; leave it"
            )
        if pooling in self.others:
            return self.others[pooling], torch.eye(3).double()[0], torch.eye(3).double()[1]
        if pooling == "attention":
            after = self.attention_changed
            before = self.attention.expand_as(after)
        elif pooling in BLENDS:
            own = self.blend_weight if blend_weight is None else torch.tensor(blend_weight)
            ends = {"max": torch.tensor(1.0), "average": torch.tensor(0.0), "hybrid": own}
            before = after = ends[pooling].double().expand_as(self.blend_weight)
        else:
            known = ", ".join((*BLENDS, *self.others))
            raise ValueError(f"pooling must be one of {known}, but got {pooling!r}; choose one")
        none, step = torch.zeros_like(after), after - before
        moved = torch.stack([after, 1 - after, step, -step, none], -1)
        return self.blends, moved, torch.stack([none, none, before, 1 - before, none], -1)


class Poolings:
    """A stem and every pooling of some settings, ready for many pictures.

    Max and average maps are pooled once for all their blends; attention values are computed in
    double precision, so that what does not change is equal to the last bit.

    Args:
        stem: The stem; it stays on the CPU outside.
        settings: The window, the blend weight, the seed of the attention layer, and the device.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> poolings = Poolings(load_stem("filters"), Settings(device="cpu"))
        >>> maps = poolings.run(torch.zeros(3, 16, 16))
        >>> sorted(maps), maps["max"].shape
        (['average', 'feature_map', 'max'], torch.Size([1, 16, 4, 4]))
    """

    def __init__(self, stem: ConvStem, settings: Settings) -> None:
        self.device = resolve_device(settings.device)
        self.stem = stem if self.device.type == "cpu" else copy.deepcopy(stem).to(self.device)
        self.settings = settings
        layers = pooling_layers(stem.channels, settings, stem.pooling_state)
        attention, blend_weight = layers["attention"], layers["hybrid"].blend_weight
        assert isinstance(attention, HybridPoolingWithAttention)
        assert isinstance(blend_weight, Tensor)
        self.blend_weight = blend_weight.double().expand(stem.channels)
        self._fc = copy.deepcopy(attention.fc).double()
        self.others = {
            name: layer.to(self.device) for name, layer in layers.items() if name not in BLENDS
        }

    @torch.no_grad()
    def run(self, image: Tensor) -> dict[str, Tensor]:
        """The maps (1, C, H, W) of a picture (3, H, W), see `pool`."""
        batch = image[None].to(self.device).contiguous(memory_format=torch.channels_last)
        return self.pool(self.stem(batch))

    @torch.no_grad()
    def pool(self, feature_map: Tensor) -> dict[str, Tensor]:
        """The maps that `changes` compares: max, average, what is no blend, and the feature map."""
        pooled_size(feature_map.shape[-2:], self.settings)
        window = dict(self.settings.window)
        average = F.avg_pool2d(feature_map, **window)
        del window["count_include_pad"]
        maps = {"max": F.max_pool2d(feature_map, **window), "average": average}
        others = {name: layer(feature_map) for name, layer in self.others.items()}
        return {**maps, **others, FEATURE_MAP: feature_map}

    def changes(
        self,
        clean: Mapping[str, Tensor],
        changed: Mapping[str, Tensor],
        attention: Tensor | None = None,
        attention_changed: Tensor | None = None,
    ) -> Changes:
        """Compare the maps of two pictures.

        Args:
            clean: Maps (N, C, H, W) by name, as from `run`.
            changed: Those of the changed picture.
            attention: Attention values before; those of the clean feature map by default.
            attention_changed: Attention values after, likewise.
        """
        before = {name: exact(each.contiguous()) for name, each in clean.items()}
        moved = {name: exact(changed[name].contiguous()) - each for name, each in before.items()}
        if attention is None:
            attention = self.attention(clean[FEATURE_MAP])
        if attention_changed is None:
            attention_changed = self.attention(changed[FEATURE_MAP])
        return Changes(
            blends=inner_products(moved["max"], moved["average"], before["max"], before["average"]),
            others={
                name: inner_products(moved[name], before[name])
                for name in before
                if name not in BLENDS
            },
            blend_weight=self.blend_weight,
            attention=attention,
            attention_changed=attention_changed,
        )

    def attention(self, feature_map: Tensor) -> Tensor:
        """Attention values (..., C) of feature maps (..., C, h, w)."""
        return self.attention_of_means(exact(feature_map).mean((-2, -1)).cpu())

    @torch.no_grad()
    def attention_of_means(self, means: Tensor) -> Tensor:
        """Attention values (..., C) of feature maps whose channels have these means."""
        values: Tensor = self._fc(means)
        return values


def inner_products(*maps: Tensor) -> Tensor:
    """Inner products over the cells of maps that broadcast, and of a map of ones as the last.

    Shape:
        n times ``(..., H, W)`` to ``(..., n + 1, n + 1)``, double precision, on the CPU.

    Example:
        >>> inner_products(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]))
        tensor([[ 5., 11.,  3.],
                [11., 25.,  7.],
                [ 3.,  7.,  2.]], dtype=torch.float64)
    """
    # Doubling a map in an order of memory other than this would make each sum far slower.
    doubles = [exact(each.contiguous()) for each in maps]
    doubles.append(torch.ones_like(doubles[0]))
    products = {}
    for (i, a), (j, b) in combinations_with_replacement(enumerate(doubles), 2):
        products[i, j] = products[j, i] = (a * b).sum((-2, -1))
    count = range(len(doubles))
    rows = [torch.stack([products[i, j] for j in count], -1) for i in count]
    return torch.stack(rows, -2).cpu()


def join_changes(
    changes: Sequence[Changes], join: Callable[[list[Tensor]], Tensor] = torch.cat
) -> Changes:
    """Changes of one clean picture as one record.

    Args:
        changes: What to join; there must be some.
        join: ``torch.cat`` lays them behind each other, ``torch.stack`` adds a dimension in front.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> poolings = Poolings(load_stem("filters"), Settings())
        >>> maps = poolings.run(torch.zeros(3, 16, 16))
        >>> one = poolings.changes(maps, maps)
        >>> join_changes([one, one]).relative_change("max").tolist()
        [0.0, 0.0]
    """
    return replace(
        changes[0],
        blends=join([each.blends for each in changes]),
        others={name: join([each.others[name] for each in changes]) for name in changes[0].others},
        attention_changed=join([each.attention_changed for each in changes]),
    )


def exact(values: Tensor) -> Tensor:
    """Values in double precision, in main memory where the device has none (MPS).

    Example:
        >>> exact(torch.ones(1))
        tensor([1.], dtype=torch.float64)
    """
    return (values.cpu() if values.device.type == "mps" else values).double()


def _energy(products: Tensor, terms: Tensor) -> Tensor:
    """Sum of squares of the sum of maps that `terms` takes."""
    energy: Tensor = torch.einsum("...i,...ij,...j->...", terms, products, terms)
    return energy


def _together(channels: Tensor, channel: int | None) -> Tensor:
    return channels.sum(-1) if channel is None else channels[..., channel]
