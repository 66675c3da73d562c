"""What a training run found, as one frozen record and one JSON file, and what several say."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hybridpool.errors import SentenceError
from hybridpool.training.files import write_whole
from hybridpool.training.reading import check, record, upgraded

FORMAT = 2
#: What JSON that this program did not write may lead to.
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError),
)


class ResultsError(SentenceError, ValueError):
    """A file of results that cannot be used.

    Example:
        >>> str(ResultsError("{file} holds no results.", file="x.json"))
        'x.json holds no results.'
    """


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides the numbers of a run.

    Attributes:
        data: Name of the pictures.
        network: Key of `hybridpool.training.networks.NETWORKS`.
        width: How many channels the first stage of the network has.
        arm: Key of `hybridpool.training.arms.ARMS`: the pooling.
        seed: Of the weights at the start, the order of the pictures and their changes; arms with
            the same seed share all three.
        epochs: How often every training picture is seen.
        train_pictures: How many training pictures there are; the first of each class.
        held_out: How many training pictures are held out, and take the place of the test pictures:
            for choosing a setting. 0 in a run whose result counts.
        batch_size: Pictures a step.
        parts: In how many equal parts a batch is normalised.
        learning_rate: At its highest; it rises and falls over the run (one cycle).
        blend_rate: The same for what decides the blends: logits, attention, gating masks.
        blend_optimizer: What takes their steps: ``"adam"``, whose steps do not depend on how large
            the gradient is, or ``"sgd"``, as for all other weights.
        blend_start: Where learned blend weights start; None is the article's drawn start.
        frozen_at: The blend weight of each pooling layer, for the arm ``"frozen"``.
        momentum: Nesterov's.
        weight_decay: Of everything but what decides the blends.
        smoothing: How much of each label is spread over all classes.
        augment: Whether training pictures are shifted by up to four pixels and mirrored.
        precision: ``"float32"``, or ``"bfloat16"`` for the forward pass.
        measured_pictures: How many pictures robustness is measured on, of test and training set.

    Example:
        >>> RunSettings(arm="hybrid", seed=3).name
        'small16-hybrid-50000-seed3-...'
    """

    data: str = "CIFAR-10"
    network: str = "small"
    width: int = 16
    arm: str = "hybrid"
    seed: int = 0
    epochs: int = 10
    train_pictures: int = 50_000
    held_out: int = 0
    batch_size: int = 256
    parts: int = 1
    learning_rate: float = 0.4
    blend_rate: float = 0.01
    blend_optimizer: str = "adam"
    blend_start: float | None = 0.5
    frozen_at: tuple[float, ...] = ()
    momentum: float = 0.9
    weight_decay: float = 5e-4
    smoothing: float = 0.1
    augment: bool = True
    precision: str = "float32"
    measured_pictures: int = 2000

    @property
    def name(self) -> str:
        """The name of the run and of its files; runs with other settings have other names."""
        told = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        return (
            f"{self.network}{self.width}-{self.arm}-{self.train_pictures}-seed{self.seed}-{digest}"
        )

    @property
    def group(self) -> RunSettings:
        """What runs share that may be compared: all but the arm, the seed, and what an arm needs
        for itself.

        Example:
            >>> RunSettings(arm="max", seed=3).group == RunSettings(arm="channel", seed=1).group
            True
        """
        plain = RunSettings()
        return replace(
            self,
            arm="",
            seed=0,
            blend_rate=plain.blend_rate,
            blend_optimizer=plain.blend_optimizer,
            frozen_at=(),
        )


@dataclass(frozen=True)
class Epoch:
    """The state after so many epochs; accuracies are shares of 1.

    Attributes:
        epoch: How many epochs are done.
        loss: Mean cross-entropy over the epoch, on changed training pictures.
        train_accuracy: On some training pictures as they are.
        held_out_accuracy: On the training pictures that are held out; None where none are. The
            test pictures are looked at once, at the end.
        seconds: Time of training so far, without measuring.
    """

    epoch: int
    loss: float
    train_accuracy: float
    held_out_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Occlusion:
    """Accuracy behind an occluder of one shape and fill, by size.

    Attributes:
        shape: ``"block"``, one square at a random place, or ``"pixels"``, as many scattered ones.
        fill: ``"grey"`` (the mean colour), ``"noise"`` or ``"picture"`` (part of another one).
        sides: Side of the square in pixels; scattered pixels are as many as the square has.
        test: Accuracy on test pictures, for each side.
        train: Accuracy on training pictures, for each side.
        iocclusion: abs((train - test) / (train - test without occluder)), for each side; None
            where there is no gap to divide by (Marcu, arXiv:2211.13734).
    """

    shape: str
    fill: str
    sides: tuple[int, ...]
    test: tuple[float, ...]
    train: tuple[float, ...]
    iocclusion: tuple[float | None, ...]


