"""A person's own pictures: class folders and MedMNIST files, and what is said of broken ones."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from hybridpool.training.cifar10_copy import pack
from hybridpool.training.data import CIFAR10_CLASSES, MEAN, STD, Dataset, DataUnavailable, load
from hybridpool.training.data_files import ENDINGS, scale

Arrays = dict[str, np.ndarray]


def save(path: Path, value: int, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value, 2 * value, 10)
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Three classes of five and two pictures: PNG, JPEG, grey, and one deeper folder."""
    for label, name in enumerate(("ant", "bee", "cow")):
        for part, count in (("train", 5), ("test", 2)):
            for number in range(count):
                ending = "jpeg" if number == 1 else "PNG"
                mode = "L" if number == 0 else "RGB"
                deeper = "more/" if number == 2 else ""
                save(
                    tmp_path / part / name / f"{deeper}{number}.{ending}",
                    20 * label + number,
                    mode=mode,
                )
    return tmp_path


def arrays(colour: bool = False, side: int = 28) -> Arrays:
    draw = np.random.default_rng(0)
    shape = (side, side, 3) if colour else (side, side)
    found: Arrays = {}
    for part, count in (("train", 12), ("val", 3), ("test", 6)):
        found[f"{part}_images"] = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
        found[f"{part}_labels"] = (np.arange(count) % 3).astype(np.uint8).reshape(-1, 1)
    return found


def written(place: Path, found: Arrays) -> str:
    np.savez(place / "spots.npz", **found)
    return str(place / "spots.npz")


# ---- class folders -------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [32, 64])
def test_folders_with_train_and_test_are_read_class_by_class(folders: Path, side: int) -> None:
    found = load(str(folders), side)
    assert found.classes == ("ant", "bee", "cow")
    assert found.train.shape == (15, 3, side, side)
    assert found.train.dtype == torch.uint8
    assert found.train.is_contiguous()
    assert found.train_labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert found.test_labels.tolist() == [0, 0, 1, 1, 2, 2]
    # Grey has three equal channels; colour stays: the second class begins at 20.
    assert found.train[5].unique().tolist() == [20]
    assert [channel.unique().tolist() for channel in found.train[7]] == [[23], [46], [10]]
    assert found.name == folders.name + (" at 64 pixels" if side == 64 else "")


def test_the_middle_square_is_scaled_and_what_fits_is_left_alone(tmp_path: Path) -> None:
    picture = np.zeros((32, 40, 3), dtype=np.uint8)
    picture[:, :4], picture[:, -4:] = 255, 255
    picture[:, 4:36] = np.random.default_rng(0).integers(0, 200, (32, 32, 3))
    for name in ("train/a", "train/b", "test/a", "test/b"):
        (tmp_path / name).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / name / "x.png")
    found = load(str(tmp_path))
    assert np.array_equal(found.train[0].permute(1, 2, 0).numpy(), picture[:, 4:36])
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None]
    assert torch.equal(scale(tensor, 32)[0], found.train[0])
    # Both ways of scaling agree, that of files and that of arrays.
    larger = load(str(tmp_path), 64).train[0].int()
    assert (scale(tensor, 64)[0].int() - larger).abs().max() <= 1


def test_val_is_the_test_where_there_is_no_test(folders: Path) -> None:
    with_test = load(str(folders))
    save(folders / "val" / "ant" / "x.png", 1)
    assert torch.equal(load(str(folders)).test, with_test.test)
    (folders / "val").rename(folders / ".val")
    (folders / "test").rename(folders / "val")
    assert torch.equal(load(str(folders)).test, with_test.test)


def test_one_tree_is_split_by_the_names_of_its_files(tmp_path: Path) -> None:
    for name, count in (("few", 2), ("many", 20)):
        for number in range(count):
            save(tmp_path / name / f"{number:02}.png", 5 * number)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "many" / "Thumbs.db").write_bytes(b"x")
    found = load(str(tmp_path))
    assert found.train_labels.bincount().tolist() == [1, 16]
    assert found.test_labels.bincount().tolist() == [1, 4]
    seen = torch.cat([found.train, found.test])[:, 0, 0, 0]
    assert sorted(seen.tolist()) == sorted([0, 5, *range(0, 100, 5)])
    again = load(str(tmp_path))
    assert torch.equal(again.test, found.test)
    assert found.test[1:, 0, 0, 0].tolist() == [5 * number for number in MANY_IN_TEST]


#: The numbers whose "many/<number>.png" has the smallest SHA-256, as sha256sum says.
MANY_IN_TEST = (0, 1, 3, 7)


