"""Sentences about what a shift did to each pooling, composed from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridpool.ui.phrases import (
    below_print,
    bold,
    ends_of,
    joined,
    nothing,
    percent,
    place_of,
    tied,
)
from hybridpool.ui.words import _, ngettext


def moved(rows: int, columns: int, cells: tuple[float, float]) -> str:
    """How far the picture moved, in pixels and in cells of the pooled map.

    Args:
        rows: Pixels down, up if negative.
        columns: Pixels to the right, to the left if negative.
        cells: The same in cells of the pooled map.
    """
    said = []
    if rows:
        way = _("{pixels} px down") if rows > 0 else _("{pixels} px up")
        said.append(way.format(pixels=abs(rows)))
    if columns:
        way = _("{pixels} px to the right") if columns > 0 else _("{pixels} px to the left")
        said.append(way.format(pixels=abs(columns)))
    if not said:
        return _("The picture did not move, so before and after are the same.")
    counted = [f"{abs(distance):g}" for distance in cells if distance]
    return ngettext(
        "The picture moved {ways}: {cells} cell of the pooled map.",
        "The picture moved {ways}: {cells} cells of the pooled map.",
        1 if counted == ["1"] else 2,
    ).format(ways=joined(said), cells=joined(counted))


def nearest_and_farthest(distances: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Which pooling's maps differ least from the shifted ones, and which most.

    Args:
        distances: Distance of the aligned maps of each pooling.
        names: What each pooling is called.
    """
    shares = distances.values()
    if nothing(shares):
        return _("Every pooling moved its map exactly with the picture.")
    if below_print(shares):
        return _("Before and after differ by less than 0.05 % in every pooling.")
    ends = ends_of(distances)
    if ends is None:
        return _("Before and after differ by the same {share} in every pooling.").format(
            share=percent(min(shares))
        )
    return _(
        "Before and after differ least in **{least}**, by {low}, and most in **{most}**, by {high}."
    ).format(
        least=bold(ends.least, names), low=ends.low, most=bold(ends.most, names), high=ends.high
    )


def hybrid_between(distances: Mapping[str, float]) -> str:
    """Where hybrid pooling lies among its two parts; nothing where nothing differs."""
    if below_print(distances.values()):
        return ""
    words = {
        "both": _("**Hybrid** differs as much as both of its parts, by {hybrid}."),
        "one": _("**Hybrid** differs as much as one of its two parts, by {hybrid}."),
        "below": _("**Hybrid** differs less than both max and average, by {hybrid}."),
        "above": _("**Hybrid** differs more than both max and average, by {hybrid}."),
        "between": _("**Hybrid** lies between max and average, with {hybrid}."),
    }[place_of(distances["hybrid"], distances["max"], distances["average"])]
    return words.format(hybrid=percent(distances["hybrid"]))


def over_all(
    shifts: Sequence[int], curves: Mapping[str, Sequence[float]], names: Mapping[str, str]
) -> str:
    """Which pooling differs least over all shifts other than 0, and how often.

    Args:
        shifts: The shifts in pixels.
        curves: For each pooling the distance at each of them.
        names: What each pooling is called.
    """
    places = [i for i, pixels in enumerate(shifts) if pixels]
    means = {name: sum(values[i] for i in places) / len(places) for name, values in curves.items()}
    if nothing(means.values()):
        return _("No shift changes any pooling.")
    if below_print(means.values()):
        return _("Over all {count} shifts every pooling differs by less than 0.05 %.").format(
            count=len(places)
        )
    ends = ends_of(means)
    if ends is None:
        return _(
            "Over all {count} shifts every pooling differs by the same {share} on average."
        ).format(count=len(places), share=percent(min(means.values())))
    others = [name for name in curves if name not in ends.least]
    wins = sum(
        all(
            curves[least][i] < curves[other][i] or tied(curves[least][i], curves[other][i])
            for least in ends.least
            for other in others
        )
        for i in places
    )
    said = ngettext(
        "Over all {count} shifts **{least}** differs least, by {low} on average, and **{most}** "
        "most, by {high}. At {wins} of the {count} shifts no pooling differs less than "
        "**{least}**.",
        "Over all {count} shifts **{least}** differ least, by {low} on average, and **{most}** "
        "most, by {high}. At {wins} of the {count} shifts no pooling differs less than "
        "**{least}**.",
        len(ends.least),
    )
    return said.format(
        count=len(places),
        least=bold(ends.least, names),
        low=ends.low,
        most=bold(ends.most, names),
        high=ends.high,
        wins=wins,
    )


def whole_steps(
    shifts: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    names: Mapping[str, str],
    step: int,
) -> str:
    """The difference at shifts by whole cells of the pooled map; "" if the curve has none."""
    places = [i for i, pixels in enumerate(shifts) if pixels and pixels % step == 0]
    if not places:
        return ""
    worst = {name: max(values[i] for i in places) for name, values in curves.items()}
    still = [names[name] for name, value in worst.items() if below_print([value])]
    moving = {name: value for name, value in worst.items() if not below_print([value])}
    if not moving:
        return _(
            "At shifts by whole cells of the pooled map, every {step} px, all poolings move with "
            "the picture: they differ by less than 0.05 %."
        ).format(step=step)
    largest = max(moving.values())
    farthest = bold([name for name in moving if tied(moving[name], largest)], names)
    if not still:
        words = _(
            "Even at shifts by whole cells of the pooled map, every {step} px, all poolings "
            "differ, **{name}** by up to {share}."
        )
    else:
        words = ngettext(
            "At shifts by whole cells of the pooled map, every {step} px, {still} differs by less "
            "than 0.05 %, **{name}** by up to {share}.",
            "At shifts by whole cells of the pooled map, every {step} px, {still} differ by less "
            "than 0.05 %, **{name}** by up to {share}.",
            len(still),
        )
    return words.format(
        step=step,
        still=joined(still) if still else "",
        name=farthest,
        share=percent(largest),
    )