@dataclass(frozen=True)
class Measures:
    """What the trained network can do; accuracies are shares of 1.

    Attributes:
        clean: Accuracy on all test pictures.
        train: Accuracy on training pictures, at most 10,000.
        pictures: How many test pictures everything below was measured on.
        clean_of_these: Accuracy on those, unchanged.
        train_of_these: Accuracy on as many training pictures, unchanged.
        corruptions: Accuracy by CIFAR-10-C style corruption, at severity 1 to 5.
        occlusions: Accuracy behind occluders.
        shift_consistency: Share of pictures whose class stays the same under two random circular
            shifts of up to three pixels.
        frequencies: Accuracy on those with only frequencies up to a radius, in cycles a picture
            (``"low 4"``), or only above it and the mean colour (``"high 4"``).
        right: Which test pictures were right, packed: read it with `right_of`.
    """

    clean: float
    train: float
    pictures: int
    clean_of_these: float
    train_of_these: float
    corruptions: Mapping[str, tuple[float, ...]]
    occlusions: tuple[Occlusion, ...]
    shift_consistency: float
    frequencies: Mapping[str, float] = field(default_factory=dict)
    right: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Costs:
    """What the network and a step of it cost.

    Attributes:
        parameters: Of the whole network.
        pooling_parameters: Of its pooling layers.
        operations: Floating-point operations of convolutions and matrix products for one picture,
            as torch counts them; poolings themselves are not among these.
        seconds_per_step: Median over the run.
        peak_memory: Bytes: of a GPU's memory at its fullest, or on the CPU of what autograd keeps
            from the forward to the backward pass of one step.
    """

    parameters: int
    pooling_parameters: int
    operations: int
    seconds_per_step: float
    peak_memory: int


@dataclass(frozen=True)
class Run:
    """One trained network.

    Attributes:
        settings: What decided the numbers.
        data: What it was trained on, with the number of pictures in training and test set.
        environment: Versions, device, threads, processes, and when it ended.
        command: What repeats it.
        history: One entry for each epoch that was measured: about ten, the last among them.
        weight_steps: The steps at which blend weights were noted.
        weights: For each pooling layer with blend weights that can change, those weights at each
            step: one number, or one for each channel; for attention and gates the mean over a
            batch. The last are those of the network as it was measured.
        measures: What the network can do at the end.
        costs: What it cost.
        classes: The names of the classes, in the order of the network's scores.
    """

    settings: RunSettings
    data: Mapping[str, Any]
    environment: Mapping[str, Any]
    command: str
    history: tuple[Epoch, ...]
    weight_steps: tuple[int, ...]
    weights: Mapping[str, tuple[tuple[float, ...], ...]]
    measures: Measures
    costs: Costs
    classes: tuple[str, ...] = ()


def write_run(run: Run, folder: Path) -> Path:
    """Write one run as JSON, whole or not at all; the file is named after its settings.

    Returns:
        The file.

    Raises:
        CannotWrite: If it cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_run(_example("hybrid", 3, 0.7), Path(folder)).name
        'small16-hybrid-50000-seed3-....json'
    """
    path = folder / f"{run.settings.name}.json"
    found = {"format": FORMAT, **asdict(run)}
    text = json.dumps(found, indent=None, separators=(",", ":"), allow_nan=False)
    write_whole(path, f"{text}\n".encode())
    return path


def pack(right: Tensor) -> str:
    """Which pictures were right, as text: eight pictures a byte.

    Example:
        >>> pack(Tensor([1, 0, 1]).bool())
        'oA=='
    """
    return base64.b64encode(np.packbits(right.cpu().numpy()).tobytes()).decode()


