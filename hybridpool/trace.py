"""One picture through the stem and every pooling, as one frozen record.

`Settings` holds everything that decides the numbers, `Features` the picture after the stem, `Trace`
the pooled maps. The stem runs once for each picture; when a setting of the pooling changes, only
the pooling runs again.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from hybridpool.functional import hybrid_pool2d
from hybridpool.layers import POOLINGS, HybridPoolingWithAttention
from hybridpool.measure import clear_winners, example_cell
from hybridpool.stem import ConvStem
from hybridpool.stem.filters import ChannelName
from hybridpool.window import check_window

IMAGE_SIZES = (64, 96, 128, 160, 224)
CHANNELS = (8, 16, 32, 64)
MAX_KERNEL = 8
MAX_SEED = 9999
DEVICES = ("auto", "cpu", "cuda", "mps")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers on the page.

    Args:
        picture: Key of a gallery picture, or ``"upload"``.
        image_size: Longer side of the picture in pixels before the stem.
        stem: Key of the stem's weights.
        channels: How many filters a random stem draws; other stems have a number of their own.
        seed: Seed of everything random: a random stem, and the start of the attention layer.
        kernel_size: Side of the pooling window in cells.
        stride: Step of the window in cells.
        padding: Cells added at each border, at most half the window.
        ceil_mode: Whether a partial last window counts.
        count_include_pad: Whether the average counts padding as zeros.
        blend_weight: Where the hybrid layer's blend weight starts, 1 is max and 0 is average.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Example:
        >>> Settings(kernel_size=3, padding=9).clamped().padding
        1
    """

    picture: str = "astronaut"
    image_size: int = 160
    stem: str = "filters"
    channels: int = 16
    seed: int = 0
    kernel_size: int = 2
    stride: int = 2
    padding: int = 0
    ceil_mode: bool = False
    count_include_pad: bool = False
    blend_weight: float = 0.5
    device: str = "auto"

    def clamped(self) -> Settings:
        """The nearest settings that can be computed; a link may ask for anything."""
        kernel_size = _clamp(self.kernel_size, 1, MAX_KERNEL)
        weight = self.blend_weight if math.isfinite(self.blend_weight) else 0.5
        return replace(
            self,
            image_size=min(IMAGE_SIZES, key=lambda size: abs(size - self.image_size)),
            channels=min(CHANNELS, key=lambda count: abs(count - self.channels)),
            seed=_clamp(self.seed, 0, MAX_SEED),
            kernel_size=kernel_size,
            stride=_clamp(self.stride, 1, MAX_KERNEL),
            padding=_clamp(self.padding, 0, kernel_size // 2),
            blend_weight=min(max(weight, 0.0), 1.0),
            device=self.device if self.device in DEVICES else "auto",
        )

    @property
    def window(self) -> dict[str, Any]:
        """The window as the keyword arguments that every entry of `POOLINGS` takes."""
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }


@dataclass(frozen=True)
class Features:
    """A picture after the stem.

    Attributes:
        image: (3, H, W) in [0, 1], on the CPU.
        feature_map: (C, h, w), on `device`.
        channel_names: One name a channel.
        receptive_field: Kernel size, stride and padding of the stem.
        pooling_state: Parameters that a trained stem brings for its pooling layers.
        device: Where it was computed.
        seconds: How long the stem took.
        fell_back: True if the wanted device had too little memory and the CPU did the work.
    """

    image: Tensor
    feature_map: Tensor
    channel_names: tuple[ChannelName, ...]
    receptive_field: tuple[int, int, int]
    pooling_state: Mapping[str, Mapping[str, Tensor]]
    device: torch.device
    seconds: float
    fell_back: bool


