"""What a training run found, as one frozen record and one JSON file, and what several say."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from scipy.special import stdtrit

FORMAT = 1
_NAME = re.compile(r"\w{1,40}", re.ASCII)


class ResultsError(ValueError):
    """A file of results that cannot be used, said in one sentence for a person.

    Args:
        template: The sentence in English, to be translated, with `str.format` fields.
        **values: The values of those fields.

    Example:
        >>> str(ResultsError("{file} holds no results.", file="x.json"))
        'x.json holds no results.'
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides the numbers of a run.

    Attributes:
        network: Key of `hybridpool.training.networks.NETWORKS`.
        arm: Key of `hybridpool.training.networks.ARMS`: the pooling.
        seed: Of the weights at the start, the order of the pictures and their changes; arms with
            the same seed share all three.
        epochs: How often every training picture is seen.
        train_pictures: How many training pictures there are; the first of each class.
        batch_size: Pictures a step.
        parts: In how many equal parts a batch is normalised.
        learning_rate: At its highest; it rises and falls over the run (one cycle).
        blend_rate: How many times larger the learning rate of the blend weights' logits is: what
            a network learns in hundreds of epochs has to happen in a few.
        momentum: Nesterov's.
        weight_decay: Of everything but the logits of blend weights.
        augment: Whether training pictures are shifted by up to four pixels and mirrored.
        precision: ``"float32"``, or ``"bfloat16"`` for the forward pass.
        measured_pictures: How many pictures robustness is measured on, of test and training set.

    Example:
        >>> RunSettings(arm="hybrid", seed=3).name
        'small-hybrid-50000-seed3'
    """

    network: str = "small"
    arm: str = "hybrid"
    seed: int = 0
    epochs: int = 6
    train_pictures: int = 50_000
    batch_size: int = 128
    parts: int = 1
    learning_rate: float = 0.2
    blend_rate: float = 10.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: bool = True
    precision: str = "float32"
    measured_pictures: int = 2000

    @property
    def name(self) -> str:
        """The name of the run and of its files."""
        return f"{self.network}-{self.arm}-{self.train_pictures}-seed{self.seed}"


@dataclass(frozen=True)
class Epoch:
    """The state after so many epochs; accuracies are shares of 1.

    Attributes:
        epoch: How many epochs are done.
        loss: Mean cross-entropy over the epoch, on changed training pictures.
        train_accuracy: On training pictures as they are, at most 10,000 of them.
        test_accuracy: On all test pictures.
        seconds: Time of training so far, without measuring.
    """

    epoch: int
    loss: float
    train_accuracy: float
    test_accuracy: float
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
    """

    clean: float
    train: float
    pictures: int
    clean_of_these: float
    train_of_these: float
    corruptions: Mapping[str, tuple[float, ...]]
    occlusions: tuple[Occlusion, ...]
    shift_consistency: float


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
            step: one number, one for each channel, or for attention its mean over test pictures.
        measures: What the network can do at the end.
        costs: What it cost.
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