def right_of(run: Run, trial: str) -> np.ndarray | None:
    """Which test pictures a network was right about, in one trial.

    Args:
        run: A run.
        trial: ``"clean"`` for all test pictures as they are, or, over those that robustness is
            measured on, a corruption and its severity (``"shot_noise 3"``), an occluder and its
            side (``"block grey 8"``), a band of frequencies (``"low 4"``), or ``"shift"``: which
            pictures keep their class.

    Returns:
        (pictures,) bool, or None if the run does not know.

    Example:
        >>> right_of(_example("max", 0, 0.7), "clean") is None
        True
    """
    packed = run.measures.right.get(trial)
    if packed is None:
        return None
    count = int(run.data["test"]) if trial == "clean" else run.measures.pictures
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed), np.uint8), count=count)
    return bits.astype(bool)


def read_run(data: bytes | str, file: str) -> Run:
    """Read one run from the text of its file.

    Args:
        data: The text.
        file: The name of the file, for the error.

    Raises:
        ResultsError: If it is no result of this program, in one sentence that says what is wrong.

    Example:
        >>> read_run("{}", "mine.json")
        Traceback (most recent call last):
        hybridpool.training.results.ResultsError: mine.json holds no results of ...
    """
    try:
        found = json.loads(data, parse_constant=_refuse_constant)
        if not isinstance(found, dict) or str(found.get("format")) not in ("1", str(FORMAT)):
            raise ValueError("it does not say which format it has")
        run = record(Run, upgraded(found) if found["format"] == 1 else found)
        check(run)
    except _UNREADABLE as error:
        raise ResultsError(
            "{file} holds no results of a training run of this program ({problem}): choose the "
            "JSON files that python -m hybridpool.training train writes.",
            file=file,
            problem=error,
        ) from error
    return run


def read_folder(folder: Path) -> tuple[list[Run], list[ResultsError]]:
    """Every run in a folder and in the folders below it, by name, and what could not be read.

    Example:
        >>> read_folder(Path("no such folder"))
        ([], [])
    """
    runs, problems = [], []
    for path in sorted(folder.rglob("*.json")):
        try:
            runs.append(read_run(path.read_bytes(), path.name))
        except ResultsError as problem:
            problems.append(problem)
    return sorted(runs, key=lambda run: run.settings.name), problems


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


# ---- several runs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """A mean over seeds.

    Attributes:
        mean: The mean.
        deviation: The sample standard deviation; 0 for one value.
        low: Lower end of the confidence interval of the mean; the mean itself for one value.
        high: Upper end.
        count: How many values.
    """

    mean: float
    deviation: float
    low: float
    high: float
    count: int


def summarise_seeds(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """The mean of a few values, and Student's confidence interval for it.

    Args:
        values: At least one.
        confidence: Of the interval; many intervals that shall all hold together need more each.

    Example:
        >>> found = summarise_seeds([1.0, 2.0, 3.0])
        >>> found.mean, found.deviation
        (2.0, 1.0)
        >>> round(found.high - found.mean, 3)  # 4.303 deviations / sqrt(3)
        2.484
    """
    count = len(values)
    if not count:
        raise ValueError("A summary needs at least one value, but got none.")
    mean = math.fsum(values) / count
    if count == 1:
        return Summary(mean, 0.0, mean, mean, 1)
    # A machine that only trains may lack scipy.
    from scipy.special import stdtrit

    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * deviation / math.sqrt(count)
    return Summary(mean, deviation, mean - half, mean + half, count)


def comparable(runs: Iterable[Run]) -> dict[tuple[str, RunSettings], list[Run]]:
    """Runs that may be compared, together: by data and by the settings that they share.

    They differ in their arm, its own settings, and their seed (`RunSettings.group`).

    Example:
        >>> runs = [_example("max", 0, 0.70), _example("hybrid", 1, 0.72)]
        >>> [len(group) for group in comparable(runs).values()]
        [2]
    """
    found: dict[tuple[str, RunSettings], list[Run]] = {}
    for run in runs:
        key = (str(run.data["name"]), run.settings.group)
        found.setdefault(key, []).append(run)
    return found


def _example(arm: str, seed: int, clean: float) -> Run:
    """A run for the examples of this module: nothing was trained."""
    return Run(
        settings=RunSettings(arm=arm, seed=seed),
        data={"name": "nothing"},
        environment={},
        command="",
        history=(Epoch(1, 1.0, clean, clean, 1.0),),
        weight_steps=(),
        weights={},
        measures=Measures(clean, clean, 0, clean, clean, {}, (), 1.0),
        costs=Costs(0, 0, 0, 0.0, 0),
    )
