"""The inspector: packs a trace for the browser and hears what the person looks at and through.

The picture, its feature map and the weights travel once for each picture and stem; a window that
was moved is answered with its maps alone. The browser blends, pools while the hand moves, frames
windows and prints formulas without asking again. See ``assets/inspector``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from typing import Any

import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.measure import highest_contrast
from hybridpool.pictures.gallery import GALLERY
from hybridpool.stem import ConvStem, stem_info
from hybridpool.trace import Trace, pooling_layers
from hybridpool.ui import compute
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import PANELS, component, show_packed
from hybridpool.ui.browser.packing import (
    Ranges,
    pack_message,
    pixels,
    quantised,
    ranges_of,
    rest,
)
from hybridpool.ui.browser.words import inspector_words, is_learned
from hybridpool.ui.controls import take_photo
from hybridpool.ui.settings import (
    SHARED,
    MapStyle,
    ResolvedView,
    View,
    look_at,
    pick_picture,
    view_of,
)
from hybridpool.ui.words import _, fill, language, speaking
from hybridpool.viz.palette import POOLING_COLOURS, diverging, sequential

_PARTS = ("painting", "sizes", "terms", "sweep", "filmed", "swipe", "beside", "save", "inspector")
#: All that the inspector is made of.
SCRIPTS = (
    *PANELS,
    "common/engine.js",
    "common/through.js",
    "common/camera.js",
    "common/png.js",
    *(f"inspector/{name}.js" for name in _PARTS),
)
_WINDOW: dict[str, sent.Check] = {
    "kernel": sent.whole,
    "stride": sent.whole,
    "padding": sent.whole,
    "ceilMode": sent.flag,
}
#: Names the picture, stem and words that were packed last.
_PACKED = "inspector_base"


def resolved_view(trace: Trace, view: View | None = None) -> ResolvedView:
    """A view, by default the session's, with every blank filled in and all inside the maps."""
    seen = SHARED.chosen().view if view is None else view
    channels, rows, columns = trace.pooled["max"].shape
    if seen.channel is None:
        channel, row, column = trace.example
    else:
        channel = min(seen.channel, channels - 1)
        row, column = example_cells(trace)[channel]
    if seen.pinned and seen.row is not None and seen.column is not None:
        row, column = min(seen.row, rows - 1), min(seen.column, columns - 1)
    turned = seen.weight is not None
    weight = trace.blend_weight[channel].item() if seen.weight is None else seen.weight
    style = {field.name: getattr(seen, field.name) for field in fields(MapStyle)}
    return ResolvedView(weight, channel, row, column, seen.pinned, seen.scope, turned, **style)


def example_cells(trace: Trace) -> list[tuple[int, int]]:
    """For each channel the pooled cell where max and average differ most."""
    found = highest_contrast(trace.pooled["max"], trace.pooled["average"])
    return [(int(row), int(column)) for row, column in found]


@dataclass(frozen=True)
class Inspected:
    """What the inspector shows.

    Attributes:
        trace: The picture through everything.
        view: The view to begin with.
        caption: One line for the saved picture.
        words: Every word that it shows or speaks.
        stem: What made the feature map.
        base: Names picture, stem and words: all that a window leaves as it is.
        about: What to look for in the picture.
        second: A second picture (3, H, W) as it goes into the stem.
        second_title: What it shows.
    """

    trace: Trace
    view: ResolvedView
    caption: str
    words: Mapping[str, str]
    stem: ConvStem
    base: str = ""
    about: str = ""
    second: Tensor | None = None
    second_title: str = ""


def show_inspector(trace: Trace, picture: str, caption: str) -> None:
    """Draw the inspector; what the person lets go of lands in the session's record.

    `picture` names the picture beyond doubt, as the digest of an upload does.
    """
    show_packed(
        component("inspector", *SCRIPTS),
        "inspector",
        # Large text moves what stands above it: then it is mounted anew, with what it shows now.
        (trace.settings, picture, _second(), language(), st.session_state.get("large")),
        lambda: _packed(trace, picture, caption),
        view=look_at,
        window=_look_through,
        picture=_step_to,
        photo=take_photo,
    )


def _packed(trace: Trace, picture: str, caption: str) -> bytes:
    settings = trace.settings
    named = (picture, settings.image_size, settings.stem, settings.channels)
    made = (settings.seed, settings.count_include_pad, str(trace.device), language())
    second = _second()
    base = sha256(repr((*named, second, *made)).encode()).hexdigest()[:16]

    def inspected() -> Inspected:
        with speaking(language()):
            words = inspector_words(learned=is_learned(trace))
        stem = compute.stem_of(settings)
        known = GALLERY.get(picture)
        about = f"{_(known.title)}: {_(known.words)}" if known else ""
        shown = Inspected(trace, resolved_view(trace), caption, words, stem, base, about)
        if second:
            image = compute.fitted(second, settings.image_size)
            shown = replace(shown, second=image, second_title=_(GALLERY[second].title))
        return shown

    # Only the browser knows what it still holds; what it held before another picture is gone.
    kept = base == _held() == st.session_state.get(_PACKED)
    st.session_state[_PACKED] = base
    if kept:
        return pack_window(inspected())
    # Visitors of a class begin with the same.
    begun = (base, settings, SHARED.chosen().view, caption)
    return compute.kept_message(repr(begun), lambda: pack(inspected()))


def _second() -> str:
    """The key of the picture below the first."""
    return SHARED.chosen().view.beside


