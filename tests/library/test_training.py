"""The experiment: data, fair starts, resumed and shared runs, and what is measured at the end."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor, nn

from hybridpool.stem import load_stem, trained_stems
from hybridpool.training import __main__ as command_line
from hybridpool.training.arms import ARMS, blend_parameters, blends
from hybridpool.training.checkpoints import DamagedCheckpoint, Diverged
from hybridpool.training.data import MEAN, Dataset, DataUnavailable, load
from hybridpool.training.evaluate import (
    FILLS,
    SHAPES,
    SIDES,
    crop_and_mirror,
    keep_frequencies,
    make_trials,
    measure,
    occlude_each,
    prepare,
    shift_each,
)
from hybridpool.training.loop import Training
from hybridpool.training.networks import NETWORKS, build_network
from hybridpool.training.records import LATER, Costs, Epoch, Measures, Run, RunSettings
from hybridpool.training.report import report
from hybridpool.training.results import read_folder, read_run, right_of
from hybridpool.training.stems import export_stem
from tests.made_up_runs import numbers

ROOT = Path(__file__).resolve().parents[2]
TINY = RunSettings(
    data="drawn", epochs=2, train_pictures=24, batch_size=8, measured_pictures=0, learning_rate=0.2
)
#: What the frozen arm of a network with three poolings holds.
HELD = (0.9, 0.4, 0.6)


def pictures(count: int, seed: int) -> Tensor:
    """Pictures whose class can be seen: the darker, the higher."""
    draw = np.random.default_rng(seed)
    levels = (
        draw.integers(0, 60, (count, 3, 32, 32))
        + (20 * (np.arange(count) % 10))[:, None, None, None]
    )
    return torch.from_numpy(levels.astype(np.uint8))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    labels = torch.arange(24) % 10
    return Dataset("drawn", pictures(24, 0), labels, pictures(24, 1), labels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    """The same as Parquet files of pictures, without loss."""
    place = tmp_path_factory.mktemp("data")
    for part in ("train", "test"):
        files = []
        for picture in getattr(dataset, part):
            file = io.BytesIO()
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "PNG")
            files.append(file.getvalue())
        labels = getattr(dataset, f"{part}_labels").numpy().astype(np.int8)
        table = pyarrow.table({"jpeg": files, "label": labels, "name": ["x"] * len(files)})
        pyarrow.parquet.write_table(table, place / f"{part}.parquet")
    return place


# ---- data ----------------------------------------------------------------------------------------


def test_a_copy_is_read_as_it_was_written(folder: Path, dataset: Dataset) -> None:
    found = load(str(folder))
    assert found.name == "CIFAR-10 (JPEG copy)"
    for part in ("train", "train_labels", "test", "test_labels"):
        assert torch.equal(getattr(found, part), getattr(dataset, part)), part


@pytest.mark.parametrize("content", [b"", b"PAR1 but nothing else"])
def test_a_copy_that_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "train.parquet").write_bytes(content)
    with pytest.raises(DataUnavailable, match="cannot be read as pictures and labels"):
        load(str(tmp_path))


def test_smaller_training_sets_are_balanced_and_part_of_larger_ones(dataset: Dataset) -> None:
    assert dataset.first(20).train_labels.bincount().tolist() == [2] * 10
    ten, twenty = dataset.first(10), dataset.first(20)
    assert torch.equal(ten.train, twenty.train[:10])
    with pytest.raises(ValueError, match="24 training pictures, but 25"):
        dataset.first(25)


# ---- a fair start --------------------------------------------------------------------------------


def held(arm: str, network: str = "small") -> tuple[float, ...]:
    blocks = 2 if network == "resnet18" else 1  # one in the block and one in its shortcut
    return blocks * HELD if arm == "frozen" else ()


@pytest.mark.parametrize("network", NETWORKS)
def test_all_arms_of_a_seed_start_alike_but_for_the_pooling(network: str) -> None:
    before = torch.get_rng_state()
    plain = build_network(network, "max", seed=1).state_dict()
    for arm in ARMS:
        state = build_network(network, arm, seed=1, frozen_at=held(arm, network)).state_dict()
        assert all(torch.equal(state[name], plain[name]) for name in plain), arm
    assert torch.equal(torch.get_rng_state(), before)
    other = build_network(network, "max", seed=2).state_dict()
    assert any(not torch.equal(other[name], plain[name]) for name in plain)


@pytest.mark.parametrize(
    ("arm", "sizes"),
    [
        ("max", []),
        ("fixed", []),
        ("frozen", []),
        ("hybrid", [1, 1, 1]),
        ("channel", [16, 32, 64]),
        ("hybrid_blur", [1, 1, 1]),
        ("gated", [4, 4, 4]),
        ("strided", []),
    ],
)
def test_the_arms_have_the_blend_weights_that_they_are_named_for(
    arm: str, sizes: list[int]
) -> None:
    model = build_network("small", arm, seed=0, frozen_at=held(arm))
    assert [weight.numel() for weight in blend_parameters(model)] == sizes
    assert len(blends(model)) == len(sizes)


def test_blend_weights_start_where_they_are_told_to() -> None:
    def starts(arm: str, **how: Any) -> list[float]:
        layers = blends(build_network("air", arm, seed=3, **how), learned=False).values()
        return [round(layer.blend_weight.mean().item(), 4) for layer in layers]

    assert starts("fixed") == starts("hybrid") == [0.5] * 3
    assert starts("frozen", frozen_at=HELD) == list(HELD)
    assert starts("channel", start=0.02) == [0.02] * 3
    article = starts("hybrid", start=None)
    # A logit drawn evenly from 0 to 1, so a blend weight from 0.5 to 0.73; another for each layer.
    assert len(set(article)) == 3
    assert all(0.5 <= weight <= 0.7311 for weight in article)
    assert starts("hybrid", start=None) == article


@pytest.mark.parametrize(
    ("arm", "how"),
    [
        ("max", {"start": 0.3}),
        ("attention", {"start": None}),
        ("frozen", {}),
        ("frozen", {"frozen_at": (0.5,)}),
        ("hybrid", {"frozen_at": HELD}),
    ],
)
def test_a_start_that_an_arm_cannot_have_is_refused(arm: str, how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot start|was given"):
        build_network("small", arm, seed=0, **how)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_arm_of_every_network_learns(network: str, arm: str) -> None:
    model = build_network(network, arm, seed=0, frozen_at=held(arm, network))
    model(prepare(pictures(2, 0))).square().mean().backward()
    still = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    # A hidden unit of the attention may be silent for two pictures.
    assert [name for name in still if ".fc.0." not in name] == []


def test_the_poolings_of_resnet18_follow_an_activation_and_precede_its_shortcut() -> None:
    model = build_network("resnet18", "hybrid", seed=0)
    seen: dict[str, list[int]] = {}
    for name, module in model.named_modules():
        if name.endswith(".pool"):
            module.register_forward_hook(
                lambda _, given, made, name=name: seen.update(
                    {name: [*given[0].shape[1:3], made.shape[2], int((given[0] < 0).sum())]}
                )
            )
    model(prepare(pictures(2, 0)))
    assert seen == {
        f"stages.{stage}.0.{place}.pool": [channels, side, side // 2, 0]
        for stage, (wide, side) in enumerate([(32, 32), (64, 16), (128, 8)], start=1)
        for place, channels in (("bn1", wide), ("downsample", wide // 2))
    }


# ---- one run -------------------------------------------------------------------------------------


def all_numbers(run: Run) -> dict[str, Any]:
    """All that a run found, without the time it took and where and how it was started."""
    costs = replace(run.costs, seconds_per_step=0.0)
    return numbers(run) | {"costs": costs, "settings": run.settings}


def first_batch(settings: RunSettings, dataset: Dataset) -> Tensor:
    """The pictures of the first step, as the network sees them but for their normalisation."""
    training = Training(settings, dataset)
    shown: list[Tensor] = []
    prepare = training.prepare
    training.prepare = lambda given: shown.append(given) or prepare(given)
    next(training.steps())
    return shown[0]


def test_training_pictures_move_as_far_as_the_settings_say(dataset: Dataset) -> None:
    whole = [*dataset.train, *dataset.train.flip(-1)]
    still = first_batch(replace(TINY, shift=0), dataset)
    assert all(any(one.equal(other) for other in whole) for one in still)
    black = first_batch(replace(TINY, shift=2), dataset)
    mirrored = first_batch(replace(TINY, shift=2, edge="mirrored"), dataset)
    assert not any(any(one.equal(other) for other in whole) for one in black[:3])
    assert black[:, :, 2:-2, 2:-2].equal(mirrored[:, :, 2:-2, 2:-2])
    assert (black == 0).sum() > (mirrored == 0).sum()


@pytest.mark.parametrize("arm", ["channel", "attention", "gated", "max"])
def test_a_run_that_stops_after_any_step_ends_with_the_same_numbers(
    arm: str, dataset: Dataset, tmp_path: Path
) -> None:
    settings = replace(TINY, arm=arm)
    unbroken = Training(settings, dataset)
    total = len(list(unbroken.steps()))
    assert total == 6
    for stop in range(1, total):
        place = tmp_path / f"{stop}.pt"
        for step in Training(settings, dataset, place).steps(checkpoint_every=2):
            if step == stop:
                break
        again = Training(settings, dataset, place)
        # Only what had been kept counts, so up to one step is taken a second time.
        assert again.step in (stop, stop - 1)
        list(again.steps(checkpoint_every=2))
        assert all_numbers(again.result(None, "")) == all_numbers(unbroken.result(None, ""))
        for name, tensor in unbroken.model.state_dict().items():
            assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_a_checkpoint_of_another_run_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    list(Training(TINY, dataset, tmp_path / "x.pt").steps())
    with pytest.raises(ValueError, match="checkpoint of a run with other settings"):
        Training(replace(TINY, seed=1), dataset, tmp_path / "x.pt")


@pytest.mark.parametrize("arm", ["hybrid", "channel", "attention", "gated", "hybrid_blur"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_what_decides_a_blend_has_an_optimizer_of_its_own_and_does_not_decay(
    arm: str, optimizer: str, dataset: Dataset
) -> None:
    settings = replace(TINY, arm=arm, weight_decay=0.1, blend_rate=0.03, blend_optimizer=optimizer)
    training = Training(settings, dataset)
    (rest,), (chosen,) = (each.param_groups for each in training.optimizers)
    assert (rest["weight_decay"], chosen["weight_decay"]) == (0.1, 0.0)
    assert (rest["max_lr"], chosen["max_lr"]) == (0.2, 0.03)
    assert {id(p) for p in chosen["params"]} == {id(p) for p in blend_parameters(training.model)}
    everything = rest["params"] + chosen["params"]
    assert {id(p) for p in everything} == {id(p) for p in training.model.parameters()}
    assert len(everything) == len({id(p) for p in everything})


@pytest.mark.parametrize("arm", ["max", "fixed", "frozen", "strided"])
def test_an_arm_without_a_learned_blend_has_one_optimizer(arm: str, dataset: Dataset) -> None:
    training = Training(replace(TINY, arm=arm, frozen_at=held(arm)), dataset)
    assert len(training.optimizers) == 1
    list(training.steps())
    held_now = [
        round(layer.blend_weight.item(), 6)
        for layer in blends(training.model, learned=False).values()
    ]
    assert held_now == pytest.approx({"fixed": [0.5] * 3, "frozen": HELD}.get(arm, []), abs=1e-6)


def test_labels_are_smoothed_as_asked(dataset: Dataset) -> None:
    plain, smooth = (
        Training(replace(TINY, smoothing=smoothing), dataset) for smoothing in (0.0, 0.3)
    )
    part = torch.arange(8)
    scores = plain.model(plain.prepare(plain.dataset.train[part])).float()
    labels = plain.dataset.train_labels[part]
    spread = 0.7 * nn.functional.one_hot(labels, 10) + 0.03
    by_hand = -(spread * scores.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(smooth._loss(part, None), by_hand)
    assert plain._loss(part, None) != smooth._loss(part, None)


def test_held_out_pictures_take_the_place_of_the_test_pictures(dataset: Dataset) -> None:
    training = Training(replace(TINY, held_out=10, train_pictures=14, batch_size=7), dataset)
    list(training.steps())
    found = training.result(None, "")
    assert found.data["held_out"] is True
    assert (found.data["train"], found.data["test"]) == (14, 10)
    assert found.measures.clean == found.history[-1].held_out_accuracy
    whole = {picture.numpy().tobytes() for picture in dataset.train}
    seen = {picture.numpy().tobytes() for picture in training.dataset.train}
    kept = {picture.numpy().tobytes() for picture in training.dataset.test}
    assert seen | kept == whole
    assert not seen & kept
    # A run whose result counts looks at the test pictures once, at the end.
    final = Training(TINY, dataset)
    list(final.steps())
    assert {epoch.held_out_accuracy for epoch in final.result(None, "").history} == {None}


def test_a_run_that_diverges_says_so_and_leaves_no_result(dataset: Dataset) -> None:
    wild = Training(replace(TINY, learning_rate=1e30, epochs=4), dataset)
    with pytest.raises(Diverged, match="diverged in epoch"):
        list(wild.steps())


def test_the_weights_are_noted_from_the_start_and_move(dataset: Dataset) -> None:
    training = Training(replace(TINY, epochs=4), dataset)
    list(training.steps())
    found = training.result(None, "")
    assert found.weight_steps[0] == 0
    assert set(found.weights) == {"pooling 1", "pooling 2", "pooling 3"}
    for path in found.weights.values():
        assert path[0] == (0.5,)
        assert len({step for (step,) in path}) > 1


def test_the_order_and_the_changes_depend_on_the_seed_alone(dataset: Dataset) -> None:
    for arm in ("max", "attention"):
        first, second = (Training(replace(TINY, arm=arm), dataset)._draw(1) for _ in range(2))
        assert torch.equal(first[0], second[0])
    other = Training(replace(TINY, seed=5), dataset)._draw(1)
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], Training(TINY, dataset)._draw(0)[0])


# ---- measures ------------------------------------------------------------------------------------


def test_crops_and_mirrors_are_slices() -> None:
    drawn = pictures(3, 4)
    corners, mirrored = torch.tensor([[0, 0], [2, 5], [4, 1]]), torch.tensor([False, True, False])
    found = crop_and_mirror(drawn, corners, mirrored, 20)
    assert torch.equal(found[0], drawn[0, :, :20, :20])
    assert torch.equal(found[1], drawn[1, :, 2:22, 5:25].flip(-1))
    assert torch.equal(found[2], drawn[2, :, 4:24, 1:21])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("side", SIDES)
def test_an_occluder_covers_as_many_pixels_as_its_square_has(
    shape: str, fill: str, side: int
) -> None:
    white = torch.full((6, 3, 32, 32), 255, dtype=torch.uint8)
    white[::2] = 7
    changed = (occlude_each(white, shape, fill, side, seed=3) != white).any(1)
    counts = changed.sum((1, 2))
    if fill == "noise":  # one noise pixel in 16 million has the very colour that was there
        assert ((counts >= side**2 - 1) & (counts <= side**2)).all()
    else:
        assert counts.tolist() == [side**2] * 6
    if shape == "block":
        rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
        assert rows.tolist() == columns.tolist() == [side] * 6


def test_grey_is_the_mean_and_a_picture_is_the_one_before() -> None:
    drawn = pictures(2, 0)
    grey = occlude_each(drawn, "block", "grey", 32, seed=0)
    assert torch.allclose(grey[0, :, 0, 0] / 255, torch.tensor(MEAN), atol=1 / 255)
    assert torch.equal(occlude_each(drawn, "block", "picture", 32, seed=0), drawn.flip(0))


def test_a_shift_goes_round_the_border() -> None:
    drawn = pictures(4, 0)
    shifted = shift_each(drawn, seed=1)
    by = [(row, column) for row in range(-3, 4) for column in range(-3, 4)]
    for before, after in zip(drawn, shifted, strict=True):
        assert any(torch.equal(after, before.roll(move, (1, 2))) for move in by)


@pytest.mark.parametrize("radius", [0.5, 4, 8, 12, 30])
def test_the_two_bands_of_a_picture_add_up_to_it(radius: float) -> None:
    drawn = (pictures(3, 2) // 4 + 90).contiguous()  # so that no band leaves the range
    low, high = (keep_frequencies(drawn, band, radius).float() for band in ("low", "high"))
    mean = drawn.float().mean((-2, -1), keepdim=True)
    assert (low + high - mean - drawn).abs().max() <= 1.01  # each band was rounded


def test_low_frequencies_are_smooth_and_high_ones_have_no_large_shapes() -> None:
    rows = torch.arange(32.0)
    slow, fast = (60 * torch.sin(2 * torch.pi * rows * cycles / 32) for cycles in (2, 10))
    both = (slow[:, None] + fast + 128).round().to(torch.uint8)
    picture = both.expand(1, 3, 32, 32).contiguous()
    low = keep_frequencies(picture, "low", 5).float()[0, 0]
    high = keep_frequencies(picture, "high", 5).float()[0, 0]
    assert (low - low[:, :1]).abs().max() <= 2  # rounding
    assert (high - high[:1]).abs().max() <= 2


def a_run_with(measures: Measures, test: int) -> Run:
    costs = Costs(1, 0, 1, 0.1, 1)
    history = (Epoch(2, 1.0, 0.5, None, 1.0),)
    return Run(TINY, {"name": "drawn", "test": test}, {}, "", history, (), {}, measures, costs)


class Brightness(nn.Module):
    """Says of each picture how bright it is: the class can be known from that."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, input: Tensor) -> Tensor:
        levels = (input * torch.tensor([[0.2470], [0.2435], [0.2616]])[..., None]).mean((1, 2, 3))
        found = ((levels + sum(MEAN) / 3) * 255 - 30 + self.shift) / 20
        return -(found[:, None] - torch.arange(10)).abs()


