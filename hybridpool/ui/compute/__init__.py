"""Everything that is cached, in one folder, bounded, on plain keys.

Keys are frozen settings and digests of bytes, never arrays: Streamlit hashes only a sample of a
large array. Tensors that are returned are shared between sessions and must not be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.layers import POOLINGS
from hybridpool.pictures.gallery import GALLERY, gallery_image
from hybridpool.pictures.image import fit_image, read_image
from hybridpool.pictures.memory import give_back_memory
from hybridpool.race.tasks import MOST_PICTURES, TASKS, draw_data
from hybridpool.sensitivity import (
    Comparison,
    NoiseSweep,
    OcclusionMap,
    Perturbation,
    ShiftCurve,
    Study,
    compare_shifted,
    compare_traces,
    noise_sweep,
    occlusion_map,
    shift_curve,
)
from hybridpool.sensitivity.frequency import Spectrum, spectrum_of
from hybridpool.stem import ConvStem, StemUnavailable, load_stem
from hybridpool.trace import Features, Settings, Trace, resolve_device, run_poolings, run_stem
from hybridpool.ui.compute.costs import (
    kept_network_costs,
    kept_pooling_costs,
    network_costs,
    network_counts,
    pooling_costs,
)
from hybridpool.ui.compute.process import at_work, keeping, kept_message, prepare
from hybridpool.ui.compute.thumbnails import thumbnails
from hybridpool.ui.compute.trained import (
    Stored,
    answer_curves,
    answer_places,
    answer_stages,
    asked,
    asked_imagenet,
    networks,
    opened_stage,
    results,
    test_set,
)
from hybridpool.ui.compute.turns import Turns, Waiting, heavy, once, queued
from hybridpool.ui.settings import Upload
from hybridpool.viz.learning_charts import picture_strip

__all__ = [
    "Stored",
    "Waiting",
    "answer_curves",
    "answer_places",
    "answer_stages",
    "asked",
    "asked_imagenet",
    "banded",
    "compared",
    "fitted",
    "heavy",
    "kept_message",
    "kept_network_costs",
    "kept_pooling_costs",
    "network_costs",
    "network_counts",
    "networks",
    "noise_sweeps",
    "occlusion_maps",
    "opened_stage",
    "picture",
    "picture_key",
    "pooling_costs",
    "prepare",
    "results",
    "shift_distances",
    "shifted",
    "spectra",
    "stem_of",
    "task_samples",
    "test_set",
    "thumbnails",
    "trace",
]

#: How many files of people are decoded at the same time.
DECODED_AT_ONCE = 2


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
    """A unique name of the picture: a gallery key, or the digest of an upload."""
    return upload.digest if upload and settings.picture == "upload" else settings.picture


@keeping(48)
def _trace(settings: Settings, digest: str, _data: bytes | None) -> Trace:
    drawn = settings.stem == "random"
    stem = (settings.stem, settings.seed if drawn else 0, settings.channels if drawn else 0)
    found = _features(digest, settings.image_size, stem, settings.device, _data)
    return at_work(run_poolings, found, settings)


@keeping(24)
def _features(
    digest: str, image_size: int, stem: tuple[str, int, int], device: str, _data: bytes | None
) -> Features:
    image, known = fitted(digest, image_size, _data), _stem(*stem)
    return at_work(run_stem, image, known, resolve_device(device))


def fitted(digest: str, image_size: int, data: bytes | None = None) -> Tensor:
    """The picture (3, H, W) of a gallery key or of a file, as it goes into the stem."""
    card = digest in GALLERY and GALLERY[digest].kind == "card"
    return fit_image(picture(digest, image_size if card else 0, data=data), image_size)


def picture(
    digest: str,
    card_side: int = 0,
    *,
    data: bytes | None = None,
    tell: Callable[[int], None] | None = None,
) -> Tensor:
    """The picture (3, H, W) of a gallery key, or of the bytes whose digest is given.

    A test card is drawn anew for each `card_side`, so that its one-pixel details stay that.

    Few files are decoded at once, because each may need half a gigabyte; `tell` hears how many
    have to be done before.

    Raises:
        ImageError: If the bytes are no picture that can be used.
    """
    if data is None:
        return _gallery_picture(digest, card_side)
    kept = _kept_picture(digest)
    if not kept:
        with _decoding().turn(tell):
            try:
                # Somebody may have read the same file in the meantime.
                kept[:] = kept[:1] or [read_image(data)]
            finally:
                give_back_memory()
    return kept[0]


@keeping(12)
def _kept_picture(digest: str) -> list[Tensor]:
    return []


@st.cache_resource(show_spinner=False)
def _decoding() -> Turns:
    return Turns(DECODED_AT_ONCE)


@keeping(12)
def _gallery_picture(key: str, card_side: int) -> Tensor:
    return gallery_image(key, card_side=card_side) if card_side else gallery_image(key)


def _stem(key: str, seed: int, channels: int) -> ConvStem:
    found = _attempt(key, seed, channels)
    if isinstance(found, StemUnavailable):
        raise found
    return found


# A failure is remembered for a minute too: asking a silent network again takes seconds.
@keeping(8, ttl=60)
def _attempt(key: str, seed: int, channels: int) -> ConvStem | StemUnavailable:
    try:
        return load_stem(key, seed=seed, channels=channels)
    except StemUnavailable as problem:
        return problem


def compared(clean: Trace, picture_named: str, done: Perturbation) -> Comparison:
    """The picture of a trace beside the same with noise or an occluder on it.

    `picture_named` names the picture beyond doubt, see :func:`picture_key`.
    """
    return _compared(clean.settings, picture_named, done.canonical(), clean)


@keeping(12)
def _compared(settings: Settings, digest: str, done: Perturbation, _clean: Trace) -> Comparison:
    image, stem = _clean.features.image, stem_of(settings)
    size = image.shape[-2], image.shape[-1]

    def compare() -> Comparison:
        features = run_stem(done.apply(image), stem, resolve_device(settings.device))
        mask = done.mask(size) if done.kind == "occlusion" else None
        return compare_traces(_clean, run_poolings(features, settings), mask)

    return at_work(compare)


def stem_of(settings: Settings) -> ConvStem:
    """The stem of some settings; sessions share it, so it must not be changed."""
    drawn = settings.stem == "random"
    return _stem(settings.stem, settings.seed if drawn else 0, settings.channels if drawn else 0)


def noise_sweeps(
    clean: Trace, picture_named: str, noise: str, levels: tuple[float, ...], draws: int
) -> Generator[NoiseSweep | Waiting, None, None]:
    """Noise of several levels and seeds on the picture of a trace, growing until it is whole."""
    # Every blend weight can be read off the same sums.
    settings = replace(clean.settings, blend_weight=0.5)
    kept = _kept_sweep(settings, picture_named, noise, levels, draws)
    image, stem = clean.features.image, stem_of(settings)
    return queued(lambda: noise_sweep(image, stem, settings, noise, levels, range(draws)), kept)


@keeping(48)
def _kept_sweep(
    settings: Settings, digest: str, noise: str, levels: tuple[float, ...], draws: int
) -> list[NoiseSweep]:
    return []


def occlusion_maps(
    clean: Trace, picture_named: str, done: Perturbation, size: int, stride: int
) -> Generator[OcclusionMap | Waiting, None, None]:
    """A patch at every place of the picture of a trace, growing until it is whole."""
    settings = replace(clean.settings, blend_weight=0.5)
    seed = done.draw if done.fill == "noise" else 0
    look = (size, stride, done.fill, done.shape, seed)
    kept = _kept_map(settings, picture_named, look)
    return queued(
        lambda: occlusion_map(
            clean.features.image,
            stem_of(settings),
            settings,
            size=size,
            stride=stride,
            fill=done.fill,
            shape=done.shape,
            seed=seed,
        ),
        kept,
    )


@keeping(24)
def _kept_map(
    settings: Settings, digest: str, look: tuple[int, int, str, str, int]
) -> list[OcclusionMap]:
    return []


def banded(clean: Trace, picture_named: str, chosen: Study) -> Trace:
    """The picture of a trace, filtered to one band of frequencies, through everything."""
    if chosen.band == "all":
        return clean
    return _banded(clean.settings, picture_named, Study(band=chosen.band), clean.features.image)


@keeping(12)
def _banded(settings: Settings, digest: str, chosen: Study, _image: Tensor) -> Trace:
    image, stem = chosen.filtered(_image), stem_of(settings)
    features = at_work(run_stem, image, stem, resolve_device(settings.device))
    return at_work(run_poolings, features, settings)


def shifted(clean: Trace, picture_named: str, chosen: Study) -> Comparison:
    """The picture of a trace beside the shifted one, the maps laid over each other.

    Raises:
        ValueError: If the picture is too small for the shift or the window.
    """
    return _shifted(clean.settings, picture_named, chosen.canonical(), clean)


@keeping(12)
def _shifted(settings: Settings, digest: str, chosen: Study, _clean: Trace) -> Comparison:
    return at_work(
        compare_shifted,
        _clean,
        stem_of(settings),
        chosen.rows,
        chosen.columns,
        mode=chosen.mode,
        more=partial(chosen.layers, settings),
    )


def shift_distances(
    clean: Trace, picture_named: str, chosen: Study
) -> Generator[ShiftCurve | Waiting, None, None]:
    """How far the aligned maps lie apart at each shift along one axis.

    Raises:
        ValueError: If the picture is too small for the shifts or the window.
    """
    canonical = chosen.canonical()
    along = Study(mode=chosen.mode, axis=chosen.axis, band=chosen.band)
    along = replace(along, more=canonical.more, draw=canonical.draw)
    # Every blend weight can be read off the same sums.
    settings, image = clean.settings, clean.features.image

    def curve() -> ShiftCurve:
        return shift_curve(
            image,
            stem_of(settings),
            settings,
            axis=along.axis,
            mode=along.mode,
            more=partial(along.layers, settings),
        )

    return once(curve, _kept_shifts(settings, picture_named, along))


@keeping(48)
def _kept_shifts(settings: Settings, digest: str, chosen: Study) -> list[ShiftCurve]:
    return []


def spectra(
    clean: Trace, picture_named: str, chosen: Study, weight: float | None
) -> dict[str, Spectrum]:
    """The spectrum of the feature map, of one without aliasing, and of every pooled map shown."""
    names = ("feature_map", "ideal", *POOLINGS, *chosen.more)
    return {
        name: _spectrum(
            clean.settings,
            picture_named,
            Study(
                band=chosen.band,
                more=(name,) if name in chosen.more else (),
                draw=chosen.draw if name == "stochastic" else 0,
            ),
            name,
            weight if name == "hybrid" else None,
            clean,
        )
        for name in names
    }


@keeping(192)
def _spectrum(
    settings: Settings, digest: str, chosen: Study, name: str, weight: float | None, _clean: Trace
) -> Spectrum:
    return spectrum_of(_clean, chosen, name, weight)


@keeping(24, st.cache_data)
def task_samples(task: str, seed: int, count: int) -> dict[str, NDArray[np.uint8]]:
    """For each class of a task the first training pictures, drawn side by side."""
    data = draw_data(task, MOST_PICTURES, seed)
    strips = {}
    for label, name in enumerate(TASKS[task].classes):
        images = data.train_images[data.train_labels == label][:count, 0]
        # The grey values that occur fill a third of the range; more contrast shows more.
        strips[name] = picture_strip(list(images.numpy()), 0.05, 0.85)
    return strips
