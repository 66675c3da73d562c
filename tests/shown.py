"""What the page must show: computed by the library alone, and read from what is sent."""

from __future__ import annotations

import json
import struct
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem

POOLED = ("max", "average", "hybrid", "attention")


@cache
def expected(chosen: Settings) -> Trace:
    """A gallery picture through everything, computed by the library alone."""
    # A test card is drawn at the size it is used, so that its one-pixel details stay that.
    image = fit_image(gallery_image(chosen.picture, card_side=chosen.image_size), chosen.image_size)
    stem = load_stem(chosen.stem, seed=chosen.seed, channels=chosen.channels)
    return run_poolings(run_stem(image, stem, torch.device("cpu")), chosen)


def decode_message(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Reads what is sent to the inspector: length, JSON header, arrays at their places."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    shapes = {
        "input": header["input_shape"],
        "fine": header["input_shape"],
        "max": header["pooled_shape"],
        "average": header["pooled_shape"],
        "palette": [256, 3],
        "image": [*header["image_shape"], 3],
    }
    arrays = {}
    for name, place in header["arrays"].items():
        start = 4 + length + place["offset"]
        assert start % 4 == 0, "typed arrays in the browser want aligned places"
        raw = message[start : start + place["bytes"]]
        arrays[name] = np.frombuffer(raw, place["dtype"]).reshape(shapes[name])
    return header, arrays


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