def test_what_is_measured_is_right_for_a_network_whose_answers_are_known(dataset: Dataset) -> None:
    trials = make_trials(dataset, 20)
    found = measure(Brightness(), dataset, trials)
    assert (found.clean, found.train, found.clean_of_these) == (1.0, 1.0, 1.0)
    assert found.shift_consistency == 1.0  # the mean stays when pixels go round
    assert found.corruptions["gaussian_noise"][0] == pytest.approx(1.0, abs=0.2)
    # 0.3 brighter in HSV is at least one class too many for all that are not white already.
    assert found.corruptions["brightness"][4] < 0.2
    half = found.occlusions[0]
    assert (half.shape, half.fill, half.sides) == ("block", "grey", SIDES)
    assert half.test[0] >= half.test[-1]
    assert half.iocclusion == (None,) * 4  # nothing was overfitted
    run = a_run_with(found, test=len(dataset.test))
    for severity, share in enumerate(found.corruptions["brightness"], 1):
        right = right_of(run, f"brightness {severity}")
        assert right is not None
        assert (len(right), right.mean()) == (20, pytest.approx(share))
    clean = right_of(run, "clean")
    assert clean is not None
    assert (len(clean), clean.all()) == (24, True)
    assert set(found.frequencies) == {f"{b} {r}" for b in ("low", "high") for r in (4, 8, 12)}
    # The class is the mean, which both bands keep.
    assert set(found.frequencies.values()) == {1.0}
    assert measure(Brightness(), dataset, None).corruptions == {}


