"""A stem and every pooling of some settings, ready for many pictures."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.measure import exact
from hybridpool.sensitivity.changes import BLENDS, FEATURE_MAP, Changes, changes_of
from hybridpool.sensitivity.receptive_field import window_of
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings, pooling_layers, resolve_device

More = Callable[[], Mapping[str, nn.Module]]


class Poolings:
    """A stem and every pooling of some settings, ready for many pictures.

    Max and average maps are pooled once for all their blends; attention values are computed in
    double precision, so that what does not change is equal to the last bit.

    Args:
        stem: The stem; it stays on the CPU outside.
        settings: The window, the blend weight, the seed of the attention layer, and the device.
        more: Makes further poolings by name; asked for every picture anew, so that one that draws
            at random draws the same for each.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> poolings = Poolings(load_stem("filters"), Settings(device="cpu"))
        >>> maps = poolings.run(torch.zeros(3, 16, 16))
        >>> sorted(maps), maps["max"].shape
        (['average', 'feature_map', 'max'], torch.Size([1, 16, 4, 4]))
    """

    def __init__(self, stem: ConvStem, settings: Settings, more: More | None = None) -> None:
        self.device = resolve_device(settings.device)
        self.stem = stem if self.device.type == "cpu" else copy.deepcopy(stem).to(self.device)
        self.settings = settings
        layers = pooling_layers(stem.channels, settings, stem.pooling_state)
        attention, blend_weight = layers["attention"], layers["hybrid"].blend_weight
        assert isinstance(attention, HybridPoolingWithAttention)
        assert isinstance(blend_weight, Tensor)
        self.blend_weight = blend_weight.double().expand(stem.channels)
        self._fc = attention.fc.double()
        self.others = {
            name: layer.to(self.device) for name, layer in layers.items() if name not in BLENDS
        }
        self._more = more

    @torch.no_grad()
    def run(self, image: Tensor) -> dict[str, Tensor]:
        """The maps (1, C, H, W) of a picture (3, H, W), see `pool`."""
        batch = image[None].to(self.device).contiguous(memory_format=torch.channels_last)
        return self.pool(self.stem(batch))

    @torch.no_grad()
    def pool(self, feature_map: Tensor) -> dict[str, Tensor]:
        """The maps that `changes` compares: max, average, what is no blend, and the feature map."""
        window = window_of(self.settings)
        window.check_fits(feature_map.shape[-2], feature_map.shape[-1])
        maps = {"max": window.maximum(feature_map), "average": window.average(feature_map)}
        layers = {**self.others, **(self._more() if self._more else {})}
        others = {name: layer(feature_map) for name, layer in layers.items()}
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
        if attention is None:
            attention = self.attention(clean[FEATURE_MAP])
        if attention_changed is None:
            attention_changed = self.attention(changed[FEATURE_MAP])
        return changes_of(clean, changed, self.blend_weight, attention, attention_changed)

    def attention(self, feature_map: Tensor) -> Tensor:
        """Attention values (..., C) of feature maps (..., C, h, w)."""
        return self.attention_of_means(exact(feature_map).mean((-2, -1)).cpu())

    @torch.no_grad()
    def attention_of_means(self, means: Tensor) -> Tensor:
        """Attention values (..., C) of feature maps whose channels have these means."""
        values: Tensor = self._fc(means)
        return values
