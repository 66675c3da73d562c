"""Pictures that have the name of others: their runs are not taken for those of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hybridpool.training.__main__ import main
from hybridpool.training.data import load
from hybridpool.training.records import Run
from hybridpool.training.results import read_folder
from tests.commands import two_shades


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    """Three files of the same name: ``b`` is ``a`` the other way round, ``c`` has three classes."""
    found = {}
    for place in ("a", "b", "c"):
        (tmp_path / place).mkdir()
        found[place] = two_shades(tmp_path / place / "shades.npz", train=24, test=12)
    for place, change in (("b", lambda labels: 1 - labels), ("c", lambda labels: labels * 2)):
        arrays = dict(np.load(found[place]))
        for part in ("train_labels", "test_labels"):
            arrays[part] = change(arrays[part].astype(int))
            arrays[part][:2, 0] = (0, 1)
        np.savez(found[place], **arrays)
    return found


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., None]:
    """Runs the command line: pictures, where results and checkpoints go, and what else is asked."""

    def run(data: str, results: str, checkpoints: str, *more: str) -> None:
        main(
            [
                *("train", "--data", data, "--device", "cpu", "--seeds", "0", "--arms", "max"),
                *("--width", "4", "--epochs", "1", "--batch-size", "8"),
                *("--measured-pictures", "0", "--output", str(tmp_path / results)),
                *("--checkpoints", str(tmp_path / checkpoints), *more),
            ]
        )

    return run


def only_result(folder: Path) -> Run:
    (run,), problems = read_folder(folder)
    assert problems == []
    return run


@pytest.mark.parametrize("other", ["b", "c"])
def test_a_checkpoint_of_other_pictures_is_refused_although_they_have_one_name(
    other: str, data: dict[str, str], train: Callable[..., None], tmp_path: Path
) -> None:
    train(data["a"], "first", "kept")
    with pytest.raises(SystemExit, match=r"a run with other settings or other data: remove it"):
        train(data[other], "second", "kept")
    assert not list((tmp_path / "second").glob("*"))


def test_a_result_of_other_pictures_is_neither_done_nor_compared_with(
    data: dict[str, str], train: Callable[..., None], tmp_path: Path
) -> None:
    train(data["a"], "results", "kept")
    before = only_result(tmp_path / "results")
    for more in ((), ("--arms", "average")):
        with pytest.raises(SystemExit, match=r"other pictures that are called shades too: choose"):
            train(data["b"], "results", "other", *more)
    assert only_result(tmp_path / "results") == before
    assert not list((tmp_path / "other").glob("*.pt"))
    train(data["b"], "elsewhere", "other")
    other = only_result(tmp_path / "elsewhere")
    assert other.settings == before.settings
    assert other.data["digest"] == load(data["b"]).digest != before.data["digest"]


def test_what_is_older_than_digests_counts_as_before(
    data: dict[str, str],
    train: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    train(data["a"], "results", "kept")
    (result,) = (tmp_path / "results").glob("*.json")
    found = json.loads(result.read_text())
    del found["data"]["digest"]
    result.write_text(json.dumps(found))
    (checkpoint,) = (tmp_path / "kept").glob("*.pt")
    state = torch.load(checkpoint, weights_only=True)
    del state["digest"]
    torch.save(state, checkpoint)
    older = result.read_text()
    train(data["a"], "results", "kept")
    assert result.read_text() == older
    capsys.readouterr()
    train(data["a"], "again", "kept")
    assert only_result(tmp_path / "again").measures == only_result(tmp_path / "results").measures
    assert only_result(tmp_path / "again").history == only_result(tmp_path / "results").history
    # Other classes need no digest to be others.
    with pytest.raises(SystemExit, match="other settings or other data"):
        train(data["c"], "third", "kept")


def test_a_copy_of_cifar10_that_another_program_decodes_is_the_same_data(
    data: dict[str, str],
) -> None:
    """Decoders of JPEG differ by a level here and there."""
    own = load(data["a"])
    nearly = replace(own, train=own.train ^ 1)
    assert nearly.digest != own.digest
    copies = [replace(each, name="CIFAR-10 (JPEG copy)") for each in (own, nearly)]
    assert copies[0].digest == copies[1].digest
    relabelled = replace(copies[0], test_labels=1 - copies[0].test_labels)
    assert relabelled.digest != copies[0].digest
