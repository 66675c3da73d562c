"""The poolings that are compared, and how to set, find and read their blend weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hybridpool.blend import initial_logit
from hybridpool.layers import (
    POOLINGS,
    HybridPooling,
    HybridPoolingWithAttention,
    PoolingFactory,
)
from hybridpool.more_poolings import GatedPooling, HybridBlurPooling, MaxBlurPooling

Blend = HybridPooling | HybridPoolingWithAttention | HybridBlurPooling | GatedPooling
"""A layer that mixes max and average pooling by something that can be learned."""


def _hybrid_blur(*, channels: int | None = None, **window: Any) -> nn.Module:
    return HybridBlurPooling(**window)


def _gated(*, channels: int | None = None, **window: Any) -> nn.Module:
    return GatedPooling(**window)


def _blur(*, channels: int | None = None, **window: Any) -> nn.Module:
    return MaxBlurPooling(**window)


def _strided(*, channels: int, kernel_size: int, stride: int) -> nn.Module:
    return nn.Conv2d(channels, channels, kernel_size, stride, bias=False)


ARMS: dict[str, PoolingFactory] = {
    "max": POOLINGS["max"],
    "average": POOLINGS["average"],
    "fixed": POOLINGS["hybrid"],
    "hybrid": POOLINGS["hybrid"],
    "frozen": POOLINGS["hybrid"],
    "channel": HybridPooling,
    "attention": POOLINGS["attention"],
    "gated": _gated,
    "blur": _blur,
    "hybrid_blur": _hybrid_blur,
    "strided": _strided,
}
"""What is compared, by name.

``max`` and ``average`` alone; ``fixed``, a half of each that never changes; ``hybrid``, one
learned blend weight a layer; ``frozen``, the blend weights that the hybrid network of the same seed
learned, from the first step on; ``channel``, one learned blend weight a channel;
``attention``, one a channel computed from the picture; ``gated``, one a window computed from its
cells; ``blur``, max pooling with a blur; ``hybrid_blur``, one learned blend weight a layer with a
blur; ``strided``, a convolution with step 2 in place of a pooling.
"""

UNLEARNED = ("fixed", "frozen")
"""Arms whose blend weights stay as they are."""

STARTING = ("hybrid", "channel", "hybrid_blur")
"""Arms whose blend weights can start elsewhere than at one half."""


def set_blends(
    model: nn.Module,
    arm: str,
    *,
    start: float | None = 0.5,
    frozen_at: Sequence[float] = (),
    seed: int = 0,
) -> None:
    """Set the blend weights of a network to an arm's start, and freeze those that never change.

    Args:
        model: A network with the poolings of `arm`.
        arm: A key of `ARMS`.
        start: Where learned blend weights start; None is the article's own start, a logit drawn
            evenly from 0 to 1.
        frozen_at: For ``"frozen"`` the blend weight of each pooling, from the first layer on.
        seed: The seed of the article's start.

    Raises:
        ValueError: If the arm cannot start there, or ``frozen_at`` does not fit the network.

    Example:
        >>> layer = HybridPooling()
        >>> set_blends(nn.Sequential(layer), "frozen", frozen_at=[0.25])
        >>> round(layer.blend_weight.item(), 3), layer.weight.requires_grad
        (0.25, False)
    """
    if start != 0.5 and arm not in STARTING:
        raise ValueError(
            f"The blend weights of {arm} cannot start at {start}: only those of "
            f"{', '.join(STARTING)} can."
        )
    layers = list(blends(model, learned=False).values())
    if len(frozen_at) != (len(layers) if arm == "frozen" else 0):
        raise ValueError(
            f"{arm} in a network with {len(layers)} blends was given {len(frozen_at)} blend "
            "weights to hold: frozen needs one for each, other arms none."
        )
    generator = torch.Generator().manual_seed(seed)
    for layer, value in itertools.zip_longest(layers, frozen_at):
        if arm in STARTING and start is None:
            nn.init.uniform_(layer.weight, generator=generator)  # type: ignore[arg-type]
        elif arm in STARTING and start is not None:
            nn.init.constant_(layer.weight, initial_logit(start))  # type: ignore[arg-type]
        elif value is not None:
            nn.init.constant_(layer.weight, initial_logit(value))  # type: ignore[arg-type]
        if arm in UNLEARNED:
            layer.requires_grad_(False)


def blends(model: nn.Module, *, learned: bool = True) -> dict[str, Blend]:
    """The layers that blend max and average pooling, numbered from the first layer on.

    Args:
        model: The network.
        learned: Whether to leave out those whose blend weights never change.

    Example:
        >>> list(blends(nn.Sequential(HybridPooling(), nn.ReLU(), GatedPooling())))
        ['pooling 1', 'pooling 2']
    """
    layers = [module for module in model.modules() if isinstance(module, Blend)]
    if learned:
        layers = [layer for layer in layers if any(p.requires_grad for p in layer.parameters())]
    return {f"pooling {number}": layer for number, layer in enumerate(layers, 1)}


def blend_parameters(model: nn.Module) -> list[nn.Parameter]:
    """The learned parameters that decide the blends: logits, attention layers, gating masks.

    Example:
        >>> [tuple(weight.shape) for weight in blend_parameters(HybridPooling(channels=4))]
        [(4,)]
    """
    return [
        parameter
        for layer in blends(model).values()
        for parameter in layer.blend_parameters()
        if parameter.requires_grad
    ]


def blend_weights(layer: Blend, input: Tensor) -> Tensor:
    """The blend weights that a layer uses for a batch: one, or the mean of each channel.

    Args:
        layer: A layer that blends.
        input: The batch that it pools (N, C, H, W).

    Example:
        >>> blend_weights(GatedPooling(), torch.zeros(2, 3, 4, 4))
        tensor([0.5000, 0.5000, 0.5000])
    """
    with torch.no_grad():
        if isinstance(layer, HybridPooling | HybridBlurPooling):
            return layer.blend_weight.float()
        if isinstance(layer, GatedPooling):
            return layer.gate(input).float().mean((0, 2, 3))
        return layer.attention(input).float().mean(0)
