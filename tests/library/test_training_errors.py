"""What goes wrong while networks train: one sentence each, and nothing that was done is lost."""

from __future__ import annotations

import json
import math
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hybridpool.training.__main__ import main
from hybridpool.training.files import CannotWrite, write_whole
from hybridpool.training.records import Run
from hybridpool.training.results import read_folder
from tests.commands import run_until_ctrl_c, two_shades

STEPS = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two classes in a MedMNIST file: dark and bright."""
    return two_shades(tmp_path_factory.mktemp("data") / "shades.npz", train=24, test=12)


@pytest.fixture
def command(data: str, tmp_path: Path) -> Callable[..., list[str]]:
    """The command line of a run of six steps, and what else is asked for."""

    def build(*more: str) -> list[str]:
        return [
            *("train", "--data", data, "--device", "cpu", "--seeds", "0", "--arms", "hybrid"),
            *("--epochs", "2", "--batch-size", "8", "--measured-pictures", "0"),
            *("--output", str(tmp_path / "results")),
            *("--checkpoints", str(tmp_path / "checkpoints"), *more),
        ]

    return build


def only_result(place: Path) -> Run:
    (run,), problems = read_folder(place / "results")
    assert problems == []
    return run


def checkpoints(place: Path) -> list[Path]:
    return sorted((place / "checkpoints").glob("*.pt"))


def numbers(run: Run) -> tuple[object, ...]:
    history = [replace(epoch, seconds=0.0) for epoch in run.history]
    return history, run.weights, run.measures


# ---- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            ("--batch-size", "0"),
            "argument --batch-size: 0 is not a whole number from 1 to 2147483647",
        ),
        (("--batch-size", "many"), "many is not a whole number from 1 to 2147483647"),
        (("--epochs", "0"), "argument --epochs: 0 is not a whole number from 1 to 2147483647"),
        (("--epochs", "-1"), "argument --epochs: -1 is not"),
        (("--threads", "-2"), "argument --threads: -2 is not a whole number from 1 to 1024"),
        (("--threads", "0"), "argument --threads: 0 is not"),
        (("--seeds", "1", "-1"), "argument --seeds: -1 is not a whole number from 0 to 2147483647"),
        (("--seeds", "9" * 30), "is not a whole number from 0"),
        (("--width", "0"), "argument --width: 0 is not"),
        (("--parts", "0"), "argument --parts: 0 is not"),
        (("--held-out", "-1"), "argument --held-out: -1 is not a whole number from 0"),
        (("--measured-pictures", "-1"), "argument --measured-pictures: -1 is not"),
        (("--train-pictures", "0"), "argument --train-pictures: 0 is not"),
        (("--learning-rate", "0"), "argument --learning-rate: 0 is not a number above 0"),
        (("--learning-rate", "nan"), "nan is not a number above 0"),
        (("--blend-rate", "inf"), "inf is not a number above 0"),
        (("--momentum", "1"), "argument --momentum: 1 is not a number from 0 and below 1"),
        (("--weight-decay", "-0.1"), "argument --weight-decay: -0.1 is not a number from 0 to"),
        (("--weight-decay", "1e300"), "1e300 is not a number from 0 to 1e+09"),
        (("--learning-rate", "1e308"), "1e308 is not a number above 0 and at most 1e+09"),
        (("--threads", "50000"), "50000 is not a whole number from 1 to 1024"),
        (("--epochs", "9" * 17), "is not a whole number from 1 to 2147483647"),
        (("--smoothing", "2"), "argument --smoothing: 2 is not a number from 0 and below 1"),
        (("--frozen-at", "1.5"), "argument --frozen-at: 1.5 is not a number from 0 to 1"),
        (("--blend-start", "0"), "argument --blend-start: 0 is not a number above 0 and below 1"),
        (("--network", "huge"), "argument --network: invalid choice: 'huge'"),
        (("--warp", "9"), "unrecognized arguments: --warp 9"),
    ],
)
def test_an_option_that_cannot_be_is_one_line_without_all_the_others(
    wrong: tuple[str, ...],
    sentence: str,
    command: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(command(*wrong))
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("abacus", "No device is called abacus: choose --device cpu"),
        ("hpu", r"The device hpu cannot be used here \(.*\): choose --device cpu"),
        ("meta", r"The device meta cannot be used here \(.*\): choose --device cpu"),
        pytest.param(
            "cuda",
            r"The device cuda cannot be used here \(.*\): choose --device cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one here"),
        ),
        ("cuda:99", r"The device cuda:99 cannot be used here \(.*\): choose --device cpu"),
    ],
)
@pytest.mark.parametrize("kind", ["train", "reproduce"])
def test_a_device_that_is_not_here_is_one_sentence(
    kind: str, device: str, sentence: str, command: Callable[..., list[str]], data: str
) -> None:
    asked = command() if kind == "train" else ["reproduce", "starts", "--data", data]
    with pytest.raises(SystemExit, match=sentence) as stop:
        main([*asked, "--device", device])
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize("option", ["--output", "--checkpoints"])
@pytest.mark.parametrize("below", ["file", "file/deep/deeper"])
def test_a_folder_below_a_file_is_refused_before_anything_is_learned(
    option: str, below: str, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit, match=r"file.* cannot be a folder: .*file is a file\.$"):
        main(command(option, str(tmp_path / below)))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---- files ---------------------------------------------------------------------------------------


def test_ctrl_c_keeps_every_step_and_says_so(
    command: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(signal.SIGINT)
    run_until_ctrl_c(command("--output", str(tmp_path / "a" / "results")), monkeypatch, step=3)
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "Stopped; what was learned is kept, and the same command goes on."
    (kept,) = checkpoints(tmp_path)
    assert torch.load(kept, weights_only=True)["step"] == 3
    main(command("--output", str(tmp_path / "a" / "results")))
    kept.unlink()
    main(command("--output", str(tmp_path / "b" / "results")))
    assert numbers(only_result(tmp_path / "a")) == numbers(only_result(tmp_path / "b"))


@pytest.mark.parametrize(
    "content", ["empty", "cut", "cut early", "other", "another program's", "incomplete"]
)
def test_a_damaged_checkpoint_is_named_and_left_for_a_person_to_remove(
    content: str,
    command: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_until_ctrl_c(command(), monkeypatch, step=3)
    (path,) = checkpoints(tmp_path)
    whole = path.read_bytes()
    state = torch.load(path, weights_only=True)
    if content == "another program's":
        torch.save([1, 2, 3], path)
    elif content == "incomplete":
        torch.save({name: each for name, each in state.items() if name != "optimizers"}, path)
    else:
        # Cut early, torch says that the disk failed.
        early = {"cut early": whole[:6000], "cut": whole[: len(whole) // 2]}
        path.write_bytes({"empty": b"", "other": b"not mine", **early}[content])
    damaged = path.read_bytes()
    # Another run of the same command does not suffer.
    with pytest.raises(SystemExit, match=rf"Without a result: {path.stem}\.$"):
        main(command("--arms", "hybrid", "max"))
    said = capsys.readouterr().out
    assert f"{path} is no whole checkpoint: remove it, and the run begins anew." in said
    assert only_result(tmp_path).settings.arm == "max"
    assert path.read_bytes() == damaged


def test_a_damaged_checkpoint_is_no_stem(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"PK\3\4")
    with pytest.raises(SystemExit, match=r"x\.pt is no whole checkpoint"):
        main(["stem", str(tmp_path / "x.pt"), str(tmp_path / "x.safetensors")])


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")


def fill_up(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Let files of one kind be written to a device without any space."""
    rightly = Path.open

    def opened(path: Path, mode: str = "r", *args: object, **more: object) -> object:
        if path.suffix == ".unfinished" and path.parent.name == ending and "w" in mode:
            path.symlink_to("/dev/full")
        return rightly(path, mode, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)


