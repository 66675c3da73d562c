"""The inspector: packs a trace for the browser and hears what the person looks at.

The maps travel once, as 16 bit with one range a channel; the browser blends, frames windows and
prints formulas without asking again. See ``assets/inspector``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hybridpool.measure import highest_contrast
from hybridpool.trace import Trace
from hybridpool.ui.browser.component import MAPS, component, show_packed
from hybridpool.ui.browser.packing import pack_message, pixels, quantised, rest
from hybridpool.ui.browser.words import inspector_words, is_learned
from hybridpool.ui.settings import SHARED, Shown, View, look_at, view_of
from hybridpool.ui.words import fill, language
from hybridpool.viz.palette import POOLING_COLOURS, sequential


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


@dataclass(frozen=True)
class Inspected:
    """What the inspector shows.

    Attributes:
        trace: The picture through everything.
        view: The view to begin with.
        caption: One line for the saved picture.
        words: Every word that it shows or speaks.
    """

    trace: Trace
    view: Shown
    caption: str
    words: Mapping[str, str]


def show_inspector(trace: Trace, picture: str, caption: str) -> None:
    """Draw the inspector; what the person lets go of lands in the session's `View`.

    `picture` names the picture beyond doubt, as the digest of an upload does.
    """
    scripts = ("painting", "window", "save", "inspector")
    show_packed(
        component("inspector", *MAPS, *(f"inspector/{script}.js" for script in scripts)),
        "inspector",
        (trace.settings, picture, language()),
        lambda: pack(
            Inspected(
                trace, resolved_view(trace), caption, inspector_words(learned=is_learned(trace))
            )
        ),
        view=look_at,
    )


def pack(shown: Inspected) -> bytes:
    """A trace as one message: length, JSON header, arrays."""
    trace, settings = shown.trace, shown.trace.settings
    maps = {"input": trace.feature_map, **{name: trace.pooled[name] for name in ("max", "average")}}
    arrays, ranges = quantised(maps)
    arrays["fine"] = rest(trace.feature_map, arrays["input"], ranges)
    arrays["palette"] = sequential()
    arrays["image"] = pixels(trace.features.image)
    stem_kernel, stem_stride, stem_padding = trace.features.receptive_field
    header = {
        **ranges,
        "input_shape": list(trace.feature_map.shape),
        "pooled_shape": list(trace.pooled["max"].shape),
        "image_shape": list(trace.features.image.shape[1:]),
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
        "view": asdict(view_of(shown.view)),
        "colours": POOLING_COLOURS,
        "words": shown.words,
        "caption": shown.caption,
    }
    return pack_message(header, arrays)
