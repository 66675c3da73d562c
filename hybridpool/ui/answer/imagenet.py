"""ResNet-18, which learned with max pooling, and what it says when that is blended."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from hybridpool.answer import IMAGENET_SIDE, Answer, Change, middle_square
from hybridpool.stem import StemUnavailable
from hybridpool.ui import compute
from hybridpool.ui.answer import sentences
from hybridpool.ui.answer.picture import Seen, digest_of
from hybridpool.ui.answer.state import STATE
from hybridpool.ui.answer.words import row_words
from hybridpool.ui.settings import SHARED
from hybridpool.ui.words import _, fill
from hybridpool.viz.palette import ARM_COLOURS

#: How many classes of a thousand are shown.
_LINES = 5
#: The weight that leaves it as torchvision has it.
_AS_LEARNED = 1.0
_STYLE = Path(__file__).resolve().parents[3] / "assets" / "answer" / "imagenet.css"


def show_imagenet(seen: Seen, change: Change, weight: float | None, *, asked: bool) -> None:
    """A switch, and behind it the answers with max pooling and with the blend, side by side.

    Args:
        seen: The picture.
        change: What is done to it.
        weight: Where the dial stands; None where there is no dial.
        asked: Whether somebody wants to know.
    """
    st.header(_("A network that learned with max pooling"))
    STATE.control(
        st.toggle,
        "imagenet",
        _("Ask ResNet-18, trained on ImageNet, too"),
        help=_(
            "torchvision's network with 1,000 classes. It has one max pooling, in front; it is "
            "computed by PyTorch, and downloaded first (45 MB) where it is not on this machine."
        ),
    )
    if not asked:
        st.caption(
            _("What does it say when its pooling is blended as the dial above says? Ask it here.")
        )
        return
    blended = 0.5 if weight is None else weight
    image = middle_square(seen.whole, IMAGENET_SIDE)
    device = SHARED.chosen().settings.device
    try:
        with st.spinner(_("ResNet-18 is asked …")):
            classes, (learned, other) = compute.asked_imagenet(
                image, digest_of(image), change, (_AS_LEARNED, blended), device
            )
    except StemUnavailable as problem:
        st.info(fill(problem), icon=":material/cloud_off:")
        return
    parts = (
        _part(_("Max pooling, as it learned"), "max", learned, classes),
        _part(_("Blend weight {value}").format(value=f"{blended:.2f}"), "hybrid", other, classes),
    )
    st.html(_STYLE)
    st.html(f'<div class="imagenet">{"".join(parts)}</div>')
    st.markdown(sentences.blended(learned, other, blended, classes, changed=not change.nothing))
    st.caption(
        _(
            "The first five of 1,000 classes, in the order of the clean answer, by torchvision's "
            "English names. It sees the same square at {side} × {side} pixels, and the change is "
            "made there: noise of the same level for each of its pixels, an occluder over the same "
            "part, a shift by as many pixels of its own. So the same level does not do the same to "
            "it as to the networks above."
        ).format(side=IMAGENET_SIDE)
    )


def _part(title: str, arm: str, answer: Answer, classes: tuple[str, ...]) -> str:
    words = row_words("")
    order = sorted(range(len(classes)), key=lambda at: -answer.clean[at])[:_LINES]
    lines = "".join(
        f'<tr{" class=first" if place == 0 else ""}><th scope="row">{html.escape(classes[at])}</th>'
        f"<td>{_meter(answer.clean[at])}</td><td>{_meter(answer.changed[at])}</td></tr>"
        for place, at in enumerate(order)
    )
    heads = "".join(
        f'<th scope="col">{html.escape(name)}</th>' for name in (words["clean"], words["changed"])
    )
    verdict = words["still" if answer.same else "now"].replace("{class}", classes[answer.says])
    verdict = verdict.replace("{share}", _whole(answer.changed[answer.says]))
    return (
        f'<section style="--own:{ARM_COLOURS[arm]}"><h3><i></i>{html.escape(title)}</h3>'
        f"<table><tr><td></td>{heads}</tr>{lines}</table><p>{html.escape(verdict)}</p></section>"
    )


def _meter(share: float) -> str:
    return f'<span><i style="--share:{100 * share:.1f}%"></i>{_whole(share)}</span>'


def _whole(share: float) -> str:
    return f"{round(100 * share)} %"