def test_parts_in_capitals_are_parts_and_hidden_folders_hold_no_pictures(folders: Path) -> None:
    plain = load(str(folders))
    save(folders / "train" / "ant" / ".ipynb_checkpoints" / "1-checkpoint.png", 1)
    save(folders / "test" / "bee" / "more" / ".git" / "x" / "1.png", 1)
    (folders / "train").rename(folders / "Train")
    (folders / "test").rename(folders / "TEST")
    found = load(str(folders))
    assert found.digest == plain.digest
    (folders / "train").mkdir()
    with pytest.raises(DataUnavailable, match=r"Train and .*train are both there: put"):
        load(str(folders))


def test_parts_of_another_name_are_no_classes(folders: Path) -> None:
    (folders / "train").rename(folders / "training")
    (folders / "test").rename(folders / "testing")
    with pytest.raises(DataUnavailable, match=r"testing holds folders alone .* train/ and test/"):
        load(str(folders))
    # A class may be called so if there are pictures in it.
    for name in ("training", "testing"):
        save(folders / name / "x.png", 1)
    assert load(str(folders)).classes == ("testing", "training")


def test_a_folder_that_cannot_be_read_is_said(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rightly = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "more":
            raise PermissionError(13, "Permission denied", path)
        return rightly(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataUnavailable, match=r"train/ant/more cannot be read: permission denied"):
        load(str(folders))


def test_every_ending_that_counts_as_a_picture_is_read(tmp_path: Path) -> None:
    for number, ending in enumerate(ENDINGS):
        for name in ("a", "b"):
            save(tmp_path / name / f"{number}{ending}", number)
    assert len(load(str(tmp_path)).train_labels) == 2 * (len(ENDINGS) - len(ENDINGS) // 5)


def remove(path: Path) -> None:
    for file in sorted(path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    path.rmdir()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda at: (at / "train/ant/3.PNG").write_bytes(b""), "train/ant/3.PNG cannot be read. "),
        (
            lambda at: (at / "test/bee/1.jpeg").write_bytes(b"\xff\xd8\xff\xe0 cut"),
            "test/bee/1.jpeg cannot be read. ",
        ),
        (lambda at: (at / "train/dog").mkdir(), "The class .*train/dog holds no picture"),
        (lambda at: remove(at / "test/cow"), "test has no pictures of cow: the same classes"),
        (lambda at: save(at / "test/yak/1.png", 1), "train has no pictures of yak"),
        (lambda at: remove(at / "test"), "has the folder train/ alone"),
        (
            lambda at: [
                remove(at / part / name) for part in ("train", "test") for name in ("ant", "bee")
            ],
            "There is no folder for each class in .*train: at least two classes",
        ),
        (
            lambda at: [remove(at / "train"), remove(at / "test")],
            "There is no folder for each class in",
        ),
    ],
)
def test_a_folder_with_a_fault_is_one_sentence_that_names_the_place(
    folders: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(folders)
    with pytest.raises(DataUnavailable, match=sentence) as caught:
        load(str(folders))
    assert "\n" not in str(caught.value)


def test_a_class_of_one_picture_cannot_be_split(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(tmp_path / name / "x.png", 1)
    with pytest.raises(DataUnavailable, match="one holds one picture"):
        load(str(tmp_path))


# ---- MedMNIST ------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("side", [32, 64])
def test_a_medmnist_file_is_read(tmp_path: Path, colour: bool, side: int) -> None:
    found = load(written(tmp_path, arrays(colour)), side)
    assert found.train.shape == (12, 3, side, side)
    assert found.test.shape == (6, 3, side, side)
    assert found.train_labels.tolist() == [0, 1, 2] * 4
    assert found.classes == ("0", "1", "2")
    assert torch.equal(found.train[:, 0], found.train[:, 1]) is not colour
    assert found.name == "spots" + (" at 64 pixels" if side == 64 else "")


def test_pictures_of_the_right_size_are_not_touched(tmp_path: Path) -> None:
    given = arrays(colour=True, side=32)
    found = load(written(tmp_path, given))
    assert np.array_equal(found.train.permute(0, 2, 3, 1).numpy(), given["train_images"])


def test_mean_and_deviation_are_those_of_the_training_pictures(tmp_path: Path) -> None:
    given = arrays(colour=True, side=32)
    given["test_images"][:] = 255
    found = load(written(tmp_path, given))
    values = given["train_images"].reshape(-1, 3) / 255
    assert found.mean == pytest.approx(values.mean(0))
    assert found.std == pytest.approx(values.std(0))
    given["train_images"][:] = 7
    assert load(written(tmp_path, given)).std == (1 / 255,) * 3


def test_cifar10_keeps_its_constants() -> None:
    nothing = torch.zeros(0)
    found = Dataset("CIFAR-10", nothing, nothing, nothing, nothing)
    assert (found.classes, found.mean, found.std) == (CIFAR10_CLASSES, MEAN, STD)


def change(**new: Callable[[Arrays], np.ndarray | None]) -> Callable[[Arrays], Arrays]:
    def apply(given: Arrays) -> Arrays:
        made = {**given, **{name: make(given) for name, make in new.items()}}
        return {name: array for name, array in made.items() if array is not None}

    return apply


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            change(test_labels=lambda a: None),
            "spots.npz has no test_labels: needed are",
        ),
        (change(train_images=lambda a: None), "spots.npz has no train_images"),
        (
            change(train_images=lambda a: a["train_images"].astype(float)),
            "train_images in .*spots.npz is 12 x 28 x 28 of float64: it should be",
        ),
        (
            change(test_images=lambda a: np.zeros((6, 28, 28, 28), np.uint8)),
            "test_images in .* is 6 x 28 x 28 x 28 of uint8",
        ),
        (change(test_images=lambda a: a["test_images"][:0]), "test_images in .* holds no picture"),
        (change(train_labels=lambda a: a["train_labels"][:5]), "train_labels in .* is 5 x 1"),
        (
            change(train_labels=lambda a: np.zeros((12, 14), np.uint8)),
            "is 12 x 14 of uint8: it should be one whole number for each of the 12 pictures",
        ),
        (change(train_labels=lambda a: a["train_labels"] / 2), "is 12 x 1 of float64"),
        (
            change(test_labels=lambda a: a["test_labels"].astype(np.int64) - 1),
            "test_labels in .* has the label -1",
        ),
        (
            change(test_labels=lambda a: np.array([0, 1, 2, 3, 0, 1])),
            "train_labels in .* has no pictures of 3",
        ),
        (
            change(test_labels=lambda a: np.zeros((6, 1), int)),
            "test_labels in .* has no pictures of 1, 2",
        ),
        (
            change(
                train_labels=lambda a: 2 * a["train_labels"],
                test_labels=lambda a: 2 * a["test_labels"],
            ),
            "train_labels in .* are not the numbers 0, 1 and so on .* they are 0, 2, 4",
        ),
        (
            change(
                train_labels=lambda a: 0 * a["train_labels"],
                test_labels=lambda a: 0 * a["test_labels"],
            ),
            "of two classes or more: they are 0",
        ),
        (
            change(train_labels=lambda a: np.array([["cat"]] * 12, dtype=object)),
            "cannot be read as arrays of NumPy",
        ),
    ],
)
def test_a_medmnist_file_with_a_fault_is_one_sentence_that_names_it(
    tmp_path: Path, damage: Callable[[Arrays], Arrays], sentence: str
) -> None:
    with pytest.raises(DataUnavailable, match=sentence) as caught:
        load(written(tmp_path, damage(arrays())))
    assert "\n" not in str(caught.value)


