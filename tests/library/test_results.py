"""Results of runs: read back what was written, refuse what is none, and say what several say."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from hybridpool.training.results import (
    Costs,
    Epoch,
    Measures,
    Occlusion,
    ResultsError,
    Run,
    RunSettings,
    comparable,
    paired_difference,
    read_folder,
    read_run,
    summarise_seeds,
    write_run,
)


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
    assert read_folder(tmp_path) == sorted(runs, key=lambda run: run.settings.name)
    assert [path.suffix for path in (tmp_path / "deeper").iterdir()] == [".json", ".json"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), 2),
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


def test_a_paired_difference_takes_what_the_seed_does_away() -> None:
    runs = [a_run("max", seed, 0.7 + seed / 10) for seed in range(3)]
    runs += [a_run("hybrid", seed, 0.71 + seed / 10) for seed in range(1, 5)]
    found = paired_difference(runs, "hybrid", "max")
    assert found is not None
    assert found.count == 2
    assert found.mean == pytest.approx(0.01)
    assert found.deviation == pytest.approx(0, abs=1e-12)
    assert paired_difference(runs, "hybrid", "average") is None


def test_only_runs_that_differ_in_arm_and_seed_are_compared() -> None:
    few = a_run("hybrid", 1)
    few = replace(few, settings=replace(few.settings, train_pictures=500))
    found = comparable([a_run("max", 0), a_run("hybrid", 1), few])
    assert [len(runs) for runs in found.values()] == [2, 1]