# ---- the command line ----------------------------------------------------------------------------


def arguments(folder: Path, place: Path, *more: str) -> list[str]:
    return [
        *("train", "--data", str(folder), "--device", "cpu", "--seeds", "0", "--arms", "channel"),
        *("--train-pictures", "24", "--batch-size", "8", "--measured-pictures", "0"),
        *("--output", str(place / "results"), "--checkpoints", str(place / "checkpoints"), *more),
    ]


def only_result(place: Path) -> Run:
    (run,), problems = read_folder(place / "results")
    assert problems == []
    return run


def repeated(run: Run) -> RunSettings:
    """The settings that the command in a result asks for."""
    options = command_line._parser().parse_args(run.command.split()[3:])
    few = torch.zeros(run.data["train"] + run.settings.held_out)
    data = Dataset(run.data["name"], few, few, few, few)
    device = torch.device(run.environment["device"])
    settings = run.settings
    return command_line._settings(options, settings.arm, settings.seed, device, 1, data)


def test_the_same_run_with_other_settings_is_another_run(folder: Path, tmp_path: Path) -> None:
    for epochs in ("1", "2"):
        command_line.main(arguments(folder, tmp_path, "--epochs", epochs))
    runs, _ = read_folder(tmp_path / "results")
    assert sorted(run.settings.epochs for run in runs) == [1, 2]
    assert len({run.settings.name for run in runs}) == 2