def write_run(run: Run, folder: Path) -> Path:
    """Write one run as JSON, whole or not at all; the file is named after its settings.

    Returns:
        The file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_run(_example("hybrid", 3, 0.7), Path(folder)).name
        'small-hybrid-50000-seed3.json'
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.settings.name}.json"
    text = json.dumps({"format": FORMAT, **asdict(run)}, indent=None, separators=(",", ":"))
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text + "\n", "utf-8")
    os.replace(unfinished, path)
    return path


def read_run(data: bytes | str, file: str) -> Run:
    """Read one run from the text of its file; `file` is its name for the error.

    Raises:
        ResultsError: If it is no result of this program, in one sentence.

    Example:
        >>> read_run("{}", "mine.json")
        Traceback (most recent call last):
        hybridpool.training.results.ResultsError: mine.json holds no results of ...
    """
    try:
        found = json.loads(data)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError("no format")
        measures = found["measures"]
        run = Run(
            settings=RunSettings(**found["settings"]),
            data=dict(found["data"]),
            environment=dict(found["environment"]),
            command=str(found["command"]),
            history=tuple(Epoch(**epoch) for epoch in found["history"]),
            weight_steps=tuple(found["weight_steps"]),
            weights={
                str(layer): tuple(tuple(map(float, values)) for values in path)
                for layer, path in found["weights"].items()
            },
            measures=Measures(
                **{
                    **measures,
                    "corruptions": {
                        str(name): tuple(map(float, values))
                        for name, values in measures["corruptions"].items()
                    },
                    "occlusions": tuple(
                        Occlusion(**{k: _tuple(v) for k, v in occlusion.items()})
                        for occlusion in measures["occlusions"]
                    ),
                }
            ),
            costs=Costs(**found["costs"]),
        )
        _check(run)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ResultsError(
            "{file} holds no results of a training run of this program: choose the JSON files "
            "that python -m hybridpool.training train writes.",
            file=file,
        ) from error
    return run


def read_folder(folder: Path) -> list[Run]:
    """Every run in a folder and in the folders below it, by settings.

    Raises:
        ResultsError: If one of the files cannot be used.

    Example:
        >>> read_folder(Path("no such folder"))
        []
    """
    runs = [read_run(path.read_bytes(), path.name) for path in sorted(folder.rglob("*.json"))]
    return sorted(runs, key=lambda run: run.settings.name)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check(run: Run) -> None:
    """Numbers where numbers belong: a chart of anything else would fail much later."""
    numbers = [
        *(getattr(epoch, field.name) for epoch in run.history for field in fields(Epoch)),
        run.measures.clean,
        run.measures.train,
        run.measures.clean_of_these,
        run.measures.train_of_these,
        run.measures.shift_consistency,
        *(value for values in run.measures.corruptions.values() for value in values),
        *(value for place in run.measures.occlusions for value in (*place.test, *place.train)),
        *(value for at in run.measures.occlusions for value in at.iocclusion if value is not None),
        *(getattr(run.costs, field.name) for field in fields(Costs)),
        *(weight for path in run.weights.values() for step in path for weight in step),
        run.settings.seed,
        run.settings.train_pictures,
    ]
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        raise ValueError("not a number")
    shares = [
        run.measures.clean,
        run.measures.train,
        run.measures.clean_of_these,
        run.measures.train_of_these,
        *(value for values in run.measures.corruptions.values() for value in values),
        *(value for place in run.measures.occlusions for value in (*place.test, *place.train)),
        *(weight for path in run.weights.values() for step in path for weight in step),
    ]
    if not all(0 <= share <= 1 for share in shares) or run.settings.train_pictures < 1:
        raise ValueError("out of range")
    names = (run.settings.network, run.settings.arm, *run.measures.corruptions)
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise ValueError("no name")
    if not isinstance(run.data["name"], str) or len(run.data["name"]) > 100:
        raise ValueError("no name")
    if not run.history or any(len(path) != len(run.weight_steps) for path in run.weights.values()):
        raise ValueError("incomplete")
    if any(
        not len(place.sides) == len(place.test) == len(place.train) == len(place.iocclusion)
        for place in run.measures.occlusions
    ):
        raise ValueError("incomplete")


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
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * deviation / math.sqrt(count)
    return Summary(mean, deviation, mean - half, mean + half, count)


def paired_difference(
    runs: Iterable[Run],
    arm: str,
    baseline: str,
    value: Callable[[Run], float | None] = lambda run: run.measures.clean,
    confidence: float = 0.95,
) -> Summary | None:
    """How much better an arm is than another, seed by seed: what the seed does falls away.

    Args:
        runs: Runs that differ in arm and seed only.
        arm: The arm that is judged.
        baseline: The arm that it is held against.
        value: What is compared; a run for which it is None is left out.
        confidence: Of the interval.

    Returns:
        The summary of ``value(arm) - value(baseline)`` over the seeds that both have, or None.

    Example:
        >>> runs = [_example("max", 0, 0.70), _example("hybrid", 0, 0.72)]
        >>> round(paired_difference(runs, "hybrid", "max").mean, 3)
        0.02
    """
    by_arm: dict[str, dict[int, float]] = {arm: {}, baseline: {}}
    for run in runs:
        if run.settings.arm in by_arm and (found := value(run)) is not None:
            by_arm[run.settings.arm][run.settings.seed] = found
    shared = sorted(by_arm[arm].keys() & by_arm[baseline].keys())
    differences = [by_arm[arm][seed] - by_arm[baseline][seed] for seed in shared]
    return summarise_seeds(differences, confidence) if differences else None


def comparable(runs: Iterable[Run]) -> dict[tuple[str, RunSettings], list[Run]]:
    """Runs that differ in nothing but arm and seed, together: by data and by their settings.

    The settings of the key stand for all of them; its arm is "" and its seed 0.

    Example:
        >>> runs = [_example("max", 0, 0.70), _example("hybrid", 1, 0.72)]
        >>> [len(group) for group in comparable(runs).values()]
        [2]
    """
    found: dict[tuple[str, RunSettings], list[Run]] = {}
    for run in runs:
        key = (str(run.data["name"]), replace(run.settings, arm="", seed=0))
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
