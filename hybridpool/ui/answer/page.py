"""The page "The answer" from its picture to its last section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from hybridpool.answer import Answer, Change
from hybridpool.pictures.image import fitted_part
from hybridpool.training.data import CIFAR10_CLASSES
from hybridpool.ui import compute, controls
from hybridpool.ui.answer import sentences, state
from hybridpool.ui.answer.controls import show_controls
from hybridpool.ui.answer.curves import show_curves
from hybridpool.ui.answer.downloads import show_downloads
from hybridpool.ui.answer.imagenet import show_imagenet
from hybridpool.ui.answer.many import show_many
from hybridpool.ui.answer.own import show_own_networks
from hybridpool.ui.answer.picture import (
    Seen,
    begin_with_a_known_picture,
    current_picture,
    test_picture_control,
)
from hybridpool.ui.answer.places import show_places
from hybridpool.ui.answer.rows import (
    Row,
    Rows,
    dial_start,
    names_of,
    rows_of,
    send_networks,
    show_rows,
)
from hybridpool.ui.answer.stages import show_stages
from hybridpool.ui.answer.state import STATE
from hybridpool.ui.answer.words import class_names
from hybridpool.ui.names import level_names
from hybridpool.ui.page_state import link_to, mirror_in_link
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.settings import CHANGE_PARAMETERS, SHARED
from hybridpool.ui.words import _


def show_answers() -> Rows:
    """What a person waits for: the rows, if there are networks, and the controls above them.

    The rows are sent first. The browser fetches scripts of Streamlit's for these controls and
    paints nothing that comes with them before it has them.
    """
    begin_with_a_known_picture()
    seen = current_picture()
    rows = rows_of(compute.networks(state.NETWORKS), state.own_networks())
    chosen, above = STATE.chosen(), room_for_controls()
    weight = SHARED.chosen().view.weight
    level = level_names()[chosen.change.done.noise]
    found = {
        network.key: compute.asked(network, seen.image, seen.named, chosen.change, weight)
        for row in rows
        for network in row.networks
    }
    shown = Rows(rows, seen, chosen, weight, found, level)
    if rows:
        show_rows(shown)
    else:
        st.info(no_networks(), icon=":material/model_training:")
    with above:
        show_controls()
    return shown


def room_for_controls() -> Any:
    """A place of the height that the controls will have, in one row or below each other."""
    stacked = {"noise": 19.75, "occlusion": 15.75, "shift": 9.15}[STATE.chosen().change.action]
    st.html(
        "<style>.st-key-answer_controls { min-height: 4.25rem; } @media (max-width: 640px) { "
        f".st-key-answer_controls {{ min-height: {stacked}rem; }} }}</style>"
    )
    return st.container(key="answer_controls")


def show_rest(shown: Rows) -> None:
    """The sidebar's choices of pictures and networks, and everything below the rows."""
    with st.sidebar:
        controls.picture_controls(sized=False)
    test_picture_control()
    show_own_networks()
    mirror_in_link(SHARED.query(), STATE.query())
    rows, seen, chosen, weight = shown.rows, shown.seen, shown.chosen, shown.weight
    if not rows:
        return
    found, level = shown.answers, shown.level
    send_networks(rows)
    changed = not chosen.change.nothing
    sentence = said(rows, seen, found, changed=changed)
    st.markdown(paragraph([sentence, maps_link(seen, chosen.change)]))
    show_downloads(rows, chosen, weight, found)
    show_many(rows, chosen.change, weight)
    show_curves(rows, seen, chosen.change, weight, level)
    show_places(rows, seen, chosen.shown, weight)
    show_stages(rows, seen, chosen.shown, weight)
    stands = dial_start(rows, chosen.shown) if weight is None else weight
    show_imagenet(seen, chosen.change, stands, asked=chosen.imagenet)


def maps_link(seen: Seen, change: Change) -> str:
    """Where the maps of every pooling are shown for the same picture and change.

    Nothing for a test picture of CIFAR-10, which only this page can show.
    """
    chosen = STATE.chosen()
    if chosen.test is not None:
        return ""
    if change.action == "shift":
        page, names = "Shift_and_frequency", ["down", "right", "edge"]
    else:
        page, names = "Noise_and_occlusion", ["show", *(each.name for each in CHANGE_PARAMETERS)]
        size = fitted_part(seen.whole.shape[-2], seen.whole.shape[-1])
        done = change.done.from_middle_square(size)
        chosen = replace(chosen, change=replace(change, done=done))
    query = STATE.query(chosen) | {"edge": "circular"}
    link = link_to(page, SHARED.query(), {name: query[name] for name in names})
    return _("[How far does it move the maps?]({link})").format(link=link)


def no_networks() -> str:
    """What is said where no trained network is at hand."""
    return _(
        "There are no trained networks in {folder}: train some and write them there with "
        "`python -m hybridpool.training networks`, or bring one of your own."
    ).format(folder=f"`{state.NETWORKS.name}`")


def said(
    rows: Sequence[Row], seen: Seen, found: Mapping[str, Answer], *, changed: bool = True
) -> str:
    """What this picture shows, in words; whether it is `changed` at all."""
    classes = class_names(CIFAR10_CLASSES)
    names = names_of(rows)
    by_row = {row.key: [found[network.key] for network in row.networks] for row in rows}
    alike = {
        row.key: by_row[row.key] for row in rows if row.networks[0].info.classes == CIFAR10_CLASSES
    }
    known = CIFAR10_CLASSES.index(seen.known) if seen.known else None
    outside = sentences.none_of_them(classes, own=seen.known == "")
    parts = [
        sentences.steadiness(by_row, names) if changed else _("The picture is unchanged."),
        sentences.rightness(alike, known, outside, classes[known] if known is not None else ""),
        sentences.caution(
            {row.key: len(row.networks) for row in rows if not row.own}
            or {row.key: len(row.networks) for row in rows},
            names,
        ),
    ]
    return paragraph(parts)
