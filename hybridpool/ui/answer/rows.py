"""The rows: clean and changed through every network, computed in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.answer import Answer, Network, program_of
from hybridpool.answer.change import REACH
from hybridpool.layers import HybridPooling
from hybridpool.more_poolings import HybridBlurPooling
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity.perturbation import level_options
from hybridpool.training.arms import blends
from hybridpool.training.data import CIFAR10_CLASSES
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.sentences import saved_caption
from hybridpool.ui.answer.state import SIDE, Chosen, settle
from hybridpool.ui.answer.words import arm_names, class_names, row_words
from hybridpool.ui.browser.component import BASE, DIAL, component, show_packed, taken
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.controls import take_photo
from hybridpool.ui.phrases import plain
from hybridpool.ui.words import _, language
from hybridpool.viz.answer_charts import OWN_COLOUR
from hybridpool.viz.palette import ARM_COLOURS

KEY = "answer_rows"
_SCRIPTS = ("common/engine.js", "answer/network.js")
_DRAWN = {"gaussian": "normal", "speckle": "normal", "poisson": "picture"}


@dataclass(frozen=True)
class Row:
    """One pooling: its networks, by seed.

    Attributes:
        key: The arm, or what names a network of the person's own.
        name: What it is called on the page.
        networks: At least one.
    """

    key: str
    name: str
    networks: tuple[Network, ...]

    @property
    def own(self) -> bool:
        """Whether it is a network of the person's own."""
        return self.key.startswith("own-")


def rows_of(shipped: list[Network], own: tuple[Network, ...]) -> list[Row]:
    """One row a pooling in fixed order, and one for each network of the person's own."""
    found = []
    for arm, name in arm_names().items():
        networks = tuple(each for each in shipped if each.info.arm == arm)
        if networks:
            found.append(Row(arm, name, networks))
    named = _("Yours: {file}")
    return found + [
        Row(f"own-{network.key}", named.format(file=network.key.rpartition("-")[0]), (network,))
        for network in own
    ]


def names_of(rows: Sequence[Row]) -> dict[str, str]:
    """What rows are called in a sentence; a file of a person's own may be called anything."""
    return {row.key: plain(row.name) if row.own else row.name for row in rows}


@dataclass(frozen=True)
class Rows:
    """All that the rows show.

    Attributes:
        rows: The networks, by pooling.
        seen: The picture.
        chosen: What is done to it.
        weight: Where the dial stands; None is each network's own.
        answers: What PyTorch says, by the key of each network.
        level: What the level of the noise is called.
    """

    rows: list[Row]
    seen: Seen
    chosen: Chosen
    weight: float | None
    answers: Mapping[str, Answer]
    level: str


def show_rows(shown: Rows) -> None:
    """Draw the rows; what the hand lets go of lands in the session's state."""
    draw = component(
        "answer",
        *DIAL,
        *_SCRIPTS,
        "compare/patch.js",
        "common/changing.js",
        "answer/change.js",
        "answer/lines.js",
        "answer/filmed.js",
        "common/camera.js",
        "common/png.js",
        "answer/save.js",
        "answer/answer.js",
    )
    seen, told = shown.seen, taken(KEY, "settled")
    keys = tuple(network.key for row in shown.rows for network in row.networks)
    shows = (seen.named, seen.known, shown.chosen, shown.weight, keys, language(), told)
    show_packed(draw, KEY, shows, lambda: pack(shown), settled=settle, photo=_take)


def _take(told: Mapping[str, Any]) -> None:
    """Take a frame of the camera; all of this page is drawn anew with every message."""
    take_photo(told)