def test_a_file_cut_or_changed_anywhere_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays(side=4))
    whole = file.getvalue()
    draw = np.random.default_rng(0)
    path = tmp_path / "spots.npz"
    refusals = []
    for _ in range(150):
        broken = bytearray(whole[: draw.integers(0, len(whole))] if draw.random() < 0.3 else whole)
        for _ in range(3 if broken else 0):
            broken[draw.integers(len(broken))] = draw.integers(256)
        path.write_bytes(broken)
        try:
            found = load(str(path))
        except DataUnavailable as problem:
            refusals.append(str(problem))
        else:
            assert found.train.shape[1:] == (3, 32, 32)
    assert len(refusals) > 50
    assert all(str(path) in refusal and "\n" not in refusal for refusal in refusals)


@pytest.mark.parametrize("name", ["spots.npz", "spots.zip"])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").rename(tmp_path / name)
    with pytest.raises(DataUnavailable, match=re.escape(str(tmp_path / name))):
        load(str(tmp_path / name))


def test_what_is_not_there_and_other_sizes_are_refused() -> None:
    with pytest.raises(DataUnavailable, match="There is nothing at nowhere"):
        load("nowhere")
    with pytest.raises(ValueError, match="32 or 64 pixels a side, not 48"):
        load("nowhere", 48)


# ---- Parquet -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("labels", "right"), [([0, 9], True), ([0, 10], False), ([-1, 0], False)])
def test_labels_of_a_copy_of_cifar10_are_its_classes(
    tmp_path: Path, labels: list[int], right: bool
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 8, 7)).save(file, "PNG")
    for part in ("train", "test"):
        table = pyarrow.table({"jpeg": [file.getvalue()] * 2, "label": labels})
        pyarrow.parquet.write_table(table, tmp_path / f"{part}.parquet")
    if right:
        found = load(str(tmp_path), 64)
        assert found.train.shape == (2, 3, 64, 64)
        assert (found.name, found.mean) == ("CIFAR-10 (JPEG copy) at 64 pixels", MEAN)
    else:
        with pytest.raises(DataUnavailable, match=r"train\.parquet are not the numbers 0 to 9"):
            load(str(tmp_path))