@dataclass(frozen=True)
class Trace:
    """One picture after the stem and every pooling; all tensors on the CPU.

    Attributes:
        settings: The settings that it was computed with.
        features: The picture and its feature map.
        feature_map: (C, h, w).
        pooled: For each key of `POOLINGS` the pooled map (C, h', w').
        blend_weight: (C,) blend weight of the hybrid layer.
        attention: (C,) attention values for this picture.
        device: Where the pooling was computed.
        seconds: How long all poolings took together.
        fell_back: True if the wanted device had too little memory and the CPU did the work.
    """

    settings: Settings
    features: Features
    feature_map: Tensor
    pooled: Mapping[str, Tensor]
    blend_weight: Tensor
    attention: Tensor
    device: torch.device
    seconds: float
    fell_back: bool

    @cached_property
    def example(self) -> tuple[int, int, int]:
        """Channel, row and column that best show all three poolings; see `example_cell`."""
        window = check_window(**self.settings.window)
        return example_cell(self.feature_map, window, self.blend_weight)

    @cached_property
    def winners(self) -> Tensor:
        """The winner of each window (C, h', w'); see :func:`hybridpool.measure.clear_winners`."""
        return clear_winners(self.feature_map, check_window(**self.settings.window))


def maps_at(trace: Trace, blend_weight: float | None) -> dict[str, Tensor]:
    """The pooled maps of a trace with hybrid pooling at another blend weight.

    Args:
        trace: A picture through everything.
        blend_weight: One blend weight for all channels; None keeps that of the layer.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> grey = torch.full((3, 32, 32), 0.5)
        >>> features = run_stem(grey, load_stem("filters"), torch.device("cpu"))
        >>> trace = run_poolings(features, Settings())
        >>> torch.equal(maps_at(trace, 1.0)["hybrid"], trace.pooled["max"])
        True
    """
    if blend_weight is None:
        return dict(trace.pooled)
    hybrid = hybrid_pool2d(trace.feature_map, blend_weight, **trace.settings.window)
    return {**trace.pooled, "hybrid": hybrid}


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, ``"cpu"`` first.

    Example:
        >>> available_devices()[0]
        'cpu'
    """
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return tuple(devices)


def resolve_device(wanted: str) -> torch.device:
    """The wanted device, or the fastest one if it is ``"auto"`` or not on this machine.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    devices = available_devices()
    return torch.device(wanted if wanted in devices else devices[-1])


def run_stem(image: Tensor, stem: ConvStem, device: torch.device) -> Features:
    """Send a picture through the stem.

    Args:
        image: Picture of shape (3, H, W) in [0, 1].
        stem: The stem; it is moved to `device` for the run and stays a CPU module outside.
        device: Where to compute; if it runs out of memory, the CPU does the work.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> features = run_stem(torch.zeros(3, 16, 16), load_stem("filters"), torch.device("cpu"))
        >>> features.feature_map.shape[1:]
        torch.Size([8, 8])
    """

    def compute(where: torch.device) -> Tensor:
        module = stem if where.type == "cpu" else copy.deepcopy(stem).to(where)
        batch = image.unsqueeze(0).to(where).contiguous(memory_format=torch.channels_last)
        feature_map: Tensor = module(batch)
        return feature_map

    (batch, seconds), where, fell_back = on_device_or_cpu(_timed(compute), device)
    return Features(
        image=image,
        feature_map=batch[0],
        channel_names=stem.channel_names,
        receptive_field=stem.receptive_field,
        pooling_state=stem.pooling_state,
        device=where,
        seconds=seconds,
        fell_back=fell_back,
    )