def test_frozen_holds_what_hybrid_of_its_seed_learned(folder: Path, tmp_path: Path) -> None:
    more = ("--epochs", "2", "--blend-rate", "0.3")
    with pytest.raises(SystemExit, match="train the arm hybrid first"):
        command_line.main(arguments(folder, tmp_path, "--arms", "frozen", *more))
    command_line.main(arguments(folder, tmp_path, "--arms", "frozen", "hybrid", "--epochs", "2"))
    runs = {run.settings.arm: run for run in read_folder(tmp_path / "results")[0]}
    learned = tuple(path[-1][0] for path in runs["hybrid"].weights.values())
    assert runs["frozen"].settings.frozen_at == learned
    assert set(learned) != {0.5}
    assert repeated(runs["frozen"]) == runs["frozen"].settings
    assert runs["frozen"].settings.group == runs["hybrid"].settings.group


def test_one_run_is_one_file_that_says_how_to_repeat_it(folder: Path, tmp_path: Path) -> None:
    settings = (
        *("--epochs", "1", "--blend-rate", "0.3", "--blend-optimizer", "sgd", "--no-augment"),
        *("--momentum", "0.5", "--blend-start", "0.25", "--smoothing", "0"),
    )
    command_line.main(arguments(folder, tmp_path, *settings))
    found = only_result(tmp_path)
    name = "CIFAR-10 (JPEG copy)"
    digest = load(str(folder)).digest
    assert found.data == {
        **{"name": name, "digest": digest},
        **{"train": 24, "test": 24, "held_out": False},
    }
    assert (found.settings.data, len(found.classes)) == (name, 10)
    assert found.environment["torch"].startswith(torch.__version__.partition("+")[0])
    assert found.command.startswith("python -m hybridpool.training train ")
    assert repeated(found) == found.settings
    # What is done already is left out: no training is heard of the second time.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    command_line.main(arguments(folder, tmp_path, *settings))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()} == before


