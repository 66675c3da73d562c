"""Everything that is cached, in one place, bounded, on plain keys.

Keys are frozen settings and digests of bytes, never arrays: Streamlit hashes only a sample of a
large array. Tensors that are returned are shared between sessions and must not be changed.
"""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from hybridpool.gallery import GALLERY, gallery_image
from hybridpool.image import fit_image, read_image
from hybridpool.stem import ConvStem, StemUnavailable, load_stem
from hybridpool.trace import Features, Settings, Trace, resolve_device, run_poolings, run_stem
from hybridpool.ui.noise_state import Perturbation
from hybridpool.ui.state import Upload


@st.cache_resource
def prepare() -> None:
    """Settings of the process, made once."""
    # One thread a session keeps many learners at once responsive; see CONTRIBUTING.md.
    torch.set_num_threads(1)


def trace(settings: Settings, upload: Upload | None) -> Trace:
    """One picture through everything.

    Raises:
        ImageError: If an upload is no picture that can be used.
        StemUnavailable: If the stem's weights cannot be had.
        ValueError: If the window does not fit the feature map.
    """
    prepare()
    data = upload.data if upload and settings.picture == "upload" else None
    return _trace(settings, picture_key(settings, upload), data)


def picture_key(settings: Settings, upload: Upload | None) -> str:
    """What names the picture beyond doubt: a gallery key, or the digest of an upload."""
    return upload.digest if upload and settings.picture == "upload" else settings.picture


@st.cache_resource(max_entries=48, show_spinner=False)
def _trace(settings: Settings, digest: str, _data: bytes | None) -> Trace:
    drawn = settings.stem == "random"
    stem = (settings.stem, settings.seed if drawn else 0, settings.channels if drawn else 0)
    found = _features(digest, settings.image_size, stem, settings.device, _data)
    return run_poolings(found, settings)


@st.cache_resource(max_entries=24, show_spinner=False)
def _features(
    digest: str, image_size: int, stem: tuple[str, int, int], device: str, _data: bytes | None
) -> Features:
    card = digest in GALLERY and GALLERY[digest].kind == "card"
    card_side = image_size if card else 0
    image = fit_image(picture(digest, card_side, _data=_data), image_size)
    return run_stem(image, _stem(*stem), resolve_device(device))


@st.cache_resource(max_entries=12, show_spinner=False)
def picture(digest: str, card_side: int = 0, *, _data: bytes | None = None) -> Tensor:
    """The picture (3, H, W) of a gallery key, or of the bytes whose digest is given.

    A test card is drawn anew for each `card_side`, so that its one-pixel details stay that.

    Raises:
        ImageError: If the bytes are no picture that can be used.
    """
    if _data is not None:
        return read_image(_data)
    return gallery_image(digest, card_side=card_side) if card_side else gallery_image(digest)


def _stem(key: str, seed: int, channels: int) -> ConvStem:
    found = _attempt(key, seed, channels)
    if isinstance(found, StemUnavailable):
        raise found
    return found


# A failure is remembered for a minute too: asking a silent network again takes seconds.
@st.cache_resource(max_entries=8, ttl=60, show_spinner=False)
def _attempt(key: str, seed: int, channels: int) -> ConvStem | StemUnavailable:
    try:
        return load_stem(key, seed=seed, channels=channels)
    except StemUnavailable as problem:
        return problem


def perturbed(clean: Trace, picture_named: str, done: Perturbation) -> Trace:
    """The picture of a trace with noise or an occluder on it, through everything.

    `picture_named` names the picture beyond doubt, see :func:`picture_key`.
    """
    return _perturbed(clean.settings, picture_named, done.essential(), clean.features.image)


@st.cache_resource(max_entries=12, show_spinner=False)
def _perturbed(settings: Settings, digest: str, done: Perturbation, _image: Tensor) -> Trace:
    features = run_stem(done.apply(_image), stem_of(settings), resolve_device(settings.device))
    return run_poolings(features, settings)


def stem_of(settings: Settings) -> ConvStem:
    """The stem that some settings ask for; shared between sessions, so it must not be changed."""
    drawn = settings.stem == "random"
    return _stem(settings.stem, settings.seed if drawn else 0, settings.channels if drawn else 0)
