"""Numbers as bytes for the browser; ``assets/common/maths.js`` unpacks them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FULL = 65535
#: For each channel "low" and "high".
Ranges = dict[str, list[float]]


def pack_message(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """[u32 length][JSON padded to 4][arrays, each padded to 4], places and sizes in the header."""
    places, body, offset = {}, [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        places[name] = {"dtype": str(array.dtype), "offset": offset, "bytes": len(raw)}
        body.append(raw + b"\0" * (-len(raw) % 4))
        offset += len(body[-1])
    text = json.dumps({**header, "arrays": places}).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(body)


def ranges_of(maps: Iterable[Tensor]) -> Ranges:
    """The lowest and highest value of each channel of some maps (C, h, w) together."""
    flat = [values.flatten(1) for values in maps]
    low = torch.stack([values.amin(1) for values in flat]).amin(0)
    high = torch.stack([values.amax(1) for values in flat]).amax(0)
    return {"low": low.tolist(), "high": high.tolist()}


def quantised(
    maps: Mapping[str, Tensor], ranges: Ranges | None = None
) -> tuple[dict[str, NDArray[Any]], Ranges]:
    """Maps (C, h, w) as 16 bit with one range a channel, by default theirs, and these ranges.

    All maps of a channel share its range, so that a maximum stays one of its window's values.
    """
    ranges = ranges or ranges_of(maps.values())
    low, high = (torch.tensor(ranges[end]).view(-1, 1, 1) for end in ("low", "high"))
    span = (high - low).clamp_min(torch.finfo(torch.float32).tiny)
    arrays: dict[str, NDArray[Any]] = {}
    for name, values in maps.items():
        # The average of equal cells may round to just outside of their range.
        scaled = ((values - low) / span * FULL).round().nan_to_num().clamp(0, FULL)
        arrays[name] = scaled.to(torch.int32).numpy().astype(np.uint16)
    return arrays, ranges


def rest(values: Tensor, whole: NDArray[Any], ranges: Ranges) -> NDArray[np.uint8]:
    """What `quantised` rounded away from a map, in 255ths of its step, half a step being 127.5.

    Numbers that are printed need it: the third decimal of a value between two steps can be wrong.
    """
    low, high = (torch.tensor(ranges[end]).double().view(-1, 1, 1) for end in ("low", "high"))
    span = (high - low).clamp_min(torch.finfo(torch.float32).tiny)
    missing = (values.double() - low) / span * FULL - torch.from_numpy(whole.astype(np.float64))
    found: NDArray[np.uint8] = ((missing + 0.5) * 255).round().clamp(0, 255).nan_to_num().numpy()
    return found.astype(np.uint8)


def pixels(image: Tensor) -> NDArray[np.uint8]:
    """A picture (3, H, W) in [0, 1] as red, green and blue bytes."""
    found: NDArray[np.uint8] = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return found
