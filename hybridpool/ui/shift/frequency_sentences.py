"""Sentences about what poolings do to frequencies and gradients, composed from numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hybridpool.ui.phrases import bold, ends_of, paragraph, percent, place_of, tied
from hybridpool.ui.words import _


def high_share(shares: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> str:
    """Which pooling has the most and the least high frequencies, beside a map without aliasing.

    Args:
        shares: For each pooling and ``"ideal"`` the shares of low, middle and high frequencies,
            and of those beyond the Nyquist frequency of the pooled map.
        names: What they are called.
    """
    if any(math.isnan(value) for values in shares.values() for value in values):
        return _("A map has the same value everywhere, so it has no frequencies to share out.")
    high = {name: values[2] for name, values in shares.items()}
    ideal = high.pop("ideal")
    ends = ends_of(high)
    if ends is None:
        first = _("High frequencies hold the same {share} of the energy in every pooled map.")
        said = first.format(share=percent(min(high.values())))
    else:
        said = _(
            "High frequencies hold the largest share of the energy in **{most}**, {high}, and the "
            "smallest in **{least}**, {low}."
        ).format(
            most=bold(ends.most, names),
            high=ends.high,
            least=bold(ends.least, names),
            low=ends.low,
        )
    above = [name for name, value in high.items() if value > ideal and not tied(value, ideal)]
    if above:
        rest = _(
            "The feature map reduced without aliasing has {ideal}; only these have more: {list}."
        )
    else:
        rest = _("The feature map reduced without aliasing has {ideal}; no pooled map has more.")
    listed = bold(above, names) if above else ""
    return paragraph([said, rest.format(ideal=percent(ideal), list=listed)])


def both_ends(shares: Mapping[str, Sequence[float]], weight: float | None) -> str:
    """Whether hybrid pooling keeps both: the low frequencies of one part and the high of the other.

    Args:
        shares: For max, average and hybrid the shares of low, middle and high frequencies.
        weight: The blend weight, None if channels have their own.
    """
    parts = {name: shares[name] for name in ("max", "average", "hybrid")}
    if any(math.isnan(value) for values in parts.values() for value in values):
        return ""
    places = [
        place_of(*(parts[name][band] for name in ("hybrid", "max", "average"))) for band in (0, 2)
    ]
    words = {
        "between": _("between max and average"),
        "below": _("below both max and average"),
        "above": _("above both max and average"),
        "one": _("level with one of them"),
        "both": _("level with both"),
    }
    if weight is None:
        start = _(
            "**Hybrid**: its share of low frequencies is {low}; its share of high ones is {high}."
        )
    else:
        start = _(
            "**Hybrid** at blend weight {weight:.2f}: its share of low frequencies is {low}; its "
            "share of high ones is {high}."
        )
    return start.format(weight=weight, low=words[places[0]], high=words[places[1]])


def aliasing(shares: Mapping[str, float], names: Mapping[str, str], stride: int) -> str:
    """Which pooling has most aliasing, and which least."""
    if stride == 1:
        return _("The window steps by one cell, so nothing is left out and nothing can alias.")
    known = {name: value for name, value in shares.items() if not math.isnan(value)}
    if not known:
        return ""
    ends = ends_of(known)
    if ends is None:
        return _(
            "Aliasing: in every pooling {share} of the energy is too fine for the stride."
        ).format(share=percent(min(known.values())))
    return _(
        "Aliasing is strongest in **{most}**: {high} of the energy is too fine for the stride and "
        "comes back as waves that were not there. It is weakest in **{least}**, with {low}."
    ).format(
        most=bold(ends.most, names), high=ends.high, least=bold(ends.least, names), low=ends.low
    )


def spectra_end(stride: int) -> str:
    """Where the spectra of the pooled maps end, and why they pass the line."""
    if stride == 1:
        return ""
    return _(
        "A pooled map has a cell for every {stride} of the feature map, so along rows and columns "
        "it carries waves up to the dotted line, its Nyquist frequency. Along diagonals its cells "
        "carry waves up to 1.41 times as fine, and there its spectrum ends."
    ).format(stride=stride)


def spread(
    reached: Mapping[str, tuple[int, int]],
    total: int,
    names: Mapping[str, str],
    *,
    pixels: bool = False,
    cancels: bool = False,
) -> str:
    """How widely each pooling spreads its gradient.

    Args:
        reached: For each pooling how many cells its gradient reaches, and on how few half of it
            falls.
        total: How many cells there are.
        names: What each pooling is called.
        pixels: Whether they are pixels of the picture.
        cancels: Whether red, green and blue add up to nothing at every pixel.
    """
    if cancels:
        return _(
            "The gradients of red, green and blue cancel at every pixel: a pixel made brighter in "
            "all three changes nothing here."
        )
    if not any(count for count, _half in reached.values()):
        return _("No gradient arrives: the filter of this channel is silent there.")
    none = _("**{name}** reaches nothing.")
    if pixels:
        one = _("**{name}** reaches 1 of {total} pixels.")
        some = _(
            "**{name}** reaches {count} of {total} pixels; half of its gradient falls on {half}."
        )
    else:
        one = _("**{name}** reaches 1 of {total} cells.")
        some = _(
            "**{name}** reaches {count} of {total} cells; half of its gradient falls on {half}."
        )
    said = []
    for name, (count, half) in reached.items():
        words = none if count == 0 else one if count == 1 else some
        said.append(words.format(name=names[name], count=count, total=total, half=half))
    return paragraph(said)
