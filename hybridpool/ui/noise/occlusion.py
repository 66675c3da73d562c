"""The occlusion map of the page: a patch slides over the picture, and each pooling answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from hybridpool.layers import POOLINGS
from hybridpool.measure import alike
from hybridpool.sensitivity import OcclusionMap, Perturbation
from hybridpool.sensitivity.perturbation import PATCHES, WHOLE, in_thousandths
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import BASE, component, show
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.names import pooling_names
from hybridpool.ui.noise import sentences as noise_findings
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.noise.words import map_words
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.results import watch
from hybridpool.ui.words import _, ngettext
from hybridpool.viz.palette import POOLING_COLOURS, diverging, sequential

#: How many places the patch takes along the longer side of the picture.
PLACES = 25


def show_occlusion_map(
    clean: Trace, picture: str, done: Perturbation, weight: float | None
) -> None:
    """Draw the map of each pooling; a click puts the occluder there."""
    longer = max(clean.features.image.shape[-2:])
    st.header(_("Where the picture matters"))
    st.markdown(
        _(
            "A patch with the fill and shape chosen above slides over the picture (Zeiler and "
            "Fergus, 2014). Each cell shows how far the pooled map moves when the patch is there."
        )
    )
    STATE.control(
        st.select_slider,
        "patch",
        _("Side of the sliding patch"),
        options=list(PATCHES),
        format_func=lambda share: f"{_pixels(share, longer)} px",
    )
    progress, place, words = st.empty(), st.container(), st.container()
    size = _pixels(done.patch, longer)
    stride = max(1, round((longer - size) / (PLACES - 1)))
    found = watch(compute.occlusion_maps(clean, picture, done, size, stride), progress, _share)
    values = map_values(found, weight)
    # What grew from maps of zeros has no share that could be painted, and no number JSON knows.
    if all(np.isfinite(each).all() for each in values.values()):
        with place:
            show(
                component("occlusion_map", *BASE, "occlusion_map/occlusion_map.js"),
                "occlusion_map",
                pack(found, values, clean, done),
                place=partial(_choose, found, clean),
            )
    with words:
        st.markdown(say(found, values))


def _share(found: OcclusionMap) -> tuple[float, str]:
    count, total = found.done, len(found.tops) * len(found.lefts)
    return count / total, _("{count} of {total} places").format(count=count, total=total)


def map_values(found: OcclusionMap, weight: float | None) -> dict[str, NDArray[np.float32]]:
    """For each pooling the relative change at each place, with the hybrid one at the dial."""
    return {
        name: found.relative_change(name, blend_weight=weight if name == "hybrid" else None)
        .to(torch.float32)
        .numpy()
        for name in POOLINGS
    }


def pack(
    found: OcclusionMap,
    values: Mapping[str, NDArray[np.float32]],
    clean: Trace,
    done: Perturbation,
) -> bytes:
    """An occlusion map as one message: length, JSON header, arrays."""
    image = clean.features.image.permute(1, 2, 0)
    against = done.against == "max"
    if against:
        values = {name: each - values["max"] for name, each in values.items()}
    arrays: dict[str, NDArray[Any]] = dict(values)
    arrays["palette"] = diverging() if against else sequential()
    arrays["image"] = (image * 255).round().to(torch.uint8).numpy()
    header = {
        "image_shape": list(image.shape[:2]),
        "tops": list(found.tops),
        "lefts": list(found.lefts),
        "patch": found.occluder.height,
        "stride": _step(found),
        "far": max(float(np.abs(each).max()) for each in values.values()),
        "against": against,
        "place": _nearest_place(found, done, image.shape),
        "view": {"shape": found.occluder.shape},
        "colours": {name: POOLING_COLOURS[name] for name in values},
        "words": map_words(),
    }
    return pack_message(header, arrays)


def say(found: OcclusionMap, values: Mapping[str, NDArray[np.float32]]) -> str:
    """What the maps show, in words."""
    means = {name: float(each.mean()) for name, each in values.items()}
    names = pooling_names()
    said = [
        _("Over all places:"),
        noise_findings.ranking(means, names),
        noise_findings.strongest(strongest_places(found, values), names)
        if 0 < max(means.values()) < math.inf
        else "",
        ngettext(
            "Computed in {seconds:.1f} s: {count} place, for it only the cells it reaches.",
            "Computed in {seconds:.1f} s: {count} places, for each only the cells it reaches.",
            found.done,
        ).format(seconds=found.seconds, count=found.done),
    ]
    return paragraph(said)


def strongest_places(
    found: OcclusionMap, values: Mapping[str, NDArray[np.float32]]
) -> dict[str, list[tuple[int, int]]]:
    """For each pooling the corners, counted from 1, where the patch changes it most, ties too."""
    return {
        name: [
            (top + 1, left + 1)
            for top, line in zip(found.tops, each.tolist(), strict=True)
            for left, value in zip(found.lefts, line, strict=True)
            if alike(value, float(each.max()))
        ]
        for name, each in values.items()
    }


def _nearest_place(found: OcclusionMap, done: Perturbation, shape: torch.Size) -> list[int]:
    top, left, height, width = done.box((shape[0], shape[1]))
    side = found.occluder.height
    wanted = (top + (height - side) / 2, left + (width - side) / 2)
    return [
        min(range(len(starts)), key=lambda place: abs(starts[place] - start))
        for starts, start in zip((found.tops, found.lefts), wanted, strict=True)
    ]


def _step(found: OcclusionMap) -> int:
    starts = found.lefts if len(found.lefts) > 1 else found.tops
    return int(starts[1] - starts[0]) if len(starts) > 1 else int(found.occluder.width)


def _choose(found: OcclusionMap, clean: Trace, told: Mapping[str, Any]) -> None:
    place = sent.checked(told, {"row": sent.whole, "column": sent.whole})
    if place and place["row"] < len(found.tops) and place["column"] < len(found.lefts):
        height, width = clean.features.image.shape[-2:]
        patch = found.at(place["row"], place["column"])
        box = {
            "top": patch.top,
            "left": patch.left,
            "height": min(patch.height, height - patch.top),
            "width": min(patch.width, width - patch.left),
        }
        STATE.choose(**in_thousandths(box, (height, width)))


def _pixels(share: int, longer: int) -> int:
    return max(2, round(share * longer / WHOLE))
