"""What the browser needs to count by itself what the level or the occluder does to the maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.pictures.draws import uniform
from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Perturbation
from hybridpool.sensitivity.perturbation import level_options
from hybridpool.stem import ConvStem
from hybridpool.trace import Trace, pooling_layers
from hybridpool.ui.browser.rows import Live
from hybridpool.ui.noise import words as noise_words


def live_part(clean: Trace, stem: ConvStem, done: Perturbation) -> Live:
    """The picture, the weights that it meets, the numbers that are drawn, and the control."""
    image, settings = clean.features.image, clean.settings
    arrays = {"picture": image, **_weights(clean, stem)}
    drawn = _drawn(image, done)
    if drawn is not None:
        arrays["draw"] = drawn
    kind, notes = CHANGES[done.noise], noise_words.release_notes()
    header = {
        "noise": done.noise,
        "follows": done.kind == "occlusion" or done.noise not in notes,
        "on_release": notes.get(done.noise, ""),
        "label": noise_words.control_names()[done.noise],
        "levels": level_options(kind),
        "means": image.mean((-2, -1)).tolist(),
        "device": str(clean.device).upper(),
        "stem": {
            "edge": stem.conv.padding_mode == "replicate",
            "mean": stem.mean.flatten().tolist(),
            "std": stem.std.flatten().tolist(),
        },
        "window": {"ceilMode": settings.ceil_mode, "countPad": settings.count_include_pad},
    }
    return Live(header, {name: _floats(values) for name, values in arrays.items()})


def _drawn(image: Tensor, done: Perturbation) -> Tensor | None:
    """The numbers drawn from the seed, one for each value of the picture.

    The colours of a patch are the first of them: as many as it has values.
    """
    sampler = uniform if done.kind == "occlusion" else CHANGES[done.noise].scales
    if sampler is None or (done.kind == "occlusion" and done.fill != "noise"):
        return None
    return sampler(image, torch.Generator().manual_seed(done.draw))


def _weights(clean: Trace, stem: ConvStem) -> dict[str, Tensor]:
    weight, bias = stem.folded()
    layers = pooling_layers(len(weight), clean.settings, clean.features.pooling_state)
    attention = layers["attention"]
    assert isinstance(attention, HybridPoolingWithAttention)
    inner, outer = attention.fc[0], attention.fc[2]
    assert isinstance(inner, nn.Linear)
    assert isinstance(outer, nn.Linear)
    return {
        **{"filter": weight, "bias": bias},
        **{"inner": inner.weight, "innerBias": inner.bias},
        **{"outer": outer.weight, "outerBias": outer.bias},
    }


def _floats(values: Tensor) -> NDArray[Any]:
    found: NDArray[np.float32] = values.detach().cpu().float().contiguous().numpy()
    return found
