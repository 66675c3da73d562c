"""Trained networks as files: what is written is read back, and nothing else is read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from hybridpool.training import __main__ as command_line
from hybridpool.training.arms import ARMS, blends
from hybridpool.training.data import Dataset
from hybridpool.training.loop import Training
from hybridpool.training.network_files import NetworkFileError, export_network, read_network
from hybridpool.training.records import RunSettings

SETTINGS = RunSettings(
    data="drawn",
    network="air",
    width=8,
    seed=3,
    epochs=2,
    train_pictures=12,
    batch_size=6,
    measured_pictures=0,
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (12, 3, 32, 32), generator=draw, dtype=torch.uint8)
    labels = torch.arange(12) % 3
    names = ("cat", "dog", "ship")
    return Dataset("drawn", pictures, labels, pictures.flip(0), labels.flip(0), names)


def trained(arm: str, dataset: Dataset, place: Path) -> Training:
    held = (0.9, 0.4, 0.6) if arm == "frozen" else ()
    training = Training(replace(SETTINGS, arm=arm, frozen_at=held), dataset, place / f"{arm}.pt")
    list(training.steps())
    training.result(None, "")
    return training


@pytest.mark.parametrize("arm", ARMS)
def test_a_network_says_the_same_after_it_was_written_and_read(
    arm: str, dataset: Dataset, tmp_path: Path
) -> None:
    training = trained(arm, dataset, tmp_path)
    path = export_network(tmp_path / f"{arm}.pt", tmp_path / "networks")
    assert path.name == f"air8-{arm}-seed3.safetensors"
    network, info = read_network(path)
    assert (info.network, info.width, info.arm, info.seed) == ("air", 8, arm, 3)
    assert (info.data, info.pictures, info.epochs, info.side) == ("drawn", 12, 2, 32)
    assert info.classes == ("cat", "dog", "ship")
    assert info.accuracy == pytest.approx(training.accuracy, abs=1e-6)
    assert info.name == training.settings.name
    with torch.no_grad():
        pictures = training.prepare(dataset.test)
        before = training.model.eval()(pictures).softmax(1)
        torch.testing.assert_close(network(pictures).softmax(1), before, atol=5e-3, rtol=0)
    weights = [layer.blend_weight for layer in blends(network, learned=False).values()
               if hasattr(layer, "blend_weight")]  # fmt: skip
    if arm == "frozen":
        assert [weight.item() for weight in weights] == pytest.approx((0.9, 0.4, 0.6), abs=1e-3)


def test_a_network_in_half_precision_is_small(dataset: Dataset, tmp_path: Path) -> None:
    training = trained("channel", dataset, tmp_path)
    path = export_network(tmp_path / "channel.pt", tmp_path)
    numbers = sum(tensor.numel() for tensor in training.model.state_dict().values())
    assert path.stat().st_size < 2 * numbers + 8000


def test_an_unfinished_run_is_no_network(dataset: Dataset, tmp_path: Path) -> None:
    training = Training(SETTINGS, dataset, tmp_path / "x.pt")
    list(training.steps())
    with pytest.raises(ValueError, match="trained and measured"):
        export_network(tmp_path / "x.pt", tmp_path)
    with pytest.raises(SystemExit, match="is no checkpoint"):
        command_line.main(["networks", str(tmp_path / "y.pt")])


def test_the_command_writes_what_it_says(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained("max", dataset, tmp_path)
    place = str(tmp_path / "networks")
    command_line.main(["networks", str(tmp_path / "max.pt"), "--output", place])
    assert Path(capsys.readouterr().out.strip()).is_file()


def test_a_network_of_another_run_is_not_replaced(dataset: Dataset, tmp_path: Path) -> None:
    trained("max", dataset, tmp_path)
    path = export_network(tmp_path / "max.pt", tmp_path / "networks")
    before = path.read_bytes()
    assert export_network(tmp_path / "max.pt", tmp_path / "networks") == path
    other = Training(replace(SETTINGS, arm="max", epochs=1), dataset, tmp_path / "other.pt")
    list(other.steps())
    other.result(None, "")
    name = other.settings.name
    for content in (before, b"mine"):
        path.write_bytes(content)
        with pytest.raises(
            SystemExit, match=rf"{path} is there already, and not of the run {name}"
        ):
            command_line.main(
                ["networks", str(tmp_path / "other.pt"), "--output", str(path.parent)]
            )
        assert path.read_bytes() == content
    # A file from before there were names in it is one of its run too.
    with safe_open(path := export_network(tmp_path / "max.pt", tmp_path), framework="pt") as file:
        told = {key: value for key, value in file.metadata().items() if key != "name"}
        save_file({key: file.get_tensor(key) for key in file.keys()}, path, told)  # noqa: SIM118
    assert export_network(tmp_path / "max.pt", tmp_path) == path


@pytest.mark.parametrize("kind", ["networks", "stem"])
def test_a_network_or_stem_that_cannot_be_written_is_one_sentence(
    kind: str, dataset: Dataset, tmp_path: Path
) -> None:
    training = Training(replace(SETTINGS, network="small"), dataset, tmp_path / "x.pt")
    list(training.steps())
    training.result(None, "")
    (tmp_path / "file").write_text("mine")
    asked = {
        "networks": ["networks", str(tmp_path / "x.pt"), "--output", str(tmp_path / "file")],
        "stem": ["stem", str(tmp_path / "x.pt"), str(tmp_path)],
    }
    with pytest.raises(SystemExit, match=r"cannot be written \("):
        command_line.main(asked[kind])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "another"}, "does not say that it is one"),
        ({"network": "alexnet"}, "not known"),
        ({"arm": "median"}, "not known"),
        ({"width": 9}, "shape"),
        ({"width": 100_000}, "out of range"),
        ({"classes": ["a", "b"]}, "shape"),
        ({"classes": [1, 2, 3]}, "classes is not text"),
        ({"mean": [0.5]}, "three channels"),
        ({"std": [0.5, 0.5, 0]}, "three channels"),
        ({"accuracy": 50}, "between 0 and 1"),
        ({"colour": "red"}, "colour is not known"),
        ({"seed": None}, "seed is not a whole number"),
    ],
)
def test_metadata_that_cannot_be_is_refused_in_a_sentence(
    change: dict[str, object], problem: str, dataset: Dataset, tmp_path: Path
) -> None:
    trained("hybrid", dataset, tmp_path)
    path = export_network(tmp_path / "hybrid.pt", tmp_path)
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    metadata |= {name: json.dumps(value) for name, value in change.items()}
    save_file(tensors, tmp_path / "mine.safetensors", metadata)
    with pytest.raises(NetworkFileError, match=rf"mine\.safetensors holds no .*{problem}"):
        read_network(tmp_path / "mine.safetensors")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04pickle", b"\x08" + b"\0" * 20])
def test_any_bytes_are_refused_in_the_same_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(NetworkFileError, match="holds no network of this program"):
        read_network(tmp_path / "x.safetensors", name="somebody's.safetensors")


def test_values_that_are_no_numbers_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    trained("max", dataset, tmp_path)
    path = export_network(tmp_path / "max.pt", tmp_path)

    def broken(tensors: dict[str, Tensor]) -> None:
        tensors["fc.bias"][0] = torch.nan

    def incomplete(tensors: dict[str, Tensor]) -> None:
        del tensors["fc.bias"]

    for change, problem in ((broken, "no numbers"), (incomplete, "not those of its network")):
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            change(tensors)
            save_file(tensors, tmp_path / "mine.safetensors", file.metadata())
        with pytest.raises(NetworkFileError, match=problem):
            read_network(tmp_path / "mine.safetensors")
