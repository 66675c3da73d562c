"""Colour profiles made by hand, and what a colour in them is in sRGB by plain arithmetic."""

import itertools
import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Red, green and blue in XYZ, adapted to D50, and the exponent; None is the curve of sRGB.
SPACES = {
    "sRGB": (
        (0.43607, 0.22249, 0.01392),
        (0.38515, 0.71687, 0.09708),
        (0.14307, 0.06061, 0.71410),
        None,
    ),
    "Adobe RGB": (
        (0.60974, 0.31111, 0.01947),
        (0.20528, 0.62567, 0.06087),
        (0.14919, 0.06322, 0.74457),
        2.19921875,
    ),
    "Display P3": (
        (0.51512, 0.24120, -0.00105),
        (0.29198, 0.69225, 0.04189),
        (0.15710, 0.06657, 0.78407),
        None,
    ),
    "Generic RGB": (
        (0.45427, 0.24263, 0.01482),
        (0.35332, 0.67441, 0.09042),
        (0.15662, 0.08336, 0.71953),
        1.8,
    ),
}


def _fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(space, connection, kind, tags):
    """An ICC profile of version 2 with these tags."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50),
        **tags,
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, kind, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(24) + struct.pack(">I", 1)
    head += _fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _curve(exponent):
    if exponent is not None:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256)) + bytes(2)
    levels = decoded(np.linspace(0, 1, 1024), None)
    numbers = (levels * 65535).round().astype(">u2").tobytes()
    return b"curv" + bytes(4) + struct.pack(">I", 1024) + numbers


def decoded(values, exponent):
    """Light, linear, of numbers from 0 to 1."""
    if exponent is not None:
        return values**exponent
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def rgb_profile(name):
    """The profile of a space of `SPACES`."""
    *primaries, exponent = SPACES[name]
    tags = {}
    for letter, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[letter + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(*primary)
        tags[letter + b"TRC"] = _curve(exponent)
    return _profile(b"RGB ", b"XYZ ", b"mntr", tags)


def grey_profile(exponent):
    """A profile of grey with an exponent."""
    return _profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": _curve(exponent)})


def from_xyz(xyz):
    """Colours from 0 to 255 in sRGB."""
    linear = np.clip(xyz @ np.linalg.inv(np.array(SPACES["sRGB"][:3])), 0, 1)
    return 255 * np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def shown(colours, name):
    """Colours from 0 to 255 of a space of `SPACES`, in sRGB."""
    *primaries, exponent = SPACES[name]
    return from_xyz(decoded(np.asarray(colours) / 255, exponent) @ np.array(primaries))


def ink(colours):
    """A simple press, in CIELAB: each ink takes its part of the light, and black is not black."""
    cyan, magenta, yellow, black = np.moveaxis(np.asarray(colours) / 255, -1, 0)
    lightness = 95 * (1 - 0.45 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow)
    lightness = 12 + (lightness - 12) * (1 - black)
    left = 1 - black
    red = (-35 * cyan + 70 * magenta - 5 * yellow) * left
    blue = (-45 * cyan - 5 * magenta + 85 * yellow) * left
    return np.stack([lightness, red, blue], axis=-1)


def cmyk_profile(grid=9):
    """The profile of that press, as a table of grid ** 4 colours."""
    steps = np.linspace(0, 255, grid)
    lab = ink(np.array(list(itertools.product(steps, repeat=4))))
    numbers = np.stack([lab[:, 0] * 2.55, lab[:, 1] + 128, lab[:, 2] + 128], axis=1)
    straight = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, grid, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += straight * 4 + numbers.round().clip(0, 255).astype(np.uint8).tobytes() + straight * 3
    return _profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": table})


def printed(colours):
    """Inks from 0 to 255 on that press, in sRGB."""
    lightness, red, blue = np.moveaxis(ink(colours), -1, 0)
    middle = (lightness + 16) / 116
    roots = np.stack([middle + red / 500, middle, middle - blue / 200], axis=-1)
    light = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
    return from_xyz(light * np.array(D50))