def run_poolings(features: Features, settings: Settings) -> Trace:
    """Send a feature map through every pooling in `POOLINGS`.

    Args:
        features: The picture after the stem.
        settings: The window, where the blend weight starts, and the seed of the attention layer.

    Raises:
        ImpossibleWindowError: If the window does not fit the feature map; a ``ValueError``.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> features = run_stem(torch.zeros(3, 16, 16), load_stem("filters"), torch.device("cpu"))
        >>> sorted(run_poolings(features, Settings()).pooled)
        ['attention', 'average', 'hybrid', 'max']
    """
    channels, height, width = features.feature_map.shape
    check_window(**settings.window).check_fits(height, width)
    layers = pooling_layers(channels, settings, features.pooling_state)

    def compute(where: torch.device) -> dict[str, Tensor]:
        batch = features.feature_map.unsqueeze(0).to(where)
        batch = batch.contiguous(memory_format=torch.channels_last)
        results = {name: layer.to(where)(batch)[0] for name, layer in layers.items()}
        attention = layers["attention"]
        assert isinstance(attention, HybridPoolingWithAttention)
        return {**results, _ATTENTION_VALUES: attention.attention(batch)[0]}

    (results, seconds), where, fell_back = on_device_or_cpu(_timed(compute), features.device)
    results = {name: result.cpu() for name, result in results.items()}
    attention_values = results.pop(_ATTENTION_VALUES)
    weight = layers["hybrid"].to("cpu").blend_weight
    assert isinstance(weight, Tensor)
    return Trace(
        settings=settings,
        features=features,
        feature_map=features.feature_map.cpu(),
        pooled=results,
        blend_weight=weight.detach().expand(channels),
        attention=attention_values,
        device=where,
        seconds=seconds,
        fell_back=fell_back or features.fell_back,
    )


def pooling_layers(
    channels: int,
    settings: Settings,
    pooling_state: Mapping[str, Mapping[str, Tensor]] | None = None,
) -> dict[str, nn.Module]:
    """One layer for each entry of `POOLINGS`, in evaluation mode on the CPU.

    The attention layer starts at random, drawn from ``settings.seed`` alone, unless
    `pooling_state` brings trained parameters; the hybrid layer starts at
    ``settings.blend_weight``.

    Example:
        >>> layers = pooling_layers(8, Settings(blend_weight=0.25))
        >>> round(layers["hybrid"].blend_weight.item(), 4)
        0.25
    """
    layers = {}
    for name, build in POOLINGS.items():
        extra = {"blend_weight": settings.blend_weight} if name == "hybrid" else {}
        # On the meta device first: initialising the layer must not move the global generator.
        with torch.device("meta" if name == "attention" else "cpu"):
            layer = build(channels=channels, **settings.window, **extra)
        if name == "attention":
            layer.to_empty(device="cpu")
        state = (pooling_state or {}).get(name)
        if state:
            for key, values in state.items():
                owner, _, parameter = key.rpartition(".")
                # A learned blend weight may be one for all channels or one for each.
                setattr(layer.get_submodule(owner), parameter, nn.Parameter(values.clone()))
        elif name == "attention":
            _draw_attention(layer, settings.seed)
        layers[name] = layer.eval().requires_grad_(False)
    return layers


_ATTENTION_VALUES = "attention values"


def _draw_attention(layer: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for module in layer.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def _timed(compute: Callable[[torch.device], _T]) -> Callable[[torch.device], tuple[_T, float]]:
    def timed(where: torch.device) -> tuple[_T, float]:
        started = time.perf_counter()
        with torch.no_grad():
            result = compute(where)
        if where.type == "cuda":
            torch.cuda.synchronize(where)
        elif where.type == "mps":
            torch.mps.synchronize()
        return result, time.perf_counter() - started

    return timed


def on_device_or_cpu(
    compute: Callable[[torch.device], _T], device: torch.device
) -> tuple[_T, torch.device, bool]:
    """What is computed on a device, or on the CPU where the device runs out of memory.

    Returns:
        It, where it was computed, and whether that was instead of the device.

    Example:
        >>> on_device_or_cpu(lambda where: torch.ones(1, device=where).item(), torch.device("cpu"))
        (1.0, device(type='cpu'), False)
    """
    try:
        return compute(device), device, False
    except torch.OutOfMemoryError:
        if device.type == "cpu":
            raise
    cpu = torch.device("cpu")
    return compute(cpu), cpu, True


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(int(value), low), high)
