"""What poolings do to frequencies and gradients, said in words that are composed from numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hybridpool.ui.noise_findings import joined, percent
from hybridpool.ui.words import _


def high_share(shares: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> str:
    """Which pooling has the most and the least high frequencies, beside a map without aliasing.

    Args:
        shares: For each pooling and ``"ideal"`` the shares of low, middle and high frequencies.
        names: What they are called.
    """
    if any(math.isnan(value) for values in shares.values() for value in values):
        return _("A map has the same value everywhere, so it has no frequencies to share out.")
    high = {name: values[2] for name, values in shares.items()}
    ideal = high.pop("ideal")
    low_end, high_end = (end(high, key=lambda name: high[name]) for end in (min, max))
    if percent(high[low_end]) == percent(high[high_end]):
        first = _("High frequencies hold the same {share} of the energy in every pooled map.")
        said = first.format(share=percent(high[low_end]))
    else:
        said = _(
            "High frequencies hold the largest share of the energy in **{most}**, {high}, and the "
            "smallest in **{least}**, {low}."
        ).format(
            most=names[high_end],
            high=percent(high[high_end]),
            least=names[low_end],
            low=percent(high[low_end]),
        )
    above = [names[name] for name, value in high.items() if value > ideal]
    if above:
        rest = _(
            "The feature map reduced without aliasing has {ideal}; only these have more: {list}."
        )
    else:
        rest = _("The feature map reduced without aliasing has {ideal}; no pooled map has more.")
    return f"{said} {rest.format(ideal=percent(ideal), list=joined(above) if above else '')}"


def both_ends(shares: Mapping[str, Sequence[float]], weight: float | None) -> str:
    """Whether hybrid pooling keeps both: the low frequencies of one part and the high of the other.

    Args:
        shares: For max, average and hybrid the shares of low, middle and high frequencies.
        weight: The blend weight, None if channels have their own.
    """
    parts = {name: shares[name] for name in ("max", "average", "hybrid")}
    if any(math.isnan(value) for values in parts.values() for value in values):
        return ""
    places = [_place([parts[name][band] for name in parts]) for band in (0, 2)]
    words = {
        "between": _("between max and average"),
        "below": _("below both max and average"),
        "above": _("above both max and average"),
        "on": _("level with one of them"),
    }
    if weight is None:
        start = _("**Hybrid** lies, in its share of low frequencies, {low}; of high ones, {high}.")
    else:
        start = _(
            "**Hybrid**, at blend weight {weight:.2f}, lies, in its share of low frequencies, "
            "{low}; of high ones, {high}."
        )
    return start.format(weight=weight, low=words[places[0]], high=words[places[1]])


def aliasing(shares: Mapping[str, float], names: Mapping[str, str], stride: int) -> str:
    """Which pooling lets most appear that was not there, and which least."""
    if stride == 1:
        return _("The window steps by one cell, so nothing is left out and nothing can alias.")
    known = {name: value for name, value in shares.items() if not math.isnan(value)}
    if not known:
        return ""
    least, most = (end(known, key=lambda name: known[name]) for end in (min, max))
    if percent(known[least]) == percent(known[most]):
        return _(
            "Aliasing: in every pooling {share} of the energy is too fine for the stride."
        ).format(share=percent(known[least]))
    return _(
        "Aliasing is strongest in **{most}**: {high} of its energy is too fine for the stride and "
        "comes back as waves that were not there. It is weakest in **{least}**, with {low}."
    ).format(
        most=names[most], high=percent(known[most]), least=names[least], low=percent(known[least])
    )


def routes(
    reached: Mapping[str, tuple[int, int]],
    total: int,
    names: Mapping[str, str],
    *,
    pixels: bool = False,
) -> str:
    """How widely each pooling spreads its gradient.

    Args:
        reached: For each pooling how many cells its gradient reaches, and on how few half of it
            falls.
        total: How many cells there are.
        names: What each pooling is called.
        pixels: Whether they are pixels of the picture.
    """
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
    return " ".join(said)


def _place(values: list[float]) -> str:
    maximum, average, hybrid = values
    low, high = sorted((maximum, average))
    if percent(hybrid) in (percent(low), percent(high)):
        return "on"
    return "below" if hybrid < low else "above" if hybrid > high else "between"
