"""The shared controls in the sidebar: picture, stem, window, blend weight, device, language.

Each control is filled from the session's settings before it is drawn and writes back when it is
moved, so that a change of page, a link and a clamp all show in the controls.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from hybridpool.pictures import ImageError
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.image import image_digest, used_share
from hybridpool.stem import STEMS, StemInfo, stem_on_disk, trained_stems
from hybridpool.trace import (
    CHANNELS,
    IMAGE_SIZES,
    MAX_KERNEL,
    MAX_SEED,
    Settings,
    available_devices,
)
from hybridpool.ui import compute, words
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import component, show
from hybridpool.ui.browser.files import arrived
from hybridpool.ui.browser.words import camera_words
from hybridpool.ui.page_state import PageState, draw_control
from hybridpool.ui.phrases import paragraph, percent, plain, provenance, told_plainly
from hybridpool.ui.settings import SHARED, Upload, accept_upload, pick_picture, upload
from hybridpool.ui.words import _, ngettext


def picture_controls(*, words_beside: bool = False, sized: bool = True) -> None:
    """Gallery, upload with drag and drop, camera, and, if `sized`, the size before the stem.

    `words_beside` says that the page itself says what to look for in the picture.
    """
    settings = SHARED.chosen().settings
    st.header(_("Picture"))
    show(
        component("gallery", "gallery/gallery.js"),
        "gallery",
        {
            "language": words.language(),
            "label": _("Gallery"),
            "more": _("More pictures"),
            "fewer": _("Fewer pictures"),
            "chosen": settings.picture,
            "pictures": [
                {"key": key, "title": _(GALLERY[key].title), "thumbnail": thumbnail}
                for key, thumbnail in compute.thumbnails().items()
            ],
        },
        pick=_picked,
    )
    if settings.picture in GALLERY:
        picture = GALLERY[settings.picture]
        title = f"**{_(picture.title)}**"
        st.markdown(title if words_beside else f"{title}  \n{_(picture.words)}")
        st.caption(provenance(picture))
    if own := upload():
        if settings.picture == "upload":
            name = own.name.replace("`", "'")
            st.markdown(_("**Your picture:** {name}").format(name=f"`{name}`"))
        else:
            st.button(
                _("Back to your picture"),
                key="back_to_upload",
                on_click=accept_upload,
                args=(own,),
                help=plain(own.name),
                icon=":material/undo:",
            )
    _say_what_is_cropped(settings)
    if problem := st.session_state.get("upload_problem"):
        st.error(told_plainly(problem), icon=":material/broken_image:")
    own_label = _("Your own picture, and its size") if sized else _("Your own picture")
    if words_beside:
        own_label = _("Your own picture, its size, a second one")
    with st.expander(own_label):
        _own_picture()
        if sized:
            SHARED.control(
                st.select_slider,
                "image_size",
                _("Size before the stem (longer side)"),
                options=IMAGE_SIZES,
                format_func=lambda size: f"{size} px",
            )
        if words_beside:
            _second_picture()


def _second_picture() -> None:
    """Which picture stands below the first, under the same dial."""
    titles = {key: _(GALLERY[key].title) for key in GALLERY}
    SHARED.control(
        st.selectbox,
        "beside",
        _("Beside it: a second picture"),
        options={"": _("None"), **titles},
        help=_("Both pictures go through the same filters, window and dial, on one colour scale."),
    )


def _own_picture() -> None:
    """Upload and camera, or one sentence where the browser does not let them work."""
    if withheld()["upload"]:
        st.warning(
            _(
                "This page stands in a frame of another site, where the browser withholds the "
                "cookie that uploads need: open the page in a tab of its own to use a picture of "
                "yours."
            )
        )
        return
    _take_file(
        st.file_uploader,
        _("Your own picture"),
        key="uploader",
        help=_("It stays on the machine that runs this page and is never part of the link."),
    )
    if not st.toggle(_("Use the camera"), key="camera_on"):
        return
    without = {why: camera_words()[f"camera_{why}"] for why in ("http", "denied")}
    if why := without.get(withheld()["camera"]):
        st.warning(why)
    else:
        _take_file(st.camera_input, _("Take a photo"), key="camera")


def _take_file(widget: Callable[..., Any], label: str, *, key: str, **options: Any) -> None:
    """Draw a widget that takes a file; one whose callback was broken off is taken here."""
    file = widget(label, key=key, on_change=_uploaded, args=(key,), **options)
    if file is not None and st.session_state.get(f"{key}_taken") != file.file_id:
        _uploaded(key)
        st.rerun()


def withheld() -> dict[str, Any]:
    """What the browser withholds from this page, as far as it has said."""
    return st.session_state.get("withheld") or {"upload": False, "camera": ""}


def hear_what_is_withheld() -> None:
    """Keep what the browser says that it withholds."""
    told = (st.session_state.get("page") or {}).get("withheld")
    checks = {"upload": sent.flag, "camera": sent.word(("", "http", "denied"))}
    st.session_state["withheld"] = sent.checked(told, checks)


def stem_controls() -> None:
    """Which weights the stem carries, and how many filters where they are drawn."""
    stems = trained_stems() | STEMS
    st.header(
        _("Stem"),
        help=_("The first convolution of a network: it turns the picture into the feature map."),
    )
    SHARED.control(
        st.selectbox,
        "stem",
        _("Weights of the convolution"),
        options=list(stems),
        format_func=lambda key: _(stems[key].title),
    )
    if SHARED.chosen().settings.stem != "filters":
        st.button(
            _("New here? Readable filters"),
            key="readable_filters",
            on_click=partial(SHARED.choose, stem="filters", channel=None, row=None, column=None),
            help=_("To begin with: each of them answers to one thing, and is named after it."),
        )
    info = stems.get(SHARED.chosen().settings.stem)
    if info:
        st.caption(f"{_(info.words)}  \n{_provenance(info)}")
        if not stem_on_disk(info.key):
            st.caption(_("These weights are not on this machine yet; choosing them fetches them."))
    if SHARED.chosen().settings.stem == "random":
        SHARED.pick("channels", _("Number of filters"), list(CHANNELS))


def window_controls() -> None:
    """Kernel, stride, padding, ceil mode."""
    settings = SHARED.chosen().settings
    st.header(_("Pooling window"))
    SHARED.control(st.slider, "kernel_size", _("Kernel size"), min_value=1, max_value=MAX_KERNEL)
    SHARED.control(st.slider, "stride", _("Stride"), min_value=1, max_value=MAX_KERNEL)
    edge_controls(SHARED, settings.kernel_size // 2)


def start_controls() -> None:
    """Where a blend weight that is not learned starts."""
    stem = trained_stems().get(SHARED.chosen().settings.stem)
    if stem and "hybrid" in stem.learned:
        st.caption(_("The blend weight comes with the filters: a network has learned it."))
        return
    SHARED.control(
        st.slider,
        "blend_weight",
        _("Blend weight starts at"),
        min_value=0.0,
        max_value=1.0,
        step=0.05,
        help=_(
            "0 is average pooling, 1 is max pooling. The dial beside the maps moves on from it."
        ),
    )


def edge_controls(state: PageState[Any], most_padding: int) -> None:
    """What the windows of a page do at the edge of the map: padding, and ceil mode."""
    state.pick(
        "padding",
        _("Padding"),
        list(range(most_padding + 1)),
        help=_("At most half the kernel size, as PyTorch demands."),
    )
    state.control(
        st.toggle,
        "ceil_mode",
        _("Ceil mode"),
        help=_("Keep a last window that only partly lies on the feature map."),
    )


def advanced_controls(*, start: bool = False) -> None:
    """Device and seed; and where the blend weight starts, on a page without `window_controls`."""
    with st.expander(_("Advanced")):
        _device_control()
        _seed_control()
        if start:
            start_controls()


def _device_control() -> None:
    names = {"auto": _("Automatic"), "cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}
    SHARED.control(
        st.selectbox,
        "device",
        _("Device"),
        options=["auto", *available_devices()],
        format_func=names.__getitem__,
    )


def _seed_control() -> None:
    info = (trained_stems() | STEMS).get(SHARED.chosen().settings.stem)
    if info and "attention" in info.learned:
        return  # nothing is drawn: filters and attention come with the weights
    SHARED.whole(
        "seed",
        _("Seed"),
        0,
        MAX_SEED,
        help=_("Draws the random filters and the start of the attention layer."),
    )


def language_controls() -> None:
    """Language, and larger text for a projector."""
    st.session_state["language"] = words.language()
    draw_control(
        st.segmented_control,
        _("Language"),
        words.language(),
        partial(_keep, "language"),
        key="language_choice",
        options=list(words.LANGUAGES),
        format_func=words.LANGUAGES.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    draw_control(
        st.toggle,
        _("Large text for a projector"),
        bool(st.session_state.get("large")),
        partial(_keep, "large"),
        key="large_choice",
    )


def _picked(told: Mapping[str, Any]) -> None:
    if pick := sent.checked(told, {"key": sent.word(GALLERY)}):
        pick_picture(pick["key"])


def _say_what_is_cropped(settings: Settings) -> None:
    own = upload() if settings.picture == "upload" else None
    chosen = GALLERY.get(settings.picture)
    if not own and (not chosen or chosen.kind == "card"):  # cards are square
        return
    image = compute.picture(compute.picture_key(settings, own), data=own.data if own else None)
    share = used_share(image)
    if share < 1:
        st.caption(
            _(
                "This picture is more than twice as long as wide: only the middle {share} of its "
                "length is used."
            ).format(share=percent(share))
        )


def _uploaded(key: str) -> None:
    for file in arrived(key):
        take_picture(file.getvalue(), file.name)
        st.session_state[f"{key}_taken"] = file.file_id


def take_picture(data: bytes, name: str) -> None:
    """Show a picture of the person's own, or say in one sentence why it cannot be used."""
    digest = image_digest(data)
    try:
        compute.picture(digest, data=data, tell=_Queue())
    except ImageError as problem:
        st.session_state["upload_problem"] = problem.alone()
    else:
        st.session_state.pop("upload_problem", None)
        accept_upload(Upload(data, digest, name))


