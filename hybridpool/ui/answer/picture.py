"""Which picture the networks see, and what is known to be on it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from hybridpool.answer import KNOWN, OUTSIDE, as_seen
from hybridpool.pictures import ImageError
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.image import image_digest
from hybridpool.training.data import CIFAR10_CLASSES, DataUnavailable
from hybridpool.ui import compute
from hybridpool.ui.answer import state
from hybridpool.ui.answer.state import STATE
from hybridpool.ui.answer.words import class_names
from hybridpool.ui.page_state import draw_control
from hybridpool.ui.settings import SHARED, picture_was_chosen, upload
from hybridpool.ui.words import _, fill

#: What is shown to somebody who has chosen no picture: one that the networks can know.
_FIRST = "horse"
#: What stands for none of the test pictures in their control.
_NO_TEST = -1


@dataclass(frozen=True)
class Seen:
    """The picture as the networks see it.

    Attributes:
        image: (3, 32, 32), in 8 bit levels.
        named: Names it beyond doubt.
        known: The class of CIFAR-10 that it shows, by its name in English; "" where that is not
            known, and None where it is known to be none of them.
        own: Whether it is a picture of the person's own.
        whole: The picture as it is, (3, H, W).
        title: What it is called on the page.
    """

    image: Tensor
    named: str
    whole: Tensor
    title: str
    known: str | None = ""
    own: bool = False


def begin_with_a_known_picture() -> None:
    """Who comes here first and has chosen no picture sees one that the networks can know."""
    if "answer_begun" not in st.session_state:
        st.session_state["answer_begun"] = True
        if not picture_was_chosen() and "picture" not in st.query_params:
            SHARED.choose(picture=_FIRST)


def current_picture() -> Seen:
    """The picture that is chosen, or a sentence and another one where it cannot be read."""
    settings, own = SHARED.chosen().settings, upload()
    _leave_the_test_set(compute.picture_key(settings, own))
    offered = compute.test_set(state.DATA)
    test = STATE.chosen().test
    if test is not None:
        if not isinstance(offered, DataUnavailable) and test in offered[2]:
            place = offered[2].index(test)
            title = _("Test picture {place} of CIFAR-10").format(place=test)
            return _seen(offered[0][place], CIFAR10_CLASSES[offered[1][place]], title)
        st.info(
            _(
                "This link shows a test picture of CIFAR-10 that is not on the machine of this "
                "page: it shows the picture in the sidebar instead."
            )
        )
    if st.session_state.pop("link_had_upload", False):
        st.info(
            _(
                "This link was made with somebody's own picture, which a link cannot carry. If it "
                "was yours, choose the file again."
            )
        )
    try:
        key = compute.picture_key(settings, own)
        data = own.data if own and settings.picture == "upload" else None
        image = compute.picture(key if key != "upload" else _FIRST, data=data)
    except ImageError as problem:
        st.error(fill(problem), icon=":material/error:")
        return _seen(compute.picture(_FIRST), KNOWN[_FIRST], _(GALLERY[_FIRST].title))
    known = KNOWN.get(settings.picture, None if settings.picture in OUTSIDE else "")
    title = _(GALLERY[key].title) if key in GALLERY else _("Your picture")
    return _seen(image, known, title, own=settings.picture == "upload")


def test_picture_control() -> None:
    """A choice of test pictures, where the person has a copy of CIFAR-10."""
    offered = compute.test_set(state.DATA)
    if isinstance(offered, DataUnavailable):
        return
    _pictures, labels, places = offered
    names = class_names(CIFAR10_CLASSES)
    count: dict[int, int] = {}
    labelled: dict[int, str] = {}
    for label, place in zip(labels, places, strict=True):
        count[label] = count.get(label, 0) + 1
        labelled[place] = f"{names[label]} {count[label]}"
    with st.sidebar:
        st.header(_("Test pictures of CIFAR-10"))
        test = STATE.chosen().test
        draw_control(
            st.selectbox,
            _("Show a test picture"),
            _NO_TEST if test is None or test not in labelled else test,
            lambda place: STATE.choose(test=None if place == _NO_TEST else place),
            key="answer_test",
            options=[_NO_TEST, *labelled],
            format_func=lambda place: labelled.get(place, _("the picture above")),
            help=_(
                "Pictures that no network was trained on, from the copy of CIFAR-10 on the machine "
                "of this page."
            ),
        )


def _leave_the_test_set(key: str) -> None:
    """A picture that is chosen in the sidebar takes the place of a test picture."""
    before = st.session_state.get("answer_picture", key)
    st.session_state["answer_picture"] = key
    if before != key and STATE.chosen().test is not None:
        STATE.choose(test=None)


def _seen(whole: Tensor, known: str | None, title: str, *, own: bool = False) -> Seen:
    image = as_seen(whole)
    return Seen(image, digest_of(image), whole, title, known, own)


def digest_of(image: Tensor) -> str:
    """A name of a picture beyond doubt, from every value of it."""
    return image_digest(image.contiguous().numpy().tobytes())