def pack(shown: Rows) -> bytes:
    """The picture, the draw and what PyTorch says, as one message without the networks."""
    rows, seen, chosen = shown.rows, shown.seen, shown.chosen
    change = chosen.change
    box = dict(zip(("top", "left", "height", "width"), change.done.box((SIDE, SIDE)), strict=True))
    noise = NOISES[change.done.noise]
    header = {
        "key": f"{seen.named} {change.action} {change.done.noise} {change.done.draw} "
        f"{change.done.shape} {change.done.fill}",
        "told": taken(KEY, "settled"),
        "rows": [_row(row) for row in rows],
        "classes": class_names(CIFAR10_CLASSES),
        "known": CIFAR10_CLASSES.index(seen.known) if seen.known else None,
        "judged": {key: [each.clean, each.changed] for key, each in shown.answers.items()},
        "levels": level_options(noise),
        "named": seen.named,
        "title": seen.title,
        "saved": saved_caption(change, shown.level),
        "reach": REACH,
        "start": dial_start(rows, chosen.shown),
        "image_shape": [SIDE, SIDE],
        "view": {
            **{"action": change.action, "kind": change.done.kind, "noise": change.done.noise},
            **{"level": change.done.level, "shape": change.done.shape, "fill": change.done.fill},
            **{"rows": change.rows, "columns": change.columns},
            **{"weight": shown.weight, "shown": chosen.shown, "box": box},
        },
        "colours": {name: ARM_COLOURS[name] for name in ("max", "average", "hybrid")},
        "words": row_words(shown.level),
    }
    arrays: dict[str, NDArray[Any]] = {"picture": seen.image.contiguous().numpy()}
    drawn = _draw(seen.image, chosen)
    if drawn is not None:
        arrays["draw"] = drawn.contiguous().numpy()
    return pack_message(header, arrays)


def send_networks(rows: list[Row]) -> None:
    """Send the networks beside the rows: the first of each row together, then the second, so that
    the hand waits for no more than it moves."""
    draw = component("carrier", *BASE, *_SCRIPTS, "carrier/carrier.js")
    for place in range(max(len(row.networks) for row in rows)):
        group = [row.networks[place] for row in rows if place < len(row.networks)]
        keys = tuple(network.key for network in group)
        pack = partial(packed_networks, tuple(group))
        show_packed(draw, f"answer_networks_{place}", keys, pack)


def packed_networks(networks: tuple[Network, ...]) -> bytes:
    """Networks as one message: their steps, and their numbers as they are stored."""
    told: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for network in networks:
        program = program_of(network.model)
        names = [f"{network.key}/{place}" for place in range(len(program.arrays))]
        arrays |= dict(zip(names, (each.numpy() for each in program.arrays), strict=True))
        told.append(
            {
                "key": network.key,
                "mean": network.info.mean,
                "std": network.info.std,
                "look": program.steps,
                "chosen": names,
            }
        )
    return pack_message({"networks": told}, arrays)


def _row(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": row.key,
        "name": row.name,
        "colours": OWN_COLOUR if row.own else ARM_COLOURS[row.key],
        "chosen": [network.key for network in row.networks],
    }
    classes = row.networks[0].info.classes
    return told if classes == CIFAR10_CLASSES else told | {"classes": class_names(classes)}


def dial_start(rows: list[Row], shown: int) -> float | None:
    """The mean of the blend weights that the shown hybrid network learned; None without a blend."""
    blending = [row for row in rows if blends(row.networks[0].model, learned=False)]
    if not blending:
        return None
    row = next((row for row in blending if row.key == "hybrid"), blending[0])
    model = row.networks[min(shown, len(row.networks) - 1)].model
    weights = [
        layer.blend_weight.detach().mean().item()
        for layer in blends(model, learned=False).values()
        if isinstance(layer, HybridPooling | HybridBlurPooling)
    ]
    return sum(weights) / len(weights) if weights else 0.5


def _draw(image: Tensor, chosen: Chosen) -> Tensor | None:
    """What the noise or the fill of the occluder is drawn as, in the order in which it is used."""
    change = chosen.change
    generator = torch.Generator().manual_seed(change.done.draw)
    if change.action == "noise":
        kind = _DRAWN.get(change.done.noise, "uniform")
        if kind == "picture":
            return change.apply(image)
        draw = torch.randn if kind == "normal" else torch.rand
        return draw(image.shape, generator=generator)
    if change.action == "occlusion" and change.done.fill == "noise":
        return torch.rand(image.shape, generator=generator)
    return None
