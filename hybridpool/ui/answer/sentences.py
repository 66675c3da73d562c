"""What the networks' answers say, in words that are composed from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridpool.answer import Answer, Change
from hybridpool.ui.names import fill_names, noise_names, shape_names
from hybridpool.ui.phrases import bold, joined, paragraph, percent
from hybridpool.ui.words import _


def steadiness(found: Mapping[str, Sequence[Answer]], names: Mapping[str, str]) -> str:
    """In how many networks of each pooling the answer is still the same; ties together.

    Args:
        found: For each pooling what its networks say.
        names: What each pooling is called.
    """
    counts = {arm: (sum(one.same for one in ones), len(ones)) for arm, ones in found.items()}
    total = sum(count for _same, count in counts.values())
    same = sum(count for count, _total in counts.values())
    if same == total:
        if total == 1:
            return _("The only network still gives its answer.")
        return _("All {total} networks still give the same answer as before.").format(total=total)
    if not same:
        if total == 1:
            return _("The only network gives another answer now.")
        return _("All {total} networks give another answer now.").format(total=total)
    groups: dict[tuple[int, int], list[str]] = {}
    for arm, count in counts.items():
        groups.setdefault(count, []).append(arm)
    ordered = sorted(groups.items(), key=lambda item: -item[0][0] / item[0][1])
    return _("Still the same answer: {list}.").format(
        list=joined(
            [
                _("**{names}** in {same} of {total} networks").format(
                    names=bold(arms, names), same=count, total=of
                )
                if of > 1
                else (_("**{names}**") if count else _("not **{names}**")).format(
                    names=bold(arms, names)
                )
                for (count, of), arms in ordered
            ]
        )
    )


def rightness(
    found: Mapping[str, Sequence[Answer]], known: int | None, picture: str, label: str
) -> str:
    """How many networks are right, before and after; "" where the class is not known.

    Args:
        found: For each pooling what its networks say; all tell the same classes apart.
        known: The class that the picture shows, or None.
        picture: What is said where it shows none of the classes, else "".
        label: The name of the class.
    """
    if known is None:
        return picture
    every = [one for ones in found.values() for one in ones]
    before, after = (sum(getattr(one, when) == known for one in every) for when in ("said", "says"))
    return _(
        "The picture shows: **{label}**. Right on the clean picture: {before} of {total} networks; "
        "right on the changed one: {after}."
    ).format(label=label, before=before, after=after, total=len(every))


def none_of_them(classes: Sequence[str], *, own: bool) -> str:
    """What to make of an answer about a picture whose class is not known, or is none of the ten."""
    known = _("The networks know ten classes ({list}) and see 32 × 32 pixels.").format(
        list=joined(classes)
    )
    if own:
        return paragraph([known, _("Of anything else they name one of the ten all the same.")])
    return (
        known
        + " "
        + _(
            "This picture shows none of them as such: what they name is what they take it for, and "
            "no answer is right."
        )
    )


def caution(counts: Mapping[str, int], names: Mapping[str, str]) -> str:
    """What one picture is worth, and which poolings have fewer networks than others.

    Args:
        counts: For each pooling how many networks it has.
        names: What each pooling is called.
    """
    groups: dict[int, list[str]] = {}
    for arm, count in counts.items():
        groups.setdefault(count, []).append(arm)
    if len(groups) > 1:
        listed = [
            _("{count} of **{names}**").format(count=count, names=bold(groups[count], names))
            for count in sorted(groups, reverse=True)
        ]
        return _(
            "One picture and few networks ({list}): an example, and no evidence for a pooling. "
            "Poolings with unequal numbers of networks cannot be ranked by them."
        ).format(list=joined(listed))
    (count,) = groups
    if count == 1:
        return _(
            "One picture and one network a pooling: an example, and no evidence for a pooling."
        )
    return _(
        "One picture and {count} networks a pooling: an example, and no evidence for a pooling."
    ).format(count=count)


def flips(found: Mapping[str, Sequence[float]], names: Mapping[str, str], harmless: float) -> str:
    """Which pooling loses its answer last, as far as the levels tell; ties together.

    Args:
        found: For each pooling the levels nearest to the harmless one at which most networks and
            draws have lost it.
        names: What each pooling is called.
        harmless: The level from which the change grows.
    """
    far = {
        arm: min((abs(level - harmless), level) for level in levels)
        for arm, levels in found.items()
        if levels
    }
    never = [arm for arm in found if arm not in far]
    if not far:
        return _("At every level at least half of the networks and draws keep their answer.")
    groups: dict[float, list[str]] = {}
    for arm, (distance, _level) in far.items():
        groups.setdefault(distance, []).append(arm)
    parts = [
        _("**{names}** at {level}").format(
            names=bold(arms, names), level=joined(_levels([far[arm][1] for arm in arms]))
        )
        for _distance, arms in sorted(groups.items())
    ]
    if len(parts) == 1 and not never and len({level for _far, level in far.values()}) > 1:
        return _(
            "Most networks lose their answer equally far from the start with every pooling: {list}."
        ).format(list=parts[0])
    if len(parts) == 1 and not never:
        return _(
            "Most networks lose their answer at the same level with every pooling: {list}."
        ).format(list=parts[0])
    if never:
        parts.append(_("**{names}** at none").format(names=bold(never, names)))
    return _("Most networks have lost their answer with {list}.").format(list=joined(parts))


def _levels(levels: Sequence[float]) -> list[str]:
    return [f"{level:g}".replace("-", "\N{MINUS SIGN}") for level in sorted(set(levels))]


def blended(
    learned: Answer, other: Answer, weight: float, classes: Sequence[str], *, changed: bool
) -> str:
    """What a network that learned with max pooling says when that is blended.

    Args:
        learned: Its answer with max pooling.
        other: Its answer with the blend.
        weight: The blend weight.
        classes: The names of its classes.
        changed: Whether the picture was changed at all.
    """
    if weight == 1:
        return _("The dial stands at max pooling, so both are the same network.")
    pairs = [(_("the clean picture"), learned.clean, other.clean)]
    if changed:
        pairs.append((_("the changed one"), learned.changed, other.changed))
    said = []
    for picture, before, after in pairs:
        was, now = before.index(max(before)), after.index(max(after))
        kept = _("of {picture} it still says **{said}** ({before}, blended {after})")
        turned = _("of {picture} it says **{said}** ({before}), blended **{says}** ({after})")
        said.append(
            (kept if was == now else turned).format(
                picture=picture,
                said=classes[was],
                says=classes[now],
                before=percent(before[was]),
                after=percent(after[now]),
            )
        )
    return _(
        "With a blend weight of {weight} in the place of its max pooling, {list}. It was not "
        "trained so, and everything behind the pooling expects the values of max pooling."
    ).format(weight=f"{weight:.2f}", list=joined(said))


def saved_caption(change: Change, level: str) -> str:
    """One line for a saved picture; its blanks are filled with what the hand has chosen since.

    Args:
        change: What is done to it.
        level: What the level of the noise is called.
    """
    done = change.done
    if change.action == "noise":
        noise = _("Noise: {noise}, seed {seed}").format(
            noise=noise_names()[done.noise], seed=done.draw
        )
        return f"{{title}} · {noise} · {level}: {{level}}"
    if change.action == "shift":
        return "{title} · " + _("shifted by {down} down and {right} to the right")
    covered = _("{shape}, {fill}").format(
        shape=shape_names()[done.shape], fill=fill_names()[done.fill]
    )
    where = _("{height} × {width} pixels from row {row}, column {column} on")
    return f"{{title}} · {covered} · {where}"
