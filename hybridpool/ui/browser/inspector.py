"""The inspector: packs a trace for the browser and hears what the person looks at.

The maps travel once, as 16 bit with one range a channel; the browser blends, frames windows and
prints formulas without asking again. See ``assets/inspector``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.measure import highest_contrast
from hybridpool.trace import Trace
from hybridpool.ui.browser.component import component, pack_message
from hybridpool.ui.settings import SHARED, Shown, View, look_at, view_of
from hybridpool.ui.words import _, fill, language
from hybridpool.viz.palette import POOLING_COLOURS, sequential

FULL = 65535


def show_inspector(trace: Trace, picture: str, caption: str) -> None:
    """Draw the inspector; what the person lets go of lands in the session's `View`.

    `picture` names the picture beyond doubt, as the digest of an upload does.

    The bytes stay the same while only the view changes, so that nothing travels twice: the view
    inside them is the one with which these maps were first shown.
    """
    key = (trace.settings, picture, language())
    if st.session_state.get("inspector_shows") != key:
        st.session_state["inspector_shows"] = key
        st.session_state["inspector_bytes"] = pack(trace, resolved_view(trace), caption)
    scripts = ("painting", "window", "save", "inspector")
    inspector = component(
        "inspector", "common/maths.js", *(f"inspector/{script}.js" for script in scripts)
    )
    inspector(
        key="inspector",
        data=st.session_state["inspector_bytes"],
        on_view_change=_remember_view,
        height="content",
    )


def resolved_view(trace: Trace, view: View | None = None) -> Shown:
    """A view, by default the session's, with every blank filled in and all inside the maps."""
    seen = SHARED.chosen().view if view is None else view
    channels, rows, columns = trace.pooled["max"].shape
    if seen.channel is None:
        channel, row, column = trace.telling
    else:
        channel = min(seen.channel, channels - 1)
        row, column = telling_cells(trace)[channel]
    if seen.pinned and seen.row is not None and seen.column is not None:
        row, column = min(seen.row, rows - 1), min(seen.column, columns - 1)
    turned = seen.weight is not None
    weight = trace.blend_weight[channel].item() if seen.weight is None else seen.weight
    return Shown(weight, channel, row, column, seen.pinned, seen.scope, turned)


def telling_cells(trace: Trace) -> list[tuple[int, int]]:
    """For each channel the pooled cell where max and average differ most."""
    found = highest_contrast(trace.pooled["max"], trace.pooled["average"])
    return [(int(row), int(column)) for row, column in found]


def pack(trace: Trace, view: Shown, caption: str) -> bytes:
    """A trace as one message: length, JSON header, arrays.

    Feature map, max and average of a channel share one range, so that a quantised maximum is
    still exactly one of the window's quantised values.
    """
    maps = {"input": trace.feature_map, **{name: trace.pooled[name] for name in ("max", "average")}}
    low = torch.stack([values.flatten(1).amin(1) for values in maps.values()]).amin(0)
    high = torch.stack([values.flatten(1).amax(1) for values in maps.values()]).amax(0)
    arrays: dict[str, NDArray[Any]] = {
        name: _quantise(values, low, high) for name, values in maps.items()
    }
    arrays["palette"] = sequential()
    image = trace.features.image.permute(1, 2, 0)
    arrays["image"] = (image * 255).round().to(torch.uint8).numpy()
    stem_kernel, stem_stride, stem_padding = trace.features.receptive_field
    settings = trace.settings
    header = {
        "input_shape": list(trace.feature_map.shape),
        "pooled_shape": list(trace.pooled["max"].shape),
        "image_shape": list(image.shape[:2]),
        "low": low.tolist(),
        "high": high.tolist(),
        "attention": trace.attention.tolist(),
        "window": {
            "kernel": settings.kernel_size,
            "stride": settings.stride,
            "padding": settings.padding,
            "countPad": settings.count_include_pad,
        },
        "stem": {"kernel": stem_kernel, "stride": stem_stride, "padding": stem_padding},
        "start": trace.blend_weight.tolist(),
        "telling": telling_cells(trace),
        "names": [fill(name) for name in trace.features.channel_names],
        "view": asdict(view_of(view)),
        "colours": POOLING_COLOURS,
        "words": component_words() | {"restart": restart_word(trace)},
        "caption": caption,
    }
    return pack_message(header, arrays)


def restart_word(trace: Trace) -> str:
    """Where the dial goes back to: what a network has learned, or where the weight starts."""
    if "hybrid" in trace.features.pooling_state:
        return _("Back to learned ({weight})")
    return _("Back to start ({weight})")


def component_words() -> dict[str, str]:
    """Every word that the inspector shows or speaks."""
    return {
        "picture": _("Picture"),
        "feature_map": _("Feature map"),
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "attention": _("Attention"),
        "channel": _("Channel"),
        "previous_channel": _("Previous channel"),
        "next_channel": _("Next channel"),
        "colour_range": _("Colours span"),
        "range_channel": _("this channel"),
        "range_all": _("all channels"),
        "save_png": _("Save as PNG"),
        "blend_weight": _("Blend weight"),
        "end_average": _("0 · average"),
        "end_max": _("1 · max"),
        "restart": _("Back to start ({weight})"),
        "dial_note": _("{max} % of the maximum and {average} % of the average of each window"),
        "same_as_max": _("The hybrid map is now the max map."),
        "same_as_average": _("The hybrid map is now the average map."),
        "hybrid_value": _("blend weight {value}"),
        "attention_value": _("attention value {value}"),
        "spread": _("{low} to {high}, mean {mean}"),
        "legend_note": _("One colour scale for the feature map and all four poolings."),
        "all_channels": _("All channels"),
        "strips_note": _(
            "Each column is a channel, each row a pooling. Click a column, or press the left and "
            "right arrow keys, to look at that channel above."
        ),
        "window": _("Window of pooled cell, row {row}, column {column}"),
        "window_pinned": _("Pinned: window of pooled cell, row {row}, column {column}"),
        "window_values": _("the {count} values"),
        "tie": _("{count} cells tie for the maximum; the gradient goes to the first of them."),
        "outside": _("Outside the feature map"),
        "padding_ignored": _(
            "Hatched cells lie outside the feature map: max never takes them and the average "
            "divides by the remaining cells only."
        ),
        "padding_counted": _(
            "Hatched cells lie outside the feature map: max never takes them, the average counts "
            "those in the padding as zeros."
        ),
        "keys": _(
            "The red frame marks one cell in each pooled map, its window in the feature map, and "
            "every pixel of the picture that reaches it. Point at a cell in any map to move it. "
            "Click or Enter pins it, Escape lets go, arrow keys move it, comma and full stop "
            "change the channel."
        ),
    }


def _quantise(values: Tensor, low: Tensor, high: Tensor) -> NDArray[np.uint16]:
    span = (high - low).clamp_min(torch.finfo(torch.float32).tiny).view(-1, 1, 1)
    scaled = ((values - low.view(-1, 1, 1)) / span * FULL).round().nan_to_num()
    return scaled.to(torch.int32).numpy().astype(np.uint16)


def _remember_view() -> None:
    look_at(st.session_state["inspector"].get("view"))
