"""The words of the page "Cost": names of what is measured, and of what is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hybridpool.cost import CostSettings, Machine, Turns
from hybridpool.ui.names import more_names, pooling_names
from hybridpool.ui.phrases import significant
from hybridpool.ui.words import _, ngettext

_UNITS = ("kB", "MB", "GB")


def names() -> dict[str, str]:
    """What is measured, one for each key of `CONTESTANTS`."""
    plain, more = pooling_names(), more_names()
    return {
        "copy": _("Plain copy"),
        "max": plain["max"],
        "average": plain["average"],
        "article": _("Article's formula"),
        "hybrid": plain["hybrid"],
        "hybrid_channel": _("Hybrid per channel"),
        "attention": plain["attention"],
        "blur": more["blur"],
    }


def full_name(name: str, compiled: bool) -> str:
    """A pooling, eager or compiled."""
    plain = names()[name]
    return _("{name}, compiled").format(name=plain) if compiled else plain


def layout_names() -> dict[str, str]:
    """The memory formats; these are the names that PyTorch uses."""
    return {"channels_last": "channels_last", "contiguous": "NCHW"}


def pass_names() -> dict[bool, str]:
    """What is measured: a training step, or inference."""
    return {True: _("Training"), False: _("Inference")}


def network_names() -> dict[str, str]:
    """The networks that are measured."""
    return {"resnet18": "ResNet-18", "separable": _("Small separable network")}


def map_words(settings: CostSettings) -> str:
    """The map and the window in one line."""
    return _(
        "{batch} × {channels} × {height} × {width}, window {kernel} × {kernel}, stride {stride}, "
        "padding {padding}, {layout}, {type}"
    ).format(
        batch=settings.batch,
        channels=settings.channels,
        height=settings.height,
        width=settings.width,
        kernel=settings.kernel_size,
        stride=settings.stride,
        padding=settings.padding,
        layout=layout_names()[settings.memory_format],
        type=settings.dtype,
    )


def machine_words(machine: Machine, turns: int) -> str:
    """Where and how it was measured."""
    return ngettext(
        "Measured here: {processor}, threads: {threads}, PyTorch {torch}, {turns} round.",
        "Measured here: {processor}, threads: {threads}, PyTorch {torch}, median of {turns} "
        "rounds.",
        turns,
    ).format(processor=machine.processor, threads=machine.threads, torch=machine.torch, turns=turns)


def chart_words() -> Mapping[str, str]:
    """Every word of the charts."""
    return {
        "forward": _("Forward"),
        "backward": _("Backward"),
        "compiled": _("Compiled"),
        "relative": _("Time as a multiple of max alone"),
        "max": _("Max alone"),
        "copy": _("Plain copy"),
        "share": _("Share of a step that its pooling layers take"),
    }


def hover(label: str, seconds: float, of_max: Turns, of_copy: Turns) -> str:
    """The text about one bar, line by line."""
    low, high = (significant(quartile) for quartile in of_max.quartiles)
    one, several = _("{ratio} × max alone"), _("{ratio} × max alone, quartiles {low} to {high}")
    lines = [
        f"{label}: {millis(seconds)} ms",
        (one if len(of_max.values) < 2 else several).format(
            ratio=significant(of_max.median), low=low, high=high
        ),
        _("{ratio} × plain copy").format(ratio=significant(of_copy.median)),
    ]
    return "<br>".join(lines)


def millis(seconds: float) -> str:
    """Milliseconds, three significant digits.

    Example:
        >>> millis(0.0123456), millis(0.00000123)
        ('12.3', '0.00123')
    """
    return significant(1000 * seconds)


def data_size(count: int) -> str:
    """Bytes in the unit in which they are easy to read, three significant digits.

    Example:
        >>> data_size(2_097_160), data_size(1536), data_size(72)
        ('2.10 MB', '1.54 kB', '72 B')
    """
    if count < 1000:
        return f"{count} B"
    power = min(int(math.log10(count)) // 3, len(_UNITS))
    return f"{significant(count / 1000**power)} {_UNITS[power - 1]}"


def whole(count: int) -> str:
    """A count with its digits in groups of three.

    Example:
        >>> whole(1234567).split()
        ['1', '234', '567']
    """
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
