"""What a shift did to each pooling, said in words that are composed from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridpool.ui.noise_findings import joined, percent
from hybridpool.ui.words import _


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
    return _("The picture moved {ways}: {cells} cells of the pooled map.").format(
        ways=joined(said), cells=joined(counted)
    )


def nearest_and_farthest(distances: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Which pooling's maps differ least from the shifted ones, and which most.

    Args:
        distances: Distance of the aligned maps of each pooling.
        names: What each pooling is called.
    """
    shown = {name: percent(value) for name, value in distances.items()}
    if all(value == 0 for value in distances.values()):
        return _("Every pooling moved its map exactly with the picture.")
    if len(set(shown.values())) == 1:
        return _("Before and after differ by the same {share} in every pooling.").format(
            share=next(iter(shown.values()))
        )
    ends = []
    for end in (min, max):
        share = shown[end(distances, key=lambda name: distances[name])]
        alike = joined([names[name] for name, text in shown.items() if text == share])
        ends.append((alike, share))
    (least, low), (most, high) = ends
    return _(
        "Before and after differ least in **{least}**, by {low}, and most in **{most}**, by {high}."
    ).format(least=least, low=low, most=most, high=high)


def hybrid_between(distances: Mapping[str, float]) -> str:
    """Where hybrid pooling lies among its two parts."""
    ends = sorted((distances["max"], distances["average"]))
    low, high, hybrid = (percent(value) for value in (*ends, distances["hybrid"]))
    if hybrid in (low, high):
        words = _("**Hybrid** differs as much as one of its two parts, by {hybrid}.")
    elif distances["hybrid"] < ends[0]:
        words = _("**Hybrid** differs less than both max and average, by {hybrid}.")
    elif distances["hybrid"] > ends[1]:
        words = _("**Hybrid** differs more than both max and average, by {hybrid}.")
    else:
        words = _("**Hybrid** lies between max and average, with {hybrid}.")
    return words.format(hybrid=hybrid)


def over_all(
    shifts: Sequence[int], curves: Mapping[str, Sequence[float]], names: Mapping[str, str]
) -> str:
    """Which pooling differs least over all shifts but none, and how often it is the one.

    Args:
        shifts: The shifts in pixels.
        curves: For each pooling the distance at each of them.
        names: What each pooling is called.
    """
    places = [i for i, pixels in enumerate(shifts) if pixels]
    means = {name: sum(values[i] for i in places) / len(places) for name, values in curves.items()}
    if not any(means.values()):
        return _("No shift changes any pooling.")
    least, most = (end(means, key=lambda name: means[name]) for end in (min, max))
    if percent(means[least]) == percent(means[most]):
        return _(
            "Over all {count} shifts every pooling differs by the same {share} on average."
        ).format(count=len(places), share=percent(means[least]))
    wins = sum(curves[least][i] == min(values[i] for values in curves.values()) for i in places)
    return _(
        "Over all {count} shifts **{least}** differs least, by {low} on average, and **{most}** "
        "most, by {high}. At {wins} of the {count} shifts no pooling differs less than **{least}**."
    ).format(
        count=len(places),
        least=names[least],
        low=percent(means[least]),
        most=names[most],
        high=percent(means[most]),
        wins=wins,
    )


def whole_steps(
    shifts: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    names: Mapping[str, str],
    step: int,
) -> str:
    """What is left at shifts by whole cells of the pooled map; nothing if the curve has none."""
    places = [i for i, pixels in enumerate(shifts) if pixels and pixels % step == 0]
    if not places:
        return ""
    worst = {name: max(values[i] for i in places) for name, values in curves.items()}
    still = [names[name] for name, value in worst.items() if percent(value) == percent(0)]
    moving = {name: value for name, value in worst.items() if percent(value) != percent(0)}
    if not moving:
        return _(
            "At shifts by whole cells of the pooled map, every {step} px, all poolings move with "
            "the picture: they differ by less than 0.05 %."
        ).format(step=step)
    name = max(moving, key=lambda each: moving[each])
    if not still:
        words = _(
            "Even at shifts by whole cells of the pooled map, every {step} px, all poolings "
            "differ, **{name}** by up to {share}."
        )
    else:
        words = _(
            "At shifts by whole cells of the pooled map, every {step} px, {still} differ by less "
            "than 0.05 %, **{name}** by up to {share}."
        )
    return words.format(
        step=step,
        still=joined(still) if still else "",
        name=names[name],
        share=percent(worst[name]),
    )