def _held() -> object:
    """The name of what the browser says that it holds; None until it has moved a window."""
    told = (st.session_state.get("inspector") or {}).get("window")
    return told.get("has") if isinstance(told, Mapping) else None


def _look_through(told: Mapping[str, Any]) -> None:
    """Take the window that the hand let go of, and what is looked at through it."""
    window = sent.checked(told, _WINDOW)
    if not window:
        return
    look_at(told)
    SHARED.choose(
        kernel_size=window["kernel"],
        stride=window["stride"],
        padding=window["padding"],
        ceil_mode=window["ceilMode"],
    )
    if not told.get("has"):
        # It was mounted anew with an answer to the one before: now it gets everything.
        st.session_state.pop("inspector_shows", None)


def _step_to(told: Mapping[str, Any]) -> bool:
    """Take the picture that was asked for beside the maps; whether there was one."""
    picked = sent.checked(told, {"key": sent.word(GALLERY)})
    if picked:
        pick_picture(picked["key"])
    return bool(picked)


def pack(shown: Inspected) -> bytes:
    """A trace as one message: length, JSON header, arrays."""
    header, arrays = _base(shown)
    window_header, window_arrays = _window(shown)
    return pack_message(header | window_header, arrays | window_arrays)


def pack_window(shown: Inspected) -> bytes:
    """The same without what the browser holds already."""
    return pack_message(*_window(shown))


def without_server(shown: Inspected) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What a page needs that has no server: its engine computes every map from the picture."""
    header, arrays = _lasting(shown)
    arrays["picture"] = shown.trace.features.image.numpy()
    return header | _seen(shown) | {"keys": []}, arrays


def _base(shown: Inspected) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What a window leaves as it is: picture, feature map, weights, names, words."""
    trace, ranges = shown.trace, _ranges(shown.trace)
    header, arrays = _lasting(shown)
    arrays |= quantised({"input": trace.feature_map}, ranges)[0]
    arrays["fine"] = rest(trace.feature_map, arrays["input"], ranges)
    arrays["image"] = pixels(trace.features.image)
    if shown.second is not None:
        arrays["beside"] = shown.second.numpy()
        shape = list(shown.second.shape[1:])
        header["beside"] = {"shape": shape, "title": shown.second_title}
    return header | ranges | {"input_shape": list(trace.feature_map.shape)}, arrays


def _lasting(shown: Inspected) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What needs no map: weights, colours, names, words."""
    trace, stem = shown.trace, shown.stem
    weight, bias = stem.folded()
    layer = pooling_layers(len(weight), trace.settings, stem.pooling_state)["attention"]
    assert isinstance(layer, HybridPoolingWithAttention)
    inner, outer = layer.fc[0], layer.fc[2]
    assert isinstance(inner, torch.nn.Linear)
    assert isinstance(outer, torch.nn.Linear)
    weights = {
        **{"weight": weight, "bias": bias},
        **{"inner": inner.weight, "inner_bias": inner.bias},
        **{"outer": outer.weight, "outer_bias": outer.bias},
    }
    arrays: dict[str, NDArray[Any]] = {
        name: values.detach().float().numpy() for name, values in weights.items()
    }
    arrays["palette"], arrays["diverging"] = sequential(), diverging()
    kernel, stride, padding = trace.features.receptive_field
    header = {
        "image_shape": list(trace.features.image.shape[1:]),
        "stem": {
            **{"kernel": kernel, "stride": stride, "padding": padding},
            "edge": stem.conv.padding_mode == "replicate",
            "mean": stem.mean.flatten().tolist(),
            "std": stem.std.flatten().tolist(),
        },
        "stem_title": _(stem_info(trace.settings.stem).title),
        "key": trace.settings.picture,
        "keys": list(GALLERY),
        "about": shown.about,
        "names": [fill(name) for name in trace.features.channel_names],
        "colours": POOLING_COLOURS,
        "words": shown.words,
    }
    return header, arrays


def _ranges(trace: Trace) -> Ranges:
    """The range of each channel's feature map, which holds what any window makes of it.

    With it zero where padding counts as that.
    """
    zero = torch.zeros_like(trace.feature_map[:, :1, :1])
    counted = trace.settings.count_include_pad
    return ranges_of([trace.feature_map, *([zero] if counted else [])])


def _window(shown: Inspected) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What a window decides: the pooled maps, and what is looked at."""
    trace = shown.trace
    maps = {name: trace.pooled[name] for name in ("max", "average")}
    ranges = _ranges(trace)
    arrays, _ = quantised(maps, ranges)
    arrays |= {f"{name}_fine": rest(maps[name], arrays[name], ranges) for name in maps}
    header = {
        "pooled_shape": list(trace.pooled["max"].shape),
        "attention": trace.attention.tolist(),
        "example_cells": example_cells(trace),
    }
    return header | _seen(shown), arrays


def _seen(shown: Inspected) -> dict[str, Any]:
    """The window, where the dial starts, and what is looked at."""
    trace, settings = shown.trace, shown.trace.settings
    return {
        "base": shown.base,
        "window": {
            "kernel": settings.kernel_size,
            "stride": settings.stride,
            "padding": settings.padding,
            "ceilMode": settings.ceil_mode,
            "countPad": settings.count_include_pad,
        },
        "start": trace.blend_weight.tolist(),
        "view": asdict(view_of(shown.view)),
        "device": str(trace.device).upper(),
        "caption": shown.caption,
    }
