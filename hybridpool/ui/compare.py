"""Clean, changed and their difference, for each pooling: what the browser gets and sends back.

Max and average maps of both pictures travel once, as 16 bit with one range a channel; the browser
blends them itself. What must be exact (sums, counts, largest changes) is computed here, the sums
in a form that holds for every blend weight. See ``assets/compare``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.layers import POOLINGS
from hybridpool.measure import changed_cells, window_winners, winner_ties
from hybridpool.trace import Trace
from hybridpool.ui import noise_state
from hybridpool.ui.component import component, pack_message
from hybridpool.ui.inspector import FULL, resolved_view, restart_word, telling_cells
from hybridpool.ui.noise_state import Perturbation
from hybridpool.ui.noise_words import component_words
from hybridpool.ui.settings import look_at, view_of
from hybridpool.ui.words import fill, language
from hybridpool.viz.palette import POOLING_COLOURS, diverging, sequential
from hybridpool.viz.sensitivity_charts import winner_colours

#: How a window whose maximum several cells share is written in a map of winners.
TIE = 255
_SCRIPTS = ("common/maths.js", *(f"compare/{name}.js" for name in ("rows", "patch", "compare")))


def show_compare(clean: Trace, changed: Trace, picture: str, done: Perturbation) -> None:
    """Draw the rows; what the person lets go of lands in the session's state.

    The bytes stay the same while only the view changes, so that nothing travels twice; coming
    from another page they are packed anew, with what is looked at now.
    """
    key = (clean.settings, picture, done.essential(), language())
    if "compare" not in st.session_state or st.session_state.get("compare_shows") != key:
        st.session_state["compare_shows"] = key
        st.session_state["compare_bytes"] = pack(clean, changed, picture, done)
    component("compare", *_SCRIPTS)(
        key="compare",
        data=st.session_state["compare_bytes"],
        on_view_change=_remember_view,
        on_patch_change=_remember_patch,
        height="content",
    )


def pack(clean: Trace, changed: Trace, picture: str, done: Perturbation) -> bytes:
    """Two traces as one message: length, JSON header, arrays."""
    seen = resolved_view(clean)
    sides = {"clean": clean, "changed": changed}
    maps = {
        f"{side}_{name}": trace.pooled[name]
        for side, trace in sides.items()
        for name in ("max", "average")
    }
    low = torch.stack([values.flatten(1).amin(1) for values in maps.values()]).amin(0)
    high = torch.stack([values.flatten(1).amax(1) for values in maps.values()]).amax(0)
    arrays: dict[str, NDArray[Any]] = {
        name: _quantise(values, low, high) for name, values in maps.items()
    }
    for side, trace in sides.items():
        pixels = trace.features.image.permute(1, 2, 0)
        arrays[f"image_{side}"] = (pixels * 255).round().to(torch.uint8).numpy()
        arrays[f"winners_{side}"] = winners(trace).to(torch.uint8).numpy()
    arrays["cells"] = _cells(clean, changed)
    arrays["palette"], arrays["diverging"] = sequential(), diverging()
    arrays["winner_palette"] = winner_colours(clean.settings.kernel_size)
    if done.kind == "occlusion":
        arrays["reached"] = reached(clean, done).to(torch.uint8).numpy()
    settings = clean.settings
    height, width = clean.features.image.shape[-2:]
    stem_kernel, stem_stride, stem_padding = clean.features.receptive_field
    header = {
        "key": f"{picture} {settings}",
        "pooled_shape": list(clean.pooled["max"].shape),
        "input_shape": list(clean.feature_map.shape),
        "image_shape": [height, width],
        "low": low.tolist(),
        "high": high.tolist(),
        **statistics(clean, changed),
        "attention": {side: trace.attention.tolist() for side, trace in sides.items()},
        "window": {
            "kernel": settings.kernel_size,
            "stride": settings.stride,
            "padding": settings.padding,
        },
        "stem": {"kernel": stem_kernel, "stride": stem_stride, "padding": stem_padding},
        "start": clean.blend_weight.tolist(),
        "telling": telling_cells(clean),
        "names": [fill(name) for name in clean.features.channel_names],
        "view": {
            **asdict(view_of(seen)),
            "kind": done.kind,
            "fill": done.fill,
            "shape": done.shape,
        },
        "box": dict(
            zip(("top", "left", "height", "width"), done.box((height, width)), strict=True)
        ),
        "colours": {name: POOLING_COLOURS[name] for name in POOLINGS},
        "words": component_words() | {"restart": restart_word(clean)},
    }
    return pack_message(header, arrays)


def statistics(clean: Trace, changed: Trace) -> dict[str, Any]:
    """Exact numbers of each channel: sums, largest changes and counts, in double precision.

    ``size`` and ``moved`` hold the sums of max², max · average and average² of the clean maps and
    of the differences: the squared norm of the hybrid map at blend weight s is
    s² · first + 2s(1 − s) · second + (1 − s)² · third.
    """
    before = {name: values.double() for name, values in clean.pooled.items()}
    moved = {name: changed.pooled[name].double() - values for name, values in before.items()}
    largest = {name: values.abs().flatten(1).amax(1) for name, values in moved.items()}
    attention = [before["attention"], moved["attention"]]
    winners_before, winners_after = winners(clean), winners(changed)
    turned = winners_before != winners_after
    clear = winners_before != TIE
    return {
        "size": _products(before["max"], before["average"]),
        "moved": _products(moved["max"], moved["average"]),
        "size_attention": attention[0].square().sum((-2, -1)).tolist(),
        "moved_attention": attention[1].square().sum((-2, -1)).tolist(),
        "largest": {name: values.tolist() for name, values in largest.items() if name != "hybrid"},
        "reach": torch.stack(list(largest.values())).amax(0).tolist(),
        "winners": {
            "windows": clear.sum((-2, -1)).tolist(),
            "changed": (turned & clear).sum((-2, -1)).tolist(),
        },
    }


def winners(trace: Trace) -> Tensor:
    """Which cell of each window is its maximum, `TIE` where several are: (C, h, w)."""
    settings = trace.settings
    window = (settings.kernel_size, settings.stride, settings.padding, settings.ceil_mode)
    found = window_winners(trace.feature_map, *window)
    return found.where(winner_ties(trace.feature_map, *window) == 1, TIE)


def reached(trace: Trace, done: Perturbation) -> Tensor:
    """The pooled cells whose receptive field meets the occluder, (h, w), whatever its shape."""
    settings = trace.settings
    mask = done.mask((trace.features.image.shape[-2], trace.features.image.shape[-1]))
    kernel, stride, padding = trace.features.receptive_field
    seen = F.max_pool2d(mask[None, None].float(), kernel, stride, padding)
    seen = F.max_pool2d(
        seen,
        settings.kernel_size,
        settings.stride,
        settings.padding,
        ceil_mode=settings.ceil_mode,
    )
    return seen[0, 0] > 0


def _cells(clean: Trace, changed: Trace) -> NDArray[np.uint8]:
    """Which cells changed at all: 1 in max, 2 in average, 4 in attention, added up."""
    bits = {"max": 1, "average": 2, "attention": 4}
    found = sum(
        changed_cells(clean.pooled[name], changed.pooled[name]) * bit for name, bit in bits.items()
    )
    assert isinstance(found, Tensor)
    cells: NDArray[np.uint8] = found.to(torch.uint8).numpy()
    return cells


def _products(maximum: Tensor, average: Tensor) -> list[list[float]]:
    products = (maximum.square(), maximum * average, average.square())
    return torch.stack([values.sum((-2, -1)) for values in products], dim=1).tolist()


def _quantise(values: Tensor, low: Tensor, high: Tensor) -> NDArray[np.uint16]:
    span = (high - low).clamp_min(torch.finfo(torch.float32).tiny).view(-1, 1, 1)
    scaled = ((values - low.view(-1, 1, 1)) / span * FULL).round().nan_to_num()
    return scaled.to(torch.int32).numpy().astype(np.uint16)


def _remember_view() -> None:
    look_at(st.session_state["compare"].get("view"))


def _remember_patch() -> None:
    sent = st.session_state["compare"].get("patch")
    if sent:
        size = (int(sent["rows"]), int(sent["columns"]))
        noise_state.STATE.choose(**noise_state.in_thousandths(sent, size))
