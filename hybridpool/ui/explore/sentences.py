"""What Explore says of a trace: the caption, and what of its weights something has learned."""

from __future__ import annotations

from collections.abc import Iterator

from hybridpool.stem import stem_info
from hybridpool.trace import Trace
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.words import _


def caption(trace: Trace) -> str:
    """One line: device, time, stem, seed, window."""
    settings = trace.settings
    info = stem_info(settings.stem)
    stem = _(info.title)
    if "attention" not in info.learned:
        stem += " · " + _("seed {seed}").format(seed=settings.seed)
    line = _(
        "{device} · stem {stem_ms:.1f} ms, poolings {pooling_ms:.1f} ms · {stem} · "
        "window {kernel} × {kernel}, stride {stride}, padding {padding}"
    ).format(
        device=str(trace.device).upper(),
        stem_ms=trace.features.seconds * 1000,
        pooling_ms=trace.seconds * 1000,
        stem=stem,
        kernel=settings.kernel_size,
        stride=settings.stride,
        padding=settings.padding,
    )
    if trace.fell_back:
        line += " · " + _("the GPU had too little memory, so the CPU did the work")
    return line


def weights(trace: Trace, seen: ResolvedView) -> Iterator[str]:
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
