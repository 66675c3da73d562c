"""Pictures and tensors that the tests draw: the same ones every time."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Unit normals."""
    return torch.randn(shape, generator=seeded(seed))


def picture(*shape: int, seed: int = 0) -> Tensor:
    """Uniform values from 0 to 1."""
    return torch.rand(shape, generator=seeded(seed))


def photo(height: int = 32, width: int = 32, seed: int = 0) -> Tensor:
    """Smooth colour areas with a little texture, in 8 bit levels."""
    coarse = F.interpolate(picture(1, 3, 5, 6, seed=seed), (height, width), mode="bicubic")[0]
    textured = 0.1 + 0.7 * coarse + 0.1 * (picture(3, height, width, seed=seed + 1) - 0.5)
    return (textured.clamp(0, 1) * 255).round() / 255


def sound(share: float, count: int) -> float:
    """Five standard errors of a share among so many independent draws."""
    return 5 * math.sqrt(share * (1 - share) / count)
