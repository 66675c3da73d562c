"""Results of runs: read back what was written, refuse what is none, and say what several say."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from hybridpool.training.records import Costs, Epoch, Measures, Occlusion, Run, RunSettings
from hybridpool.training.results import (
    ResultsError,
    pack,
    read_folder,
    read_run,
    right_of,
    write_run,
)
from hybridpool.training.summary import comparable, summarise_seeds, told_apart
from hybridpool.training.values import behind, loss_of, noises, occluders, under

ROOT = Path(__file__).resolve().parents[2]


def a_run(arm: str = "hybrid", seed: int = 0, clean: float = 0.7) -> Run:
    return Run(
        settings=RunSettings(arm=arm, seed=seed, epochs=1),
        data={"name": "CIFAR-10 (JPEG copy)", "train": 50_000, "test": 10_000},
        environment={"torch": "2.14.1", "device": "cpu"},
        command="python -m hybridpool.training train",
        history=(Epoch(1, 1.5, 0.6, clean, 20.0),),
        weight_steps=(0, 391),
        weights={"pool1": ((0.5,), (0.55,))},
        measures=Measures(
            clean=clean,
            train=0.71,
            pictures=2000,
            clean_of_these=0.69,
            train_of_these=0.72,
            corruptions={"gaussian_noise": (0.6, 0.5, 0.4, 0.35, 0.3)},
            occlusions=(Occlusion("block", "grey", (4, 8), (0.6, 0.5), (0.62, 0.5), (0.7, None)),),
            shift_consistency=0.8,
        ),
        costs=Costs(30_000, 3, 5_000_000, 0.05, 900_000_000),
    )


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    runs = [a_run("max", 1), a_run("hybrid", 0)]
    for run in runs:
        write_run(run, tmp_path / "deeper")
    assert read_folder(tmp_path) == (sorted(runs, key=lambda run: run.settings.name), [])
    assert [path.suffix for path in (tmp_path / "deeper").iterdir()] == [".json", ".json"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), 3),
        (("format",), True),
        (("settings", "colour"), "red"),
        (("measures", "clean"), "good"),
        (("measures", "clean"), math.nan),
        (("measures", "clean"), 71.5),
        (("measures", "corruptions"), {"<b>": [0.5]}),
        (("settings", "arm"), "[a](b)"),
        (("settings", "network"), None),
        (("settings", "train_pictures"), 0),
        (("data",), {"name": 3}),
        (("measures", "corruptions"), [0.5]),
        (("measures", "occlusions", 0, "test"), [0.5]),
        (("history",), []),
        (("history", 0, "loss"), None),
        (("weights", "pool1"), [[0.5]]),
        (("settings", "seed"), "0"),
        (("settings", "seed"), 10**400),
        (("settings", "batch_size"), [1, 2]),
        (("settings", "precision"), {}),
        (("settings", "epochs"), 0),
        (("settings", "blend_start"), "half"),
        (("settings", "frozen_at"), [1.5]),
        (("settings", "augment"), 1),
        (("data",), {"name": "x", "test": [1]}),
        (("environment", "torch"), ["2.14"]),
        (("command",), None),
        (("weight_steps",), [0, -1]),
        (("measures", "pictures"), 2000.5),
        (("measures", "right"), {"clean": "AAAA"}),
        (("measures", "frequencies"), {"low 4": 2}),
        (("measures", "frequencies"), {"low x": 0.5}),
        (("measures", "frequencies"), {"low nan": 0.5}),
        (("data",), {"name": "x", "test": "many"}),
        (("data",), {"name": "x", "test": None}),
        (("data",), {"name": "x", "test": -1}),
        (("weights", "pool1"), [[], [], [], []]),
        (("costs", "parameters"), -1),
        (("classes",), "cat"),
        (("costs",), {}),
    ],
)
def test_what_is_no_result_is_refused_in_one_sentence(
    place: tuple[str | int, ...], value: object, tmp_path: Path
) -> None:
    found = json.loads(write_run(a_run(), tmp_path).read_text())
    part = found
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    with pytest.raises(ResultsError, match=r"mine\.json holds no results of a training run"):
        read_run(json.dumps(found), "mine.json")


def test_what_is_wrong_is_named_and_the_other_files_are_read(tmp_path: Path) -> None:
    write_run(a_run("max", 1), tmp_path)
    path = write_run(a_run("hybrid", 0), tmp_path)
    found = json.loads(path.read_text())
    found["settings"]["seed"] = 10**4000
    path.write_text(json.dumps(found))
    (tmp_path / "half.json").write_text(path.read_text()[:200])
    runs, problems = read_folder(tmp_path)
    assert [run.settings.arm for run in runs] == ["max"]
    assert sorted(str(problem).split()[0] for problem in problems) == sorted(
        ["half.json", path.name]
    )
    del found["settings"]["seed"]
    found["settings"]["arm"] = 3
    with pytest.raises(ResultsError, match="settings, arm is not text"):
        read_run(json.dumps(found), "mine.json")


def test_a_file_of_the_first_format_is_read_with_what_was_in_force_then() -> None:
    path = min((ROOT / "assets" / "results" / "small").glob("*.json"))
    old = json.loads(path.read_text())
    assert old["format"] == 1
    found = read_run(json.dumps(old), path.name)
    told = old["settings"]
    assert found.settings.blend_rate == told["blend_rate"] * told["learning_rate"]
    assert (found.settings.blend_optimizer, found.settings.smoothing) == ("sgd", 0.0)
    assert found.settings.data == old["data"]["name"]
    assert found.history[-1].held_out_accuracy is None
    assert right_of(found, "clean") is None


def test_which_pictures_were_right_is_kept_bit_by_bit(tmp_path: Path) -> None:
    right = torch.rand(10_000, generator=torch.Generator().manual_seed(0)) < 0.7
    few = right[:2000]
    run = a_run()
    packed = {"clean": pack(right), "block grey 4": pack(few)}
    run = replace(run, measures=replace(run.measures, right=packed))
    again = read_run(write_run(run, tmp_path).read_bytes(), "x")
    for trial, bits in (("clean", right), ("block grey 4", few)):
        found = right_of(again, trial)
        assert found is not None
        assert found.tolist() == bits.tolist()
    assert right_of(again, "block grey 8") is None


def test_a_name_holds_every_setting() -> None:
    plain = RunSettings()
    others = {
        "data": "mine", "network": "air", "width": 32, "arm": "max", "seed": 1, "epochs": 3,
        "train_pictures": 500, "held_out": 5, "batch_size": 7, "parts": 2, "learning_rate": 0.1,
        "blend_rate": 0.5, "blend_optimizer": "sgd", "blend_start": None, "frozen_at": (0.5,),
        "momentum": 0.5, "weight_decay": 0.1, "smoothing": 0.0, "augment": False,
        "shift": 2, "edge": "mirrored", "precision": "bfloat16", "measured_pictures": 3,
    }  # fmt: skip
    assert set(others) == {field.name for field in fields(RunSettings)}
    names = {replace(plain, **{name: value}).name for name, value in others.items()}
    assert len(names | {plain.name}) == len(others) + 1


@pytest.mark.parametrize("data", [b"", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_any_bytes_are_refused_in_the_same_words(data: bytes) -> None:
    with pytest.raises(ResultsError, match="holds no results"):
        read_run(data, "x")


def test_the_interval_is_students() -> None:
    found = summarise_seeds([0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.mean == pytest.approx(0.3)
    # Student's t for four degrees of freedom at 97.5 % is 2.776 in every table.
    assert found.high - 0.3 == pytest.approx(2.776 * math.sqrt(0.025 / 5), rel=1e-3)
    assert found.low + found.high == pytest.approx(0.6)
    assert summarise_seeds([0.5]).low == 0.5


def test_only_runs_that_differ_in_arm_and_seed_are_compared() -> None:
    few = a_run("hybrid", 1)
    few = replace(few, settings=replace(few.settings, train_pictures=500))
    found = comparable([a_run("max", 0), a_run("hybrid", 1), few])
    assert [len(runs) for runs in found.values()] == [2, 1]


def test_an_arm_with_several_settings_of_its_own_has_a_group_for_each() -> None:
    """One of them must not silently take the place of the other."""
    runs = [a_run(arm, seed) for arm in ("max", "hybrid", "frozen") for seed in range(3)]
    ends = {
        run.settings.seed: tuple(path[-1][0] for path in run.weights.values())
        for run in runs
        if run.settings.arm == "hybrid"
    }
    frozen = [
        replace(run, settings=replace(run.settings, frozen_at=ends[run.settings.seed]))
        for run in runs
        if run.settings.arm == "frozen"
    ]
    runs = [run for run in runs if run.settings.arm != "frozen"] + frozen
    (whole,) = comparable(runs).values()
    assert len(whole) == 9
    faster = [
        replace(
            run,
            settings=replace(run.settings, blend_rate=0.3),
            weights={name: (*path, (0.9,)) for name, path in run.weights.items()},
        )
        for run in runs
        if run.settings.arm == "hybrid"
    ]
    groups = comparable([*runs, *faster])
    assert told_apart([settings for _, settings in groups]) == [
        "--blend-rate 0.01",
        "--blend-rate 0.3",
    ]
    usual, other = groups.values()
    assert sorted(run.settings.name for run in usual) == sorted(run.settings.name for run in whole)
    assert {run.settings.arm for run in other} == {"max", "hybrid"}
    assert {run.settings.blend_rate for run in other if run.settings.arm == "hybrid"} == {0.3}


def test_data_of_the_same_name_are_not_compared() -> None:
    here, there = (replace(a_run("max", 0), data={"name": "images", "test": 40}) for _ in range(2))
    there = replace(there, data={**there.data, "digest": "other"})
    assert len(comparable([here, there])) == 2


@pytest.mark.parametrize("kind", ["noise", "occlusion"])
def test_what_a_change_costs_is_known_picture_by_picture(kind: str) -> None:
    """So that its interval can be over seeds and pictures at once, as the page says."""
    runs, _ = read_folder(Path(__file__).parents[2] / "assets" / "results" / "breadth")
    loss = loss_of(under(noises(runs)) if kind == "noise" else behind(occluders(runs)))
    for run in runs[:3]:
        value, by_picture = loss.value(run), loss.right(run) if loss.right else None
        assert by_picture is not None
        assert value == pytest.approx(by_picture.mean(), abs=1e-6)
        assert len(by_picture) == run.measures.pictures
