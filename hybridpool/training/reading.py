"""Turn the text of a file into a frozen record, and check every field: files come from anywhere."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from hybridpool.training.files import printable

_Record = TypeVar("_Record")
_NAME = re.compile(r"\w{1,40}", re.ASCII)
_BAND = re.compile(r"(low|high) \d{1,6}(\.\d{1,6})?", re.ASCII)
_LONGEST = 100_000
LONGEST_NAME = 100
"""How many characters the name of the pictures may have."""
LARGEST = 2**53
"""The largest number that a file may hold."""


def record(kind: type[_Record], value: object) -> _Record:
    """Make a dataclass of parsed JSON, with every value of the type of its field.

    Args:
        kind: The dataclass; its fields may be numbers, text, truth values, None, other
            dataclasses, tuples of one type and mappings from text.
        value: The parsed JSON.

    Raises:
        ValueError: If a value is missing, unknown or of another type; it names the field.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Size:
        ...     height: int
        >>> record(Size, {"height": 3})
        Size(height=3)
        >>> record(Size, {"height": [3]})
        Traceback (most recent call last):
        ValueError: height is not a whole number
    """
    return cast(_Record, _read(kind, value, ""))


def _read(kind: Any, value: object, place: str) -> Any:
    if is_dataclass(kind):
        return _read_record(kind, value, place)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (kind,) = (each for each in inner if each is not type(None))
        return _read(kind, value, place)
    if origin is tuple:
        if not isinstance(value, list) or len(value) > _LONGEST:
            raise ValueError(f"{place} is not a list")
        return tuple(_read(inner[0], each, place) for each in value)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict) or len(value) > _LONGEST or not all(map(_is_text, value)):
            raise ValueError(f"{place} is not a table")
        return {key: _read(inner[1], each, f"{place}, {key}") for key, each in value.items()}
    return _read_plain(kind, value, place)


def _read_record(kind: Any, value: object, place: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{place or 'the file'} is not a table")
    hints = get_type_hints(kind)
    inside = f"{place}, " if place else ""
    if not place:
        value = {key: each for key, each in value.items() if key != "format"}
    if unknown := sorted(value.keys() - hints.keys()):
        raise ValueError(f"{inside}{printable(unknown[0][:40])} is not known")
    values = {}
    for each in fields(kind):
        if each.name in value:
            values[each.name] = _read(hints[each.name], value[each.name], inside + each.name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{inside}{each.name} is missing")
    return kind(**values)


def _read_plain(kind: Any, value: object, place: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is Any:
        if not (value is None or isinstance(value, bool) or number or _is_text(value)):
            raise ValueError(f"{place} is neither text nor a number")
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and number and abs(value) <= LARGEST:
        return value
    if kind is float and number and abs(cast(float, value)) <= LARGEST:
        return float(cast(float, value))
    if kind is str and isinstance(value, str) and len(value) <= _LONGEST and _is_text(value):
        return value
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    raise ValueError(f"{place} is not {names[kind]}")


def _is_text(value: object) -> bool:
    """Whether a value is text that can be printed: JSON can hold halves of characters."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


def check(run: Any) -> None:
    """Check ranges and sizes of a run; otherwise a chart of it would fail much later.

    Args:
        run: A `hybridpool.training.records.Run`.

    Raises:
        ValueError: If a value is out of range or does not fit the others; it names the value.

    Example:
        >>> from hybridpool.training.records import _example
        >>> check(_example("max", 0, 1.5))
        Traceback (most recent call last):
        ValueError: accuracy is not between 0 and 1
    """
    settings, measures = run.settings, run.measures
    shares = {
        "accuracy": _accuracies(run),
        "blend weight": (
            weight for path in run.weights.values() for step in path for weight in step
        ),
        "frozen_at": settings.frozen_at,
    }
    for name, values in shares.items():
        if not all(0 <= value <= 1 for value in values):
            raise ValueError(f"{name} is not between 0 and 1")
    for name in ("epochs", "train_pictures", "batch_size", "parts", "width"):
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} is below 1")
    ratios = (one for place in measures.occlusions for one in place.iocclusion if one is not None)
    _check_not_negative(
        ("pictures", [measures.pictures, settings.measured_pictures, settings.held_out]),
        ("iocclusion", ratios),
        ("cost", (getattr(run.costs, each.name) for each in fields(run.costs))),
        ("step", run.weight_steps),
        ("epoch", (epoch.epoch for epoch in run.history)),
    )
    names = (settings.network, settings.arm, *measures.corruptions)
    if not all(_NAME.fullmatch(name) for name in names):
        raise ValueError("a network, an arm or a corruption has an impossible name")
    if not all(_BAND.fullmatch(name) for name in measures.frequencies):
        raise ValueError("a band of frequencies has an impossible name")
    data = run.data.get("name")
    if not isinstance(data, str) or len(data) > LONGEST_NAME:
        raise ValueError("data has no name")
    if not run.history:
        raise ValueError("history is empty")
    if any(len(path) != len(run.weight_steps) for path in run.weights.values()):
        raise ValueError("weights and weight_steps differ in length")
    if not all(path and all(path) for path in run.weights.values()):
        raise ValueError("weights holds nothing for a step")
    for place in measures.occlusions:
        lines = (place.test, place.train, place.iocclusion)
        if any(len(line) != len(place.sides) for line in lines):
            raise ValueError("occlusions differ in length")
    count = run.data.get("test", None if measures.right else 0)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError("data does not say how many test pictures there are")
    for trial, packed in measures.right.items():
        count = run.data["test"] if trial == "clean" else measures.pictures
        if len(packed) != math.ceil(math.ceil(count / 8) / 3) * 4:
            raise ValueError(f"right, {trial} is of another length than the pictures")


def _accuracies(run: Any) -> Iterator[float]:
    measures = run.measures
    yield from (measures.clean, measures.train, measures.clean_of_these, measures.train_of_these)
    yield measures.shift_consistency
    yield from measures.frequencies.values()
    for values in measures.corruptions.values():
        yield from values
    for place in measures.occlusions:
        yield from place.test
        yield from place.train
    for epoch in run.history:
        yield epoch.train_accuracy
        if epoch.held_out_accuracy is not None:
            yield epoch.held_out_accuracy


def _check_not_negative(*groups: tuple[str, Iterable[float]]) -> None:
    for name, values in groups:
        if any(value < 0 for value in values):
            raise ValueError(f"{name} is below 0")


def upgraded(saved: dict[str, Any]) -> dict[str, Any]:
    """Upgrade a file of format 1 to format 2: what it does not state is what held then.

    Its blends learned by SGD at a multiple of the learning rate, its labels were not smoothed, and
    it looked at the test pictures while it trained, which is left out.

    Example:
        >>> settings = {"learning_rate": 0.2, "blend_rate": 10.0}
        >>> old = {"settings": settings, "history": [], "data": {"name": "CIFAR-10"}}
        >>> upgraded(old)["settings"]["blend_rate"]
        2.0
    """
    settings = dict(saved["settings"])
    settings["blend_rate"] = settings["blend_rate"] * settings["learning_rate"]
    history = [
        {name: value for name, value in epoch.items() if name != "test_accuracy"}
        | {"held_out_accuracy": None}
        for epoch in saved["history"]
    ]
    then = {"data": saved["data"]["name"], "blend_optimizer": "sgd", "smoothing": 0.0}
    return saved | {"settings": then | settings, "history": history}
