"""What tests of the training's command line share: pictures to learn from, and Ctrl-C."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from hybridpool.training.__main__ import main
from hybridpool.training.loop import Training


def two_shades(path: Path, train: int, test: int) -> str:
    """Writes two classes, dark and bright, as a MedMNIST file."""
    draw = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", train), ("test", test)):
        labels = np.arange(count) % 2
        pictures = draw.integers(0, 100, (count, 28, 28)) + 100 * labels[:, None, None]
        arrays[f"{part}_images"] = pictures.astype(np.uint8)
        arrays[f"{part}_labels"] = labels.reshape(-1, 1)
    np.savez(path, **arrays)
    return str(path)


def run_until_ctrl_c(arguments: list[str], monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Run a command until Ctrl-C arrives in the middle of this step, counted over all its runs."""
    take, taken = Training._take_step, 0

    def interrupted(training: Training, *args: object) -> float:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGINT)
        return take(training, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_take_step", interrupted)
        with pytest.raises(SystemExit) as stop:
            main(arguments)
    assert stop.value.code == 130
