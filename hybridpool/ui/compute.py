"""Everything that is cached, in one place, bounded, on plain keys.

Keys are frozen settings and digests of bytes, never arrays: Streamlit hashes only a sample of a
large array. Tensors that are returned are shared between sessions and must not be changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.answer import (
    Answer,
    AnswerCurve,
    Change,
    Network,
    Places,
    Stage,
    answer,
    answer_curve,
    dialled,
    kind_of,
    network_files,
    places,
    read_fit_network,
    stages,
    test_pictures,
)
from hybridpool.cost import (
    CostSettings,
    NetworkCost,
    NetworkCosts,
    NetworkSettings,
    PoolingCosts,
    count_networks,
    measure_networks,
    measure_poolings,
)
from hybridpool.layers import POOLINGS
from hybridpool.pictures.gallery import GALLERY, gallery_image
from hybridpool.pictures.image import fit_image, read_image
from hybridpool.pictures.memory import Turns, give_back_memory
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
from hybridpool.training.claims import Evidence
from hybridpool.training.data import DataUnavailable
from hybridpool.training.network_files import NetworkFileError
from hybridpool.training.records import Run
from hybridpool.training.results import ResultsError, read_run
from hybridpool.ui.settings import Upload
from hybridpool.viz.learning_charts import picture_strip

#: How many files of people are decoded at the same time.
DECODED_AT_ONCE = 2
_T = TypeVar("_T")
#: How long to wait for somebody else's measurement before saying so again, in seconds.
_WAIT = 0.3


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
    image = fit_image(picture(digest, card_side, data=_data), image_size)
    return run_stem(image, _stem(*stem), resolve_device(device))


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


@st.cache_resource(max_entries=12, show_spinner=False)
def _kept_picture(digest: str) -> list[Tensor]:
    return []


@st.cache_resource(show_spinner=False)
def _decoding() -> Turns:
    return Turns(DECODED_AT_ONCE)


@st.cache_resource(max_entries=12, show_spinner=False)
def _gallery_picture(key: str, card_side: int) -> Tensor:
    return gallery_image(key, card_side=card_side) if card_side else gallery_image(key)


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


def compared(clean: Trace, picture_named: str, done: Perturbation) -> Comparison:
    """The picture of a trace beside the same with noise or an occluder on it.

    `picture_named` names the picture beyond doubt, see :func:`picture_key`.
    """
    return _compared(clean.settings, picture_named, done.essential(), clean)


@st.cache_resource(max_entries=12, show_spinner=False)
def _compared(settings: Settings, digest: str, done: Perturbation, _clean: Trace) -> Comparison:
    image = _clean.features.image
    features = run_stem(done.apply(image), stem_of(settings), resolve_device(settings.device))
    size = image.shape[-2], image.shape[-1]
    mask = done.mask(size) if done.kind == "occlusion" else None
    return compare_traces(_clean, run_poolings(features, settings), mask)


def stem_of(settings: Settings) -> ConvStem:
    """The stem that some settings ask for; shared between sessions, so it must not be changed."""
    drawn = settings.stem == "random"
    return _stem(settings.stem, settings.seed if drawn else 0, settings.channels if drawn else 0)


def noise_sweeps(
    clean: Trace, picture_named: str, noise: str, levels: tuple[float, ...], draws: int
) -> Iterator[NoiseSweep]:
    """Noise of several levels and seeds on the picture of a trace, growing until it is whole.

    Only what is whole is kept: who stops asking leaves nothing half done behind.
    """
    # Every blend weight can be read off the same sums.
    settings = replace(clean.settings, blend_weight=0.5)
    kept = _kept_sweep(settings, picture_named, noise, levels, draws)
    if not kept:
        image, stem = clean.features.image, stem_of(settings)
        yield from _growing(noise_sweep(image, stem, settings, noise, levels, range(draws)), kept)
    yield kept[0]


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept_sweep(
    settings: Settings, digest: str, noise: str, levels: tuple[float, ...], draws: int
) -> list[NoiseSweep]:
    return []


def occlusion_maps(
    clean: Trace, picture_named: str, done: Perturbation, size: int, stride: int
) -> Iterator[OcclusionMap]:
    """A patch at every place of the picture of a trace, growing until it is whole.

    Only what is whole is kept, as in :func:`noise_sweeps`.
    """
    settings = replace(clean.settings, blend_weight=0.5)
    seed = done.draw if done.fill == "noise" else 0
    look = (size, stride, done.fill, done.shape, seed)
    kept = _kept_map(settings, picture_named, look)
    if not kept:
        growing = occlusion_map(
            clean.features.image,
            stem_of(settings),
            settings,
            size=size,
            stride=stride,
            fill=done.fill,
            shape=done.shape,
            seed=seed,
        )
        yield from _growing(growing, kept)
    yield kept[0]


def _growing(records: Iterator[_T], kept: list[_T]) -> Iterator[_T]:
    for record in records:
        yield record
    kept.append(record)


@st.cache_resource(max_entries=24, show_spinner=False)
def _kept_map(
    settings: Settings, digest: str, look: tuple[int, int, str, str, int]
) -> list[OcclusionMap]:
    return []


def banded(clean: Trace, picture_named: str, chosen: Study) -> Trace:
    """The picture of a trace, filtered to one band of frequencies, through everything."""
    if chosen.band == "all":
        return clean
    return _banded(clean.settings, picture_named, Study(band=chosen.band), clean.features.image)


@st.cache_resource(max_entries=12, show_spinner=False)
def _banded(settings: Settings, digest: str, chosen: Study, _image: Tensor) -> Trace:
    image = chosen.filtered(_image)
    features = run_stem(image, stem_of(settings), resolve_device(settings.device))
    return run_poolings(features, settings)


def shifted(clean: Trace, picture_named: str, chosen: Study) -> Comparison:
    """The picture of a trace beside the shifted one, the maps laid over each other.

    Raises:
        ValueError: If the picture is too small for the shift or the window.
    """
    return _shifted(clean.settings, picture_named, chosen.essential(), clean)


@st.cache_resource(max_entries=12, show_spinner=False)
def _shifted(settings: Settings, digest: str, chosen: Study, _clean: Trace) -> Comparison:
    return compare_shifted(
        _clean,
        stem_of(settings),
        chosen.rows,
        chosen.columns,
        mode=chosen.mode,
        more=partial(chosen.layers, settings),
    )


def shift_distances(clean: Trace, picture_named: str, chosen: Study) -> ShiftCurve:
    """How far the aligned maps lie apart at each shift along one axis.

    Raises:
        ValueError: If the picture is too small for the shifts or the window.
    """
    essential = chosen.essential()
    along = Study(mode=chosen.mode, axis=chosen.axis, band=chosen.band)
    along = replace(along, more=essential.more, draw=essential.draw)
    # Every blend weight can be read off the same sums.
    return _shift_distances(clean.settings, picture_named, along, clean.features.image)


@st.cache_resource(max_entries=48, show_spinner=False)
def _shift_distances(settings: Settings, digest: str, chosen: Study, _image: Tensor) -> ShiftCurve:
    return shift_curve(
        _image,
        stem_of(settings),
        settings,
        axis=chosen.axis,
        mode=chosen.mode,
        more=partial(chosen.layers, settings),
    )


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


@st.cache_resource(max_entries=192, show_spinner=False)
def _spectrum(
    settings: Settings, digest: str, chosen: Study, name: str, weight: float | None, _clean: Trace
) -> Spectrum:
    return spectrum_of(_clean, chosen, name, weight)


def pooling_costs(settings: CostSettings) -> Generator[PoolingCosts | None, None, None]:
    """What every pooling costs, growing turn by turn; None while somebody else measures.

    Only what is whole is kept. Close the iterator when you stop asking: the others wait for that.

    Raises:
        CannotCompileError: If compiled poolings are asked for, and there is no compiler.
    """
    yield from _undisturbed(measure_poolings(settings), kept_pooling_costs(settings))


def network_costs(settings: NetworkSettings) -> Generator[NetworkCosts | None, None, None]:
    """What every network costs, as :func:`pooling_costs`."""
    yield from _undisturbed(measure_networks(settings), kept_network_costs(settings))


@st.cache_resource(max_entries=64, show_spinner=False)
def kept_pooling_costs(settings: CostSettings) -> list[PoolingCosts]:
    """What was measured in this process with these settings; clear it to measure again."""
    return []


@st.cache_resource(max_entries=64, show_spinner=False)
def kept_network_costs(settings: NetworkSettings) -> list[NetworkCosts]:
    """The same of the networks."""
    return []


def _undisturbed(records: Iterator[_T], kept: list[_T]) -> Iterator[_T | None]:
    """What is kept, or records that are measured while nobody else measures; None while waiting."""
    if known := kept[:1]:
        yield known[0]
        return
    prepare()
    lock = _measuring()
    while not lock.acquire(timeout=_WAIT):
        yield None
    try:
        # Somebody may have measured the same in the meantime.
        yield from kept[:1] or _growing(records, kept)
    finally:
        lock.release()


@st.cache_resource(show_spinner=False)
def _measuring() -> threading.Lock:
    return threading.Lock()


@st.cache_resource(max_entries=32, show_spinner=False)
def network_counts(settings: NetworkSettings) -> tuple[NetworkCost, ...]:
    """What can be said about every network without a clock."""
    return count_networks(settings)


@dataclass(frozen=True)
class Stored:
    """The results in a folder.

    Attributes:
        runs: What could be read.
        problems: What is wrong with each other file.
        judged: What was judged of them, by what names it: no more than there are groups and arms.
    """

    runs: list[Run]
    problems: list[ResultsError]
    judged: dict[tuple[str, str], Evidence] = field(default_factory=dict)


def results(folder: Path) -> Stored:
    """The results in a folder and below it.

    Files that change, come or go are seen at the next look.
    """
    stamps = []
    for path in sorted(folder.rglob("*.json")):
        with suppress(OSError):
            found = path.stat()
            stamps.append((str(path.relative_to(folder)), found.st_size, found.st_mtime_ns))
    return _results(str(folder), tuple(stamps))


@st.cache_resource(max_entries=4, show_spinner=False)
def _results(folder: str, stamps: tuple[tuple[str, int, int], ...]) -> Stored:
    runs, problems = [], []
    for name, _, _ in stamps:
        try:
            runs.append(read_run((Path(folder) / name).read_bytes(), name))
        except OSError:
            continue  # taken away since it was listed
        except ResultsError as found:
            problems.append(found)
    return Stored(runs, problems)


@st.cache_data(max_entries=24, show_spinner=False)
def task_samples(task: str, seed: int, count: int) -> dict[str, NDArray[np.uint8]]:
    """For each class of a task the first training pictures, drawn side by side."""
    data = draw_data(task, MOST_PICTURES, seed)
    strips = {}
    for label, name in enumerate(TASKS[task].classes):
        images = data.train_images[data.train_labels == label][:count, 0]
        # The grey values that occur fill a third of the range; more contrast shows more.
        strips[name] = picture_strip(list(images.numpy()), 0.05, 0.85)
    return strips


def networks(folder: Path) -> list[Network]:
    """The trained networks in a folder, by pooling and seed; what cannot be read is left out.

    Files that change, come or go are seen at the next look.
    """
    stamps = []
    for path in network_files(folder):
        with suppress(OSError):
            found = path.stat()
            stamps.append((path.name, found.st_size, found.st_mtime_ns))
    return _networks(str(folder), tuple(stamps))


@st.cache_resource(max_entries=4, show_spinner=False)
def _networks(folder: str, stamps: tuple[tuple[str, int, int], ...]) -> list[Network]:
    prepare()
    found = []
    for name, *_ in stamps:
        with suppress(NetworkFileError, OSError):
            found.append(read_fit_network(Path(folder) / name))
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def test_set(folder: Path) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]] | DataUnavailable:
    """The test pictures that are offered from a person's own copy of CIFAR-10, or why none are."""
    try:
        return test_pictures(folder)
    except DataUnavailable as problem:
        return problem


