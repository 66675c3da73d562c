"""The run and the script for a GPU, tried on the CPU: the same numbers, and nothing to install."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import gpu_experiment
from hybridpool.training import tables
from hybridpool.training.data import Dataset
from hybridpool.training.loop import Training
from hybridpool.training.quiet import QuietTraining
from hybridpool.training.records import RunSettings
from hybridpool.training.results import read_folder
from tests.made_up_runs import numbers

ROOT = Path(__file__).resolve().parents[2]
TINY = RunSettings(data="shades", epochs=2, train_pictures=24, batch_size=8, measured_pictures=0)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    draw = np.random.default_rng(0)
    labels = torch.arange(24) % 10
    levels = draw.integers(0, 60, (24, 3, 32, 32)) + 20 * labels.numpy()[:, None, None, None]
    pictures = torch.from_numpy(levels.astype(np.uint8))
    return Dataset("shades", pictures, labels, pictures.flip(0), labels.flip(0))


class Imitated(QuietTraining):
    """Replays as a CUDA graph does: it reads what is put before it, and fills fixed places."""

    captured = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.without_graph = ""

    def _to_be_noted(self) -> bool:
        # Every other step, so that both ways take turns.
        return self.step % 2 == 0

    def _capture(self) -> Callable[[], Tensor]:
        self.captured += 1
        places = [torch.zeros_like(parameter) for parameter in self._learning]
        self._set_gradients(list(places))

        def replay() -> Tensor:
            loss = self._loss(self._part, self._changes)
            found = torch.autograd.grad(loss, self._learning)
            for place, gradient in zip(places, found, strict=True):
                place.copy_(gradient)
            return loss

        return replay


class Noting(Training):
    """Notes blend weights when `Imitated` does."""

    def _to_be_noted(self) -> bool:
        return self.step % 2 == 0


@pytest.mark.parametrize(("quiet", "plain"), [(QuietTraining, Training), (Imitated, Noting)])
@pytest.mark.parametrize(
    "settings",
    [
        TINY,
        replace(TINY, arm="attention", augment=False),
        replace(TINY, arm="channel", blend_optimizer="sgd", held_out=10, train_pictures=14),
    ],
)
def test_a_quiet_run_has_the_numbers_of_the_plain_one(
    quiet: type[QuietTraining], plain: type[Training], settings: RunSettings, dataset: Dataset
) -> None:
    ours, theirs = quiet(settings, dataset), plain(settings, dataset)
    began = time.perf_counter()
    list(ours.steps())
    took = time.perf_counter() - began
    list(theirs.steps())
    found = ours.result(None, "")
    assert numbers(found) == numbers(theirs.result(None, ""))
    for name, tensor in theirs.model.state_dict().items():
        assert torch.equal(ours.model.state_dict()[name], tensor), name
    assert len(ours.step_seconds) == ours.total
    assert sum(ours.step_seconds) == pytest.approx(ours.seconds)
    assert 0 < ours.seconds <= took
    if isinstance(ours, Imitated):
        assert ours.captured == 1
        assert found.environment["steps"] == "graph"
    else:
        assert found.environment["steps"] == "each operation (no CUDA)"


def test_a_quiet_run_that_is_kept_and_goes_on_ends_alike(dataset: Dataset, tmp_path: Path) -> None:
    whole = QuietTraining(TINY, dataset)
    list(whole.steps())
    broken = QuietTraining(TINY, dataset, tmp_path / "x.pt")
    for step in broken.steps():
        if step == 4:
            broken.save()
            break
    again = QuietTraining(TINY, dataset, tmp_path / "x.pt")
    assert again.step == 4
    list(again.steps())
    assert numbers(again.result(None, "")) == numbers(whole.result(None, ""))


def test_a_graph_that_cannot_be_captured_leaves_the_run_as_it_is(dataset: Dataset) -> None:
    class Unable(QuietTraining):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.without_graph = ""

        def _capture(self) -> Callable[[], Tensor]:
            self._loss(self._part, self._changes)  # moves the statistics of batch normalisation
            raise RuntimeError("operation not permitted\nwhen stream is capturing")

    settings = replace(TINY, epochs=30)  # has steps whose blend weights are not noted
    ours, theirs = Unable(settings, dataset), Training(settings, dataset)
    list(ours.steps())
    list(theirs.steps())
    assert ours.without_graph == "operation not permitted"
    for name, tensor in theirs.model.state_dict().items():
        assert torch.equal(ours.model.state_dict()[name], tensor), name


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_step_on_a_gpu_is_a_graph_and_asks_nothing(dataset: Dataset) -> None:
    settings = replace(TINY, epochs=40, precision="bfloat16")
    training = QuietTraining(settings, dataset.to(torch.device("cuda")))
    steps = training.steps(checkpoint_every=1000)
    for _ in range(4):
        next(steps)
    assert training.without_graph == ""
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        next(steps)
    finally:
        torch.cuda.set_sync_debug_mode(before)
    list(steps)
    assert training.history[-1].loss < training.history[0].loss


# ---- the script ----------------------------------------------------------------------------------


@pytest.fixture
def script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Dataset
) -> Callable[..., list[str]]:
    """Its command line for two tiny tables of one network and two seeds."""
    shared = replace(TINY, epochs=1)
    wide = tables.Table(shared, ("max", "hybrid", "frozen"), seeds=(0, 1))
    deep = tables.Table(replace(shared, width=8), ("max", "fixed"), seeds=(0, 1))
    small = {"gpu-air": wide, "gpu-resnet": deep}
    monkeypatch.setattr(tables, "TABLES", small)
    monkeypatch.setattr(gpu_experiment, "TABLES", small)
    monkeypatch.setattr(gpu_experiment, "load", lambda source: dataset)

    def build(*more: str) -> list[str]:
        return ["--device", "cpu", "--output", str(tmp_path), "--reserve", "0", *more]

    return build


def done(place: Path, table: str) -> list[RunSettings]:
    runs, problems = read_folder(place / table)
    assert problems == []
    return [run.settings for run in runs]


def test_both_tables_are_run_in_the_order_of_the_seeds_for_as_many_epochs_as_fit(
    script: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu_experiment.main(script("--minutes", "30"))
    said = capsys.readouterr().out
    order = re.findall(r"^small(?:16|8)-(\w+)-24-(seed\d)-\w+: [\d.]+%", said, re.MULTILINE)
    wide = [(arm, seed) for seed in ("seed0", "seed1") for arm in ("max", "hybrid", "frozen")]
    deep = [(arm, seed) for seed in ("seed0", "seed1") for arm in ("max", "fixed")]
    assert order == [*wide, *deep]
    frozen = [run for run in done(tmp_path, "gpu-air") if run.arm == "frozen"]
    assert all(len(run.frozen_at) == 3 for run in frozen)
    # There is time for more than the most.
    assert {run.epochs for run in done(tmp_path, "gpu-resnet")} == {gpu_experiment.MOST_EPOCHS}
    assert not list((tmp_path / "checkpoints").glob("*"))
    # What is done is left out, and what is missing is made with as many epochs as before.
    next((tmp_path / "gpu-resnet").glob("*-fixed-*seed1*")).unlink()
    gpu_experiment.main(script("--minutes", "30"))
    again = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert len(again) == 1
    assert len(done(tmp_path, "gpu-resnet")) == 4


def test_the_end_of_the_time_keeps_the_run_that_it_meets(
    script: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ending(gpu_experiment.Clock):
        asked = 0

        @property
        def left(self) -> float:
            Ending.asked += 1
            return 1e3 if Ending.asked < 9 else -1.0

    with monkeypatch.context() as patch:
        patch.setattr(gpu_experiment, "Clock", lambda seconds: Ending(seconds))
        gpu_experiment.main(script("--tables", "gpu-air", "--epochs", "4"))
    (kept,) = (tmp_path / "checkpoints").glob("*.pt")
    before = done(tmp_path, "gpu-air")
    assert len(before) < 6
    step = torch.load(kept, weights_only=True)["step"]
    assert 0 < step < 12
    gpu_experiment.main(script("--minutes", "30", "--tables", "gpu-air", "--epochs", "4"))
    assert len(done(tmp_path, "gpu-air")) == 6
    assert not kept.exists()


def test_ctrl_c_keeps_every_step_and_says_so(
    script: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    take = QuietTraining._take_step

    def interrupted(training: QuietTraining, *args: Any) -> float:
        if training.step == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return take(training, *args)

    asked = script("--tables", "gpu-air", "--epochs", "4", "--seeds", "1")
    with monkeypatch.context() as patch:
        patch.setattr(QuietTraining, "_take_step", interrupted)
        with pytest.raises(SystemExit) as stop:
            gpu_experiment.main(asked)
    assert stop.value.code == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "Stopped; what was learned is kept, and the same command goes on."
    (kept,) = (tmp_path / "checkpoints").glob("*.pt")
    assert torch.load(kept, weights_only=True)["step"] == 5
    gpu_experiment.main(asked)
    assert len(done(tmp_path, "gpu-air")) == 3


def test_no_time_is_said_and_nothing_is_begun(
    script: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu_experiment.main(script("--minutes", "0.0001", "--tables", "gpu-resnet"))
    assert "no time for 3 epochs of every run" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--device", "abacus"), "No device is called abacus"),
        (("--prepare", "x.npz", "--data", "nowhere"), "There is no train.parquet in nowhere"),
        (("--seeds", "1", "9"), r"gpu-air has the seeds 0, 1, not 9: choose among those"),
        (("--tables", "gpu-resnet", "--seeds", "7"), "gpu-resnet has the seeds 0, 1, not 7"),
        (("--output", "/proc/x"), r"^/proc/x: no such file or directory\.$"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    wrong: tuple[str, ...], sentence: str, script: Callable[..., list[str]]
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        gpu_experiment.main(script(*wrong))


def test_the_script_needs_torch_and_torchvision_alone() -> None:
    """Everything that these two do not bring along themselves is kept away."""
    installed = "pyarrow, scipy, safetensors, tqdm, skimage, streamlit, plotly, pandas, babel"
    source = f"""
import sys
for name in {installed.split(", ")!r}:
    sys.modules[name] = None
from benchmarks import gpu_experiment, pooling
from hybridpool.training.quiet import QuietTraining
from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import make_trials
from hybridpool.training.records import RunSettings
from hybridpool.training.results import read_folder, write_run
import torch
from pathlib import Path
from tempfile import TemporaryDirectory
torch.set_num_threads(1)
pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
few = Dataset("nothing", pictures, torch.arange(4), pictures, torch.arange(4))
training = QuietTraining(RunSettings(train_pictures=4, batch_size=2, epochs=1), few)
list(training.steps())
with TemporaryDirectory() as place:
    write_run(training.result(make_trials(few, 2), ""), Path(place))
    print(len(read_folder(Path(place))[0]))
"""
    found = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == "1\n", found.stderr