def picture_file(side: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("files", "labels", "sentence"),
    [
        ([None, picture_file(32)], [0, 1], "some are missing"),
        ([picture_file(32)] * 2, [0, None], "some are missing"),
        ([picture_file(32)] * 2, [0.5, 1.5], "the labels are float64, no whole numbers"),
        ([picture_file(14_000, "1"), picture_file(32)], [0, 1], "could be decompression bomb"),
    ],
)
def test_a_copy_of_cifar10_with_a_fault_is_one_sentence(
    files: list[bytes | None], labels: list[float | None], sentence: str, tmp_path: Path
) -> None:
    for part in ("train", "test"):
        table = pyarrow.table({"jpeg": files, "label": labels})
        pyarrow.parquet.write_table(table, tmp_path / f"{part}.parquet")
    with pytest.raises(DataUnavailable, match=sentence) as caught:
        load(str(tmp_path))
    assert "train.parquet cannot be read as pictures and labels" in str(caught.value)


def test_a_packed_copy_is_the_copy(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    files = []
    for _ in range(6):
        file = io.BytesIO()
        picture = draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(picture).save(file, "JPEG")
        files.append(file.getvalue())
    for part, chosen in (("train", files[:4]), ("test", files[4:])):
        table = pyarrow.table({"jpeg": chosen, "label": list(range(len(chosen)))})
        pyarrow.parquet.write_table(table, tmp_path / f"{part}.parquet")
    pack(tmp_path, tmp_path / "copy.npz")
    ours, theirs = load(str(tmp_path / "copy.npz")), load(str(tmp_path))
    assert (ours.name, ours.mean, ours.classes) == (theirs.name, theirs.mean, theirs.classes)
    for part in ("train", "train_labels", "test", "test_labels"):
        assert torch.equal(getattr(ours, part), getattr(theirs, part)), part
    arrays = dict(np.load(tmp_path / "copy.npz"))
    arrays["test_ends"] = arrays["test_ends"] // 2
    np.savez(tmp_path / "copy.npz", **arrays)
    with pytest.raises(DataUnavailable, match=r"copy\.npz cannot be read as pictures and labels"):
        load(str(tmp_path / "copy.npz"))


# ---- held-out pictures ---------------------------------------------------------------------------


def numbered(sizes: tuple[int, ...]) -> Dataset:
    """Pictures that hold their own number, classes one after the other."""
    count = sum(sizes)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    train = torch.arange(count).view(-1, 1, 1, 1).expand(-1, 3, 1, 1)
    return Dataset("numbers", train, labels, train[:0], labels[:0], ("a", "b", "c"), std=(2, 2, 2))


def test_held_out_pictures_are_balanced_fixed_and_no_part_of_the_rest() -> None:
    whole = numbered((100, 100, 100))
    found, again = whole.split(30), whole.split(30)
    assert found.test_labels.bincount().tolist() == [10, 10, 10]
    assert found.train_labels.bincount().tolist() == [90, 90, 90]
    held, rest = found.test[:, 0, 0, 0], found.train[:, 0, 0, 0]
    assert sorted([*held.tolist(), *rest.tolist()]) == list(range(300))
    assert torch.equal(again.test, found.test)
    assert torch.equal(whole.train_labels[held], found.test_labels)
    assert (found.classes, found.std, found.name) == (whole.classes, whole.std, whole.name)
    # A draw, not the first of each class; a smaller draw is part of a larger one.
    assert held.tolist() != [*range(10), *range(100, 110), *range(200, 210)]
    assert set(whole.split(15).test[:, 0, 0, 0].tolist()) < set(held.tolist())


def test_classes_of_unequal_size_are_held_out_in_proportion_and_never_used_up() -> None:
    whole = numbered((4, 40, 400))
    assert whole.split(111).test_labels.bincount().tolist() == [1, 10, 100]
    assert whole.split(222).train_labels.bincount().tolist() == [2, 20, 200]
    for count in (2, 223):
        with pytest.raises(ValueError, match=f"{count} of the 444 .* choose 3, .* to 222"):
            whole.split(count)


def test_no_global_generator_is_moved_by_a_draw() -> None:
    before = torch.get_rng_state()
    numbered((9, 9)).split(4)
    assert torch.equal(torch.get_rng_state(), before)
