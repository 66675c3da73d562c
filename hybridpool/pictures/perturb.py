"""Images to changed images: every change by its kind, under one roof.

Images are floating point, ``(..., 3, H, W)`` or ``(..., H, W)``, with values in [0, 1]; what comes
out has their shape, dtype and device. Where randomness comes from, see
:mod:`hybridpool.pictures.draws`.
"""

from __future__ import annotations

from hybridpool.pictures.draws import Generators
from hybridpool.pictures.noises import (
    NOISES,
    Noise,
    gaussian_noise,
    pepper_noise,
    poisson_noise,
    salt_and_pepper_noise,
    salt_noise,
    speckle_noise,
)
from hybridpool.pictures.occluders import FILLS, SHAPES, occlude, occlusion_mask, patch_content
from hybridpool.pictures.quality import (
    QUALITIES,
    brightness,
    contrast,
    defocus_blur,
    gaussian_blur,
    jpeg,
)
from hybridpool.pictures.shifts import band_pass, shift

__all__ = [
    "CHANGES",
    "FILLS",
    "NOISES",
    "QUALITIES",
    "SHAPES",
    "Generators",
    "Noise",
    "band_pass",
    "brightness",
    "contrast",
    "defocus_blur",
    "gaussian_blur",
    "gaussian_noise",
    "jpeg",
    "occlude",
    "occlusion_mask",
    "patch_content",
    "pepper_noise",
    "poisson_noise",
    "salt_and_pepper_noise",
    "salt_noise",
    "shift",
    "speckle_noise",
]

#: Every change of a whole picture that has a level: noise, and another quality.
CHANGES: dict[str, Noise] = {**NOISES, **QUALITIES}
