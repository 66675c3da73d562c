"""What cannot be kept, computed or read: one run or one file suffers, and the others do not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from hybridpool.training import loop
from hybridpool.training.__main__ import main
from hybridpool.training.checkpoints import RunFailed, within_memory
from hybridpool.training.data import load
from hybridpool.training.loop import Training
from hybridpool.training.records import Epoch
from hybridpool.training.results import read_folder, write_run
from tests.commands import two_shades
from tests.made_up_runs import a_run


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., list[str]]:
    """The command line of two tiny runs of one seed, and what else is asked for."""
    data = two_shades(tmp_path / "shades.npz", train=8, test=4)

    def build(*more: str) -> list[str]:
        return [
            *("train", "--data", data, "--device", "cpu", "--seeds", "0", "--width", "4"),
            *("--epochs", "1", "--batch-size", "4", "--measured-pictures", "0"),
            *("--arms", "max", "average", "--output", str(tmp_path / "results")),
            *("--checkpoints", str(tmp_path / "checkpoints"), *more),
        ]

    return build


def arms(place: Path) -> list[str]:
    return [run.settings.arm for run in read_folder(place / "results")[0]]


# ---- what is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        replace(a_run("max", 0), history=(Epoch(1, float("nan"), 0.5, None, 1.0),)),
        replace(a_run("max", 0), history=(Epoch(1, 1e17, 0.5, None, 1.0),)),
        replace(a_run("max", 0), data={"name": "x" * 101, "test": 4}),
        replace(a_run("max", 0), classes=(os.fsdecode(b"\xff"),)),
    ],
)
def test_a_result_that_could_not_be_read_again_is_not_written(run: object, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"small16-max-.* has no result that can be kept: "):
        write_run(run, tmp_path)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [b"L" * 120, b"root\xff"])
def test_pictures_with_a_long_or_an_odd_name_are_trained_and_reported(
    name: bytes,
    command: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = tmp_path / os.fsdecode(name + b".npz")
    (tmp_path / "shades.npz").rename(odd)
    main(command("--data", str(odd)))
    main(["report", str(tmp_path / "results")])
    assert load(str(odd)).name in capsys.readouterr().out
    assert arms(tmp_path) == ["average", "max"]


def test_a_loss_that_is_too_large_to_be_kept_is_that_of_a_diverged_run(
    command: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Training, "_take_step", lambda *_: 1e17)
    with pytest.raises(SystemExit, match="Without a result: small4-max-"):
        main(command())
    assert arms(tmp_path) == []


def test_what_is_made_anew_is_said_once(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(command())
    next((tmp_path / "results").glob("*-max-*")).write_text("{}")
    capsys.readouterr()
    main(command())
    assert capsys.readouterr().out.count("It is made anew.") == 1
    assert arms(tmp_path) == ["average", "max"]


# ---- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        ),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        MemoryError(),
    ],
)
def test_a_run_without_memory_fails_in_a_sentence_and_the_others_go_on(
    error: Exception,
    command: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build = loop.build_network

    def large(network: str, arm: str, *args: object, **more: object) -> object:
        if arm == "max":
            raise error
        return build(network, arm, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "build_network", large)
    with pytest.raises(SystemExit, match=r"Without a result: small4-max-\S+\.$"):
        main(command())
    said = capsys.readouterr().out
    assert "There is not enough memory for small4-max-" in said
    assert "choose a smaller width or batch." in said
    assert arms(tmp_path) == ["average"]


def test_another_error_of_torch_is_none_of_memory() -> None:
    with pytest.raises(RuntimeError, match="expected 4 dimensions"), within_memory("x"):
        raise RuntimeError("expected 4 dimensions")


# ---- odd files among results ---------------------------------------------------------------------


def odd_file(kind: str, path: Path) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        found = json.loads(next(path.parent.glob("*-max-*")).read_text())
        found["data"]["name"] = found["settings"]["data"] = os.fsdecode(b"\xff")
        path.write_text(json.dumps(found))


@pytest.mark.parametrize("kind", ["folder", "dangling", "pipe", "no UTF-8"])
def test_an_odd_file_among_results_is_a_problem_of_that_file_alone(
    kind: str,
    command: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(command())
    odd_file(kind, tmp_path / "results" / "x.json")
    main(["report", str(tmp_path / "results")])
    said = capsys.readouterr()
    assert "x.json holds no results of a training run" in said.err
    assert "\naverage" in said.out
    main(command("--arms", "fixed"))
    assert arms(tmp_path) == ["average", "fixed", "max"]


def test_a_result_that_cannot_be_read_is_left_and_the_others_go_on(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(command())
    path = next((tmp_path / "results").glob("*-max-*"))
    path.unlink()
    path.mkdir()
    with pytest.raises(SystemExit, match="Without a result: small4-max-"):
        main(command("--arms", "max", "fixed"))
    assert f"{path} cannot be read: it is no file." in capsys.readouterr().out
    assert arms(tmp_path) == ["average", "fixed"]


def test_a_copy_of_a_result_does_not_count_again(tmp_path: Path) -> None:
    first = write_run(a_run("max", 0), tmp_path)
    write_run(a_run("max", 1), tmp_path)
    (tmp_path / "backup").mkdir()
    for copy in ("backup/x.json", "a copy.json"):
        (tmp_path / copy).write_bytes(first.read_bytes())
    # Other pictures of the same name are no copy.
    other = replace(a_run("max", 0), data={"name": "CIFAR-10 (JPEG copy)", "digest": "0f"})
    write_run(other, tmp_path / "other")
    write_run(replace(other, data={**other.data, "digest": "1e"}), tmp_path / "another")
    assert len(read_folder(tmp_path)[0]) == 3


# ---- other processes -----------------------------------------------------------------------------


def test_runs_of_another_process_and_runs_that_are_done_are_said(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(command("--arms", "max"))
    capsys.readouterr()
    main(command("--arms", "max"))
    assert capsys.readouterr().out == "Nothing to do: every result is there already.\n"
    name = next((tmp_path / "results").glob("*-max-*")).stem
    (tmp_path / "results" / f"{name}.json").unlink()
    with FileLock(tmp_path / "checkpoints" / f"{name}.lock"):
        main(command("--arms", "max"))
    assert capsys.readouterr().out == f"{name}: another process is at it.\n"


def test_frozen_says_that_another_process_is_at_the_hybrid_network(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    main(command("--arms", "hybrid"))
    (result,) = (tmp_path / "results").glob("*.json")
    result.unlink()
    busy = pytest.raises(SystemExit, match="seed 0: another process is at it, so call this")
    with FileLock(tmp_path / "checkpoints" / f"{result.stem}.lock"), busy:
        main(command("--arms", "frozen"))
    with pytest.raises(SystemExit, match="seed 0: train the arm hybrid first"):
        main(command("--arms", "frozen"))