@full
@pytest.mark.parametrize("folder", ["checkpoints", "results"])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_from_what_was_kept(
    folder: str, command: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_until_ctrl_c(command(), monkeypatch, step=3)
    (kept,) = checkpoints(tmp_path)
    before = kept.read_bytes()
    with monkeypatch.context() as patch:
        fill_up(patch, folder)
        with pytest.raises(SystemExit, match=r"cannot be written \(no space left on device\)"):
            main(command())
    assert not list(tmp_path.rglob("*.unfinished"))
    assert not list(tmp_path.rglob("*.json"))
    if folder == "checkpoints":
        assert kept.read_bytes() == before
    else:
        assert torch.load(kept, weights_only=True)["step"] == STEPS
    main(command())
    first = only_result(tmp_path)
    kept.unlink()
    main(command("--output", str(tmp_path / "unbroken" / "results")))
    assert numbers(first) == numbers(only_result(tmp_path / "unbroken"))


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "x.json", b"before")
    (tmp_path / "x.unfinished").mkdir()
    with pytest.raises(CannotWrite, match=r"x\.json cannot be written \(is a directory\)"):
        write_whole(tmp_path / "x.json", b"after")
    assert (tmp_path / "x.json").read_bytes() == b"before"


@pytest.mark.parametrize("content", ["", '{"format": 2, "settings": {', "diverged"])
def test_a_result_that_is_none_is_said_and_made_anew(
    content: str,
    command: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(command())
    first = only_result(tmp_path)
    (path,) = (tmp_path / "results").glob("*.json")
    if content == "diverged":
        found = json.loads(path.read_bytes())
        found["history"][-1]["loss"] = math.nan
        content = json.dumps(found)
    path.write_text(content)
    # Beside it another result is shown, and the broken one named.
    main(command("--arms", "max"))
    capsys.readouterr()
    main(["report", str(tmp_path / "results")])
    said = capsys.readouterr()
    assert f"{path.name} holds no results of a training run" in said.err
    assert "\nmax" in said.out
    assert "\nhybrid" not in said.out
    main(command())
    assert f"{path.name} holds no results of a training run" in capsys.readouterr().out
    again = [run for run in read_folder(tmp_path / "results")[0] if run.settings.arm == "hybrid"]
    assert [numbers(run) for run in again] == [numbers(first)]


def test_a_diverged_run_is_said_leaves_no_file_and_does_not_stop_the_others(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ("--learning-rate", "1e9", "--arms", "max", "average")
    with pytest.raises(SystemExit, match=r"Without a result: small16-max-.*, small16-average-"):
        main(command(*wild))
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert all(
        re.search(r"diverged in epoch \d: its loss is no number.* Choose", at) for at in said
    )
    assert not list(tmp_path.rglob("*.json"))
