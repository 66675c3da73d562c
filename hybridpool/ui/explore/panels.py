"""What stands around the inspector: the caption, the chart, the table and the downloads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import distance_table, energy_kept, summarise
from hybridpool.stem import STEMS, trained_stems
from hybridpool.trace import Trace
from hybridpool.ui.browser import later
from hybridpool.ui.explore.script import reproduction_script
from hybridpool.ui.settings import Shown, upload
from hybridpool.ui.words import _, fill
from hybridpool.viz.charts import weights_chart


def caption(trace: Trace) -> str:
    """One line: device, time, stem, seed, window."""
    settings = trace.settings
    info = (STEMS | trained_stems())[settings.stem]
    line = _(
        "{device} · stem {stem_ms:.1f} ms, poolings {pooling_ms:.1f} ms · {stem} · seed {seed} · "
        "window {kernel} × {kernel}, stride {stride}, padding {padding}"
    ).format(
        device=str(trace.device).upper(),
        stem_ms=trace.features.seconds * 1000,
        pooling_ms=trace.seconds * 1000,
        stem=_(info.title),
        seed=settings.seed,
        kernel=settings.kernel_size,
        stride=settings.stride,
        padding=settings.padding,
    )
    if trace.fell_back:
        line += " · " + _("the GPU had too little memory, so the CPU did the work")
    return line


def pooling_names() -> dict[str, str]:
    """The poolings in their fixed order, in the person's language."""
    return {
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "attention": _("Attention"),
    }


def maps_at(trace: Trace, weight: float | None) -> dict[str, Tensor]:
    """The pooled maps with the hybrid one blended where the dial stands; None is its start."""
    if weight is None:
        return dict(trace.pooled)
    hybrid = hybrid_pool2d(trace.feature_map, weight, **trace.settings.window)
    return {**trace.pooled, "hybrid": hybrid}


def shown_maps(trace: Trace, seen: Shown) -> dict[str, Tensor]:
    """The pooled maps as the inspector shows them."""
    return maps_at(trace, seen.weight if seen.turned else None)


def show_weights(trace: Trace, seen: Shown) -> None:
    """The chart of blend weight and attention values, and what they are worth."""
    st.subheader(_("Blend weight and attention values"))
    weights = trace.blend_weight
    if seen.turned:
        weights = torch.full_like(weights, seen.weight)
    later.chart(
        lambda: weights_chart(
            weights.tolist(),
            trace.attention.tolist(),
            [fill(name) for name in trace.features.channel_names],
            seen.channel,
            {
                "channel": _("Channel"),
                "share_of_max": _("Share of the maximum"),
                "blend_weight": _("Blend weight (hybrid)"),
                "attention": _("Attention value"),
                "selected": _("shown"),
            },
        ),
        key="weights",
        height=320,
        alt=_("Bar chart of the attention value of each channel, with a line for the blend weight"),
    )
    st.markdown(" ".join(_weights_words(trace, seen)))


def _weights_words(trace: Trace, seen: Shown) -> Iterator[str]:
    """What the chart shows, and what of it something has learned."""
    learned = trace.features.pooling_state
    own = trace.blend_weight
    if seen.turned:
        yield _("The dial is at {weight:.2f} for **all** channels.").format(weight=seen.weight)
    if "hybrid" not in learned:
        yield _("The hybrid layer has **one** blend weight for all channels, not learned: yours.")
    elif learned["hybrid"]["weight"].numel() == 1:
        yield _(
            "The network has learned **one** blend weight for all channels: {weight:.2f}."
        ).format(weight=own[0].item())
    else:
        yield _(
            "The network has learned a blend weight for **each** channel: from {low:.2f} to "
            "{high:.2f}, above one half for {count} of {total}."
        ).format(
            low=own.min().item(),
            high=own.max().item(),
            count=int((own > 0.5).sum()),
            total=len(own),
        )
    yield _(
        "The attention layer computes one value for each channel from the means of all channels "
        "in this picture: here from {low:.3f} to {high:.3f}."
    ).format(low=trace.attention.min().item(), high=trace.attention.max().item())
    if "attention" in learned:
        yield _("How it does so is learned.")
    else:
        yield _(
            "How it does so is not learned: the layer is at its random start (seed {seed}). That "
            "shows how it works, not what a network would make of it."
        ).format(seed=trace.settings.seed)


def show_numbers(trace: Trace, seen: Shown) -> None:
    """The table: how the poolings of the shown channel differ, in numbers."""
    st.subheader(_("How the poolings differ"))
    names = pooling_names()
    before = trace.feature_map[seen.channel]
    maps = {name: values[seen.channel] for name, values in shown_maps(trace, seen).items()}
    rows = [[_("Feature map"), *_summary(before, 1.0)]]
    rows += [
        [names[name], *_summary(values, energy_kept(values, before))]
        for name, values in maps.items()
    ]
    _table(["", _("Lowest"), _("Highest"), _("Mean"), _("Energy kept")], rows)
    st.markdown(_("**Relative distance** between each pair of maps:"))
    distances = distance_table(maps)
    both = distances | {(second, first): value for (first, second), value in distances.items()}
    _table(
        ["", *names.values()],
        [
            [title, *("·" if row == column else _percent(both[row, column]) for column in names)]
            for row, title in names.items()
        ],
    )
    st.caption(
        _(
            "For the channel shown. Energy kept: mean square of the pooled map over that of the "
            "feature map. Relative distance: root of the squared difference over the mean of both "
            "energies; 0 % is the same map, 141 % has nothing in common."
        )
    )


def show_downloads(trace: Trace, seen: Shown) -> None:
    """Maps as NPZ and a script that gives the same numbers; the PNG is saved in the inspector."""
    own = upload() if trace.settings.picture == "upload" else None
    with st.container(horizontal=True):
        st.download_button(
            _("Maps as NPZ"),
            data=_npz(trace, seen),
            file_name="hybrid-pooling.npz",
            mime="application/octet-stream",
            on_click="ignore",
            icon=":material/grid_on:",
            help=_("Picture, feature map and all pooled maps as float32 arrays."),
        )
        st.download_button(
            _("PyTorch script"),
            data=reproduction_script(trace, seen, own.name if own else None),
            file_name="hybrid_pooling.py",
            mime="text/x-python",
            on_click="ignore",
            icon=":material/code:",
            help=_("A short script that gives the same numbers with the library."),
        )


def _summary(values: Tensor, kept: float) -> list[str]:
    summary = summarise(values)
    numbers = (summary.minimum, summary.maximum, summary.mean)
    return [*(f"{number:.3f}" for number in numbers), _percent(kept)]


def _table(head: list[str], rows: list[list[str]]) -> None:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _percent(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f} %"


def _npz(trace: Trace, seen: Shown) -> Callable[[], bytes]:
    def make() -> bytes:
        arrays: dict[str, Any] = {
            name: values.numpy() for name, values in shown_maps(trace, seen).items()
        }
        file = io.BytesIO()
        np.savez_compressed(
            file,
            image=trace.features.image.numpy(),
            feature_map=trace.feature_map.contiguous().numpy(),
            attention_values=trace.attention.numpy(),
            blend_weight=np.float32(seen.weight),
            **arrays,
        )
        return file.getvalue()

    return make
