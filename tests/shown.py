"""What the page must show: computed by the library alone, and read from what is sent."""

from __future__ import annotations

import json
import struct
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.viz.palette import sequential

POOLED = ("max", "average", "hybrid", "attention")


@cache
def expected(chosen: Settings) -> Trace:
    """A gallery picture through everything, computed by the library alone."""
    # A test card is drawn at the size it is used, so that its one-pixel details stay that.
    image = fit_image(gallery_image(chosen.picture, card_side=chosen.image_size), chosen.image_size)
    stem = load_stem(chosen.stem, seed=chosen.seed, channels=chosen.channels)
    return run_poolings(run_stem(image, stem, torch.device("cpu")), chosen)


def parts_of(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A message to the browser: its length, JSON header, and flat arrays at their places."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    arrays = {}
    for name, place in header["arrays"].items():
        start = 4 + length + place["offset"]
        assert start % 4 == 0, "typed arrays in the browser want aligned places"
        arrays[name] = np.frombuffer(message[start : start + place["bytes"]], place["dtype"])
    return header, arrays


def decode_message(
    message: bytes, held: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What is sent to the inspector: its header, and arrays in their shapes.

    `held` is the header of what the browser holds, for a message that is part of the whole.
    """
    own, arrays = parts_of(message)
    header = (held or {}) | own
    shapes = {
        "input": header["input_shape"],
        "fine": header["input_shape"],
        "max": header["pooled_shape"],
        "average": header["pooled_shape"],
        "max_fine": header["pooled_shape"],
        "average_fine": header["pooled_shape"],
        "palette": [256, 3],
        "diverging": [256, 3],
        "image": [*header["image_shape"], 3],
    }
    return header, {name: flat.reshape(shapes.get(name, -1)) for name, flat in arrays.items()}


# ---- numbers from paint and print --------------------------------------------------------------


def steps(
    pixels: NDArray[np.uint8], table: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last place in a table of each painted pixel; neighbours may look the same."""
    colours = [tuple(colour) for colour in table.tolist()]
    last = {colour: step for step, colour in enumerate(colours)}
    first = {colour: step for step, colour in reversed(list(enumerate(colours)))}
    painted = [tuple(colour) for colour in pixels.reshape(-1, 3).tolist()]
    return (
        np.array([first[colour] for colour in painted]).reshape(pixels.shape[:2]),
        np.array([last[colour] for colour in painted]).reshape(pixels.shape[:2]),
    )


def number(text: str) -> float:
    """A number as the page prints it, with its minus sign, parentheses or per cent."""
    return float(text.strip("()%+ \n").replace("\u2212", "-"))


def channel_range(found: Trace, channel: int | None) -> tuple[float, float]:
    """The range that colours span: of one channel, or of all of them."""
    maps = [found.feature_map, found.pooled["max"], found.pooled["average"]]
    part = maps if channel is None else [values[channel] for values in maps]
    return (
        min(values.min().item() for values in part),
        max(values.max().item() for values in part),
    )


def assert_painted(pixels: NDArray[np.uint8], values: Tensor, low: float, high: float) -> None:
    """Each cell has the colour nearest to its value, but for the 16 bits it travelled in."""
    wanted = (values.double().numpy() - low) / ((high - low) or 1.0) * 255
    assert pixels.shape[:2] == wanted.shape
    first, last = steps(pixels, sequential())
    assert np.maximum(first - wanted, wanted - last).max() <= 0.5 + 2 * 255 / 65535


def find_map(picture: NDArray[np.uint8], pixels: NDArray[np.uint8], scale: float) -> bool:
    """Whether a map, enlarged without smoothing, lies somewhere in a picture."""
    rows, columns = pixels.shape[:2]
    height, width = (
        picture.shape[0] - round(rows * scale),
        picture.shape[1] - round(columns * scale),
    )
    places = np.ones((height + 1, width + 1), bool)
    packed = picture.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    cells = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    # Cells near the frame are drawn over: a place counts where nine in ten others agree.
    agree = np.zeros(places.shape, np.int32)
    for row in range(0, rows, 2):
        for column in range(0, columns, 2):
            y, x = int((row + 0.5) * scale), int((column + 0.5) * scale)
            agree += packed[y : y + height + 1, x : x + width + 1] == cells[row, column]
    total = len(range(0, rows, 2)) * len(range(0, columns, 2))
    return bool(agree.max() >= 0.9 * total)