def asked(
    network: Network, clean: Tensor, named: str, change: Change, weight: float | None
) -> Answer:
    """What a network says of a picture and of the changed one.

    `named` names the picture beyond doubt; a `weight` takes the place of the network's own blends.
    """
    return _asked(network.key, named, change.essential(), weight, network, clean)


@st.cache_resource(max_entries=2048, show_spinner=False)
def _asked(
    key: str, named: str, change: Change, weight: float | None, _network: Network, _clean: Tensor
) -> Answer:
    prepare()
    return answer(dialled(_network, weight), _clean, change.apply(_clean))


def answer_curves(
    networks: Mapping[str, Sequence[Network]],
    clean: Tensor,
    named: str,
    change: Change,
    weight: float | None,
) -> Iterator[AnswerCurve]:
    """The answers of networks at every level of a kind of change, growing until they are whole.

    Only what is whole is kept, as in :func:`noise_sweeps`.
    """
    prepare()
    keys = tuple((arm, tuple(each.key for each in ones)) for arm, ones in networks.items())
    kind = kind_of(change)
    kept = _kept_curve(keys, named, kind, weight)
    if not kept:
        turned = {arm: [dialled(each, weight) for each in ones] for arm, ones in networks.items()}
        yield from _growing(answer_curve(turned, clean, kind), kept)
    yield kept[0]


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept_curve(
    keys: tuple[tuple[str, tuple[str, ...]], ...], named: str, kind: Change, weight: float | None
) -> list[AnswerCurve]:
    return []


def answer_places(network: Network, image: Tensor, named: str, weight: float | None) -> Places:
    """What a network says of a picture with a patch at every place."""
    return _answer_places(network.key, named, weight, network, image)


@st.cache_resource(max_entries=256, show_spinner=False)
def _answer_places(
    key: str, named: str, weight: float | None, _network: Network, _image: Tensor
) -> Places:
    prepare()
    return places(dialled(_network, weight), _image)


def answer_stages(network: Network, image: Tensor, named: str, weight: float | None) -> list[Stage]:
    """What each pooling of a network hands on, and which channels speak for its answer."""
    return _answer_stages(network.key, named, weight, network, image)


@st.cache_resource(max_entries=256, show_spinner=False)
def _answer_stages(
    key: str, named: str, weight: float | None, _network: Network, _image: Tensor
) -> list[Stage]:
    prepare()
    return stages(dialled(_network, weight), _image)
