"""The probabilities as CSV, and a script that prints the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from hybridpool.answer import Answer
from hybridpool.ui.answer import state
from hybridpool.ui.answer.rows import Row
from hybridpool.ui.answer.script import reproduction_script
from hybridpool.ui.answer.state import Chosen
from hybridpool.ui.settings import SHARED, upload
from hybridpool.ui.share import download
from hybridpool.ui.words import _


def show_downloads(
    rows: Sequence[Row], chosen: Chosen, weight: float | None, found: Mapping[str, Answer]
) -> None:
    """Every probability as PyTorch gives it, and the script that prints the same."""
    picture = SHARED.chosen().settings.picture
    own = upload() if picture == "upload" else None
    tested = None if chosen.test is None else (str(state.DATA), chosen.test)
    with st.container(horizontal=True):
        download(
            _("Probabilities as CSV"),
            partial(probabilities, rows, found),
            "answers.csv",
            _("Every class of every network, for the clean and the changed picture."),
        )
        download(
            _("PyTorch script"),
            partial(
                reproduction_script,
                chosen.change,
                weight,
                folder_named(),
                picture=picture,
                file=own.name if own else "",
                test=tested,
                own=tuple(
                    f"{row.networks[0].key.rpartition('-')[0]}.safetensors"
                    for row in rows
                    if row.own
                ),
            ),
            "answers.py",
            _("A short script that prints the same probabilities with the library."),
        )


def folder_named() -> str:
    """The folder of networks, as seen from the project's own where it lies there."""
    folder = state.NETWORKS
    inside = folder.is_relative_to(state.ROOT)
    return str(folder.relative_to(state.ROOT) if inside else folder)


def probabilities(rows: Sequence[Row], found: Mapping[str, Answer]) -> str:
    """One line for each network and class, with a head."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["pooling", "network", "class", "clean", "changed"])
    for row in rows:
        for network in row.networks:
            answer = found[network.key]
            for name, clean, changed in zip(
                network.info.classes, answer.clean, answer.changed, strict=True
            ):
                numbers = (f"{clean:.6f}", f"{changed:.6f}")
                lines.writerow([network.info.arm, network.key, name, *numbers])
    return text.getvalue()