def test_the_report_names_every_arm_and_its_difference_to_max(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in ("0", "1"):
        more = ("--epochs", "1", "--arms", "max", "hybrid", "--seeds", seed)
        command_line.main(arguments(folder, tmp_path, *more))
    capsys.readouterr()
    command_line.main(["report", str(tmp_path / "results")])
    said = capsys.readouterr().out
    assert said == report(read_folder(tmp_path / "results")[0])
    assert "small 16, 24 pictures of CIFAR-10 (JPEG copy), 1 epochs" in said
    differences = said.partition("difference to max")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in differences.splitlines()[1:]] == ["hybrid"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--data", "nowhere"), "There is nothing at nowhere"),
        (("--batch-size", "8", "--parts", "3"), "A batch of 8 in 3 parts cannot be shared"),
        (("--train-pictures", "99"), "There are 24 training pictures, but 99"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    wrong: tuple[str, ...], sentence: str, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        command_line.main(arguments(folder, tmp_path, *wrong))


def started(
    arguments: list[str],
    launcher: tuple[str, ...] = (),
    program: str = "hybridpool.training",
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, program, *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def awaited(process: subprocess.Popen[bytes]) -> None:
    _, error = process.communicate()
    assert process.returncode == 0, error.decode()


def test_a_killed_run_goes_on_and_ends_with_the_numbers_of_an_unbroken_one(
    folder: Path, tmp_path: Path
) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    # So many epochs that the kill comes before the last, on any machine.
    more = ("--epochs", "60", "--threads", "1")
    process = started(arguments(folder, broken, *more))
    while not list((broken / "checkpoints").glob("small16-channel-24-seed0-*.pt")):
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (broken / "results").exists(), "the run ended before it could be killed"
    command_line.main(arguments(folder, broken, *more))
    command_line.main(arguments(folder, whole, *more))
    assert all_numbers(only_result(broken)) == all_numbers(only_result(whole))


#: The command line, and then a look at what the group of processes has left behind.
WATCHED = """
from pathlib import Path
from hybridpool.training.__main__ import main

main()
threads = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
left = [name for name in threads if "gloo" in name]
assert not left, f"still there when Python ends: {left}"
"""


def test_two_processes_learn_what_one_learns(folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    command_line.main(arguments(folder, one, "--epochs", "3", "--parts", "2"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    watched = tmp_path / "watched.py"
    watched.write_text(WATCHED)
    launcher = (
        *("torch.distributed.run", "--nproc-per-node", "2"),
        *("--master-addr", "127.0.0.1", "--master-port", port),
    )
    more = ("--epochs", "3", "--threads", "1")
    awaited(started(arguments(folder, two, *more), launcher, str(watched)))
    alone, shared = only_result(one), only_result(two)
    assert shared.environment["processes"] == 2
    assert shared.settings == alone.settings
    for ours, theirs in zip(shared.history, alone.history, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-4)
        assert ours.train_accuracy == pytest.approx(theirs.train_accuracy, abs=1.5 / 24)
    for name, path in alone.weights.items():
        assert np.allclose(shared.weights[name], path, atol=1e-4), name


# ---- stems ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["hybrid", "channel", "attention", "max"])
def test_a_stem_gives_the_map_that_the_network_pools(
    arm: str, dataset: Dataset, tmp_path: Path
) -> None:
    training = Training(replace(TINY, arm=arm), dataset, tmp_path / "x.pt")
    list(training.steps())
    found = training.result(None, "")
    export_stem(tmp_path / "x.pt", tmp_path / "stems" / "mine.safetensors")
    info = trained_stems(tmp_path / "stems")["mine"]
    assert (info.data, info.seed) == ("drawn", 0)
    with safe_open(tmp_path / "stems" / "mine.safetensors", framework="pt") as file:
        accuracy = float(file.metadata()["accuracy"])
    assert accuracy == pytest.approx(found.measures.clean, abs=1e-4)

    stem = load_stem("mine", folder=tmp_path / "stems")
    stage = training.model.eval().stages[0]
    with torch.no_grad():
        inner = stage.relu(stage.bn(stage.conv(prepare(dataset.test[:2]))))
        assert torch.allclose(stem(dataset.test[:2] / 255), inner, atol=1e-5)
    if arm == "attention":
        ours = stem.pooling_state["attention"]["fc.0.weight"]
        assert torch.equal(ours, stage.pool.fc[0].weight)
    elif arm == "max":
        assert stem.pooling_state == {}
    else:
        assert torch.equal(stem.pooling_state["hybrid"]["weight"], stage.pool.weight)


@pytest.mark.parametrize(("arm", "other"), [("channel", "attention"), ("attention", "hybrid")])
def test_the_other_pooling_learns_afterwards_and_nothing_else_does(
    arm: str, other: str, dataset: Dataset, tmp_path: Path
) -> None:
    training = Training(replace(TINY, arm=arm), dataset, tmp_path / "x.pt")
    list(training.steps())
    training.result(None, "")
    export_stem(tmp_path / "x.pt", tmp_path / "alone.safetensors")
    export_stem(tmp_path / "x.pt", tmp_path / "both.safetensors", dataset)
    alone, both = (load_stem(key, folder=tmp_path) for key in ("alone", "both"))
    assert alone.info.metadata["afterwards"] == ""
    assert both.info.metadata["afterwards"] == other
    for name, tensor in alone.state_dict().items():
        assert torch.equal(both.state_dict()[name], tensor), name
    own = "hybrid" if arm == "channel" else "attention"
    assert set(alone.pooling_state) == {own}
    for name, tensor in alone.pooling_state[own].items():
        assert torch.equal(both.pooling_state[own][name], tensor), name
    assert set(both.pooling_state) == {"hybrid", "attention"}
    if other == "hybrid":
        assert both.pooling_state["hybrid"]["weight"].item() != 0


def broken_copy(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)
    return path


def test_a_run_that_began_before_there_was_a_setting_goes_on(
    dataset: Dataset, tmp_path: Path
) -> None:
    place = tmp_path / "x.pt"
    for step in Training(TINY, dataset, place).steps(checkpoint_every=1):
        if step == 4:
            break
    broken_copy(place, lambda state: [state["settings"].pop(name) for name in LATER])
    assert Training(TINY, dataset, place).step == 4
    with pytest.raises(ValueError, match="other settings"):
        Training(replace(TINY, shift=2), dataset, place)
    broken_copy(place, lambda state: state.update(settings=[]))
    with pytest.raises(DamagedCheckpoint):
        Training(TINY, dataset, place)


def test_a_stem_is_made_of_a_whole_small_network_only(dataset: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "x.pt"
    for step in Training(TINY, dataset, place).steps(checkpoint_every=1):
        if step == 4:
            break
    with pytest.raises(ValueError, match="fully trained"):
        export_stem(place, tmp_path / "x.safetensors")
    whole = Training(TINY, dataset, place)
    list(whole.steps())
    whole.result(None, "")
    broken_copy(place, lambda state: state["settings"].update(network="resnet18"))
    with pytest.raises(ValueError, match="small network"):
        export_stem(place, tmp_path / "x.safetensors")


# ---- the results that come with the page ---------------------------------------------------------


def test_the_results_of_the_house_can_be_repeated_from_what_they_say() -> None:
    files = sorted((ROOT / "assets" / "results").rglob("*.json"))
    for path in files:
        text = path.read_bytes()
        found = read_run(text, path.name)
        assert found.history[-1].epoch == found.settings.epochs
        if json.loads(text)["format"] == 1:
            continue  # its command was that of another program
        assert path.stem == found.settings.name
        assert repeated(found) == found.settings
        later = {field.name for field in fields(RunSettings)} ^ set(json.loads(text)["settings"])
        assert later in (set(), set(LATER))


def test_the_stems_of_the_house_are_small_and_have_both_learned_poolings() -> None:
    files = sorted((ROOT / "assets" / "stems").glob("*.safetensors"))
    assert [path.stem for path in files] == [
        "cifar10-attention",
        "cifar10-channel",
        "cifar10-scalar",
    ]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    assert all(set(info.learned) == {"hybrid", "attention"} for info in trained_stems().values())
    assert trained_stems()["cifar10-channel"].metadata["afterwards"] == "attention"
    own = load_stem("cifar10-channel").pooling_state["hybrid"]["weight"]
    assert own.shape == (16,)
    assert own.abs().max() > 0.5  # a blend weight that has gone some way from one half
