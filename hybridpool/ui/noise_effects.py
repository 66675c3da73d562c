"""Two traces to the numbers that the sentences under the rows are composed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybridpool.measure import changed_cells, relative_change
from hybridpool.trace import Trace
from hybridpool.ui import noise_findings
from hybridpool.ui.compare import TIE, reached, winners
from hybridpool.ui.noise_findings import Reached
from hybridpool.ui.noise_state import Perturbation
from hybridpool.ui.panels import pooling_names, shown_maps
from hybridpool.ui.settings import Shown
from hybridpool.ui.words import _


@dataclass(frozen=True)
class Effect:
    """What a changed picture did to every pooling.

    Attributes:
        blend_weight: Where the dial stands; None if each channel has a blend weight of its own.
        relative: Relative change of each pooling over all channels.
        bias: Mean change of a cell of the channel shown, in units of the standard deviation of
            what was added to the feature map; empty without noise.
        winners: Windows of that channel whose clear winner changed, and windows with one.
        reached: What the occluder reaches in that channel; None under noise.
    """

    blend_weight: float | None
    relative: Mapping[str, float]
    bias: Mapping[str, float]
    winners: tuple[int, int]
    reached: Reached | None


def effect(clean: Trace, changed: Trace, seen: Shown, done: Perturbation) -> Effect:
    """The numbers behind the sentences."""
    before, after = (shown_maps(trace, seen) for trace in (clean, changed))
    channel = seen.channel
    was, now = winners(clean)[channel], winners(changed)[channel]
    clear = was != TIE
    bias = {}
    if done.kind == "noise":
        added = (changed.feature_map[channel] - clean.feature_map[channel]).double()
        sigma = added.std(correction=0)
        for name in ("max", "average", "hybrid"):
            moved = (after[name][channel] - before[name][channel]).double().mean()
            if sigma > 0:
                bias[name] = (moved / sigma).item()
    one_for_all = seen.turned or bool((clean.blend_weight == clean.blend_weight[0]).all())
    return Effect(
        blend_weight=seen.weight if one_for_all else None,
        relative={name: relative_change(before[name], after[name]).item() for name in before},
        bias=bias,
        winners=(int(((was != now) & clear).sum()), int(clear.sum())),
        reached=_reached(clean, changed, seen, done) if done.kind == "occlusion" else None,
    )


def sentences(found: Effect) -> str:
    """What this picture shows, in words."""
    names = pooling_names()
    paragraphs = [[noise_findings.ranking(found.relative, names)]]
    if any(found.relative.values()):
        paragraphs[0].insert(0, _("Over all channels:"))
        paragraphs[0].append(noise_findings.place_of_hybrid(found.relative, found.blend_weight))
        if found.reached:
            paragraphs.append([noise_findings.reach(found.reached, names)])
        if found.bias:
            paragraphs.append(
                [noise_findings.biases(found.bias, names), noise_findings.bias_note()]
            )
        paragraphs.append([noise_findings.winners(*found.winners)])
    return "\n\n".join(" ".join(said) for said in paragraphs)


def _reached(clean: Trace, changed: Trace, seen: Shown, done: Perturbation) -> Reached:
    within = reached(clean, done)
    before, after = (shown_maps(trace, seen) for trace in (clean, changed))
    cells = {
        name: changed_cells(before[name][seen.channel], after[name][seen.channel])
        for name in before
    }
    return Reached(
        total=within.numel(),
        reached=int(within.sum()),
        changed={name: int((marked & within).sum()) for name, marked in cells.items()},
        beyond={name: int((marked & ~within).sum()) for name, marked in cells.items()},
    )