def take_photo(told: Mapping[str, Any]) -> bool:
    """Take a frozen frame of the live camera as an upload is taken; whether there was one."""
    found = sent.checked(told, {"data": sent.text})
    try:
        data = base64.b64decode(found.get("data", ""), validate=True)
    except ValueError:
        return False
    if data:
        take_picture(data, "camera.png")
    return bool(data)


class _Queue:
    """Says on the page, as often as it changes, how many pictures are read before one's own."""

    def __init__(self) -> None:
        self._said = 0
        self._note: Any = st

    def __call__(self, ahead: int) -> None:
        if ahead == self._said:
            return
        self._said = ahead
        sentence = ngettext(
            "{count} picture of somebody else is read first, then yours.",
            "{count} pictures of other people are read first, then yours.",
            ahead,
        )
        icon = ":material/hourglass_top:"
        self._note = self._note.toast(sentence.format(count=ahead), icon=icon, duration="long")


def _keep(name: str, value: object) -> None:
    st.session_state[name] = value


def _provenance(info: StemInfo) -> str:
    if info.metadata:
        said = info.metadata
        sentences = [
            _(
                "Trained on {data}, {pictures} pictures, {epochs} epochs, seed {seed}: "
                "{accuracy} of the test pictures are recognised. Licence: {licence}."
            ).format(
                data=_(info.data),
                pictures=f"{int(said.get('pictures', 0)):,}",
                epochs=said["epochs"],
                seed=said["seed"],
                accuracy=percent(float(said["accuracy"]), least=1),
                licence=_(info.licence),
            )
        ]
        if said.get("afterwards") == "attention":
            sentences.append(
                _("The attention layer learned afterwards, for one epoch, on the same filters.")
            )
        elif said.get("afterwards"):
            sentences.append(
                _("The blend weight was learned afterwards, for one epoch, on the same filters.")
            )
        return paragraph(sentences)
    if info.trained:
        return _("Trained on {data}. Licence: {licence}.").format(
            data=info.data, licence=info.licence
        )
    return _("Not trained.")
