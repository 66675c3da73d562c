"""Sentences about the numbers of a race and of the gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridpool.race.chance import Versus, compare_gaps, compare_right, overfits
from hybridpool.race.gaps import ARMS as COMPARED
from hybridpool.race.gaps import Gaps
from hybridpool.race.race import FIXED, STARTS, Race
from hybridpool.ui.learning.words import arm_names
from hybridpool.ui.phrases import joined, paragraph, percent
from hybridpool.ui.words import _

#: A start that has moved by less is said to have stayed, where the slope is less than `_FLAT`.
_STAYED = 0.1
_FLAT = 0.05
_STEEPEST = 0.25


def starts(race: Race) -> dict[str, float]:
    """Where the blend weights that learn began, for each arm with one for all channels."""
    first = race.moments[0].blend_weight[:, 0].tolist()
    return {arm: first[index] for index, arm in enumerate(race.settings.arms) if arm in STARTS}


def race(run: Race, seconds: float) -> str:
    """Everything that can be said of a race so far, as Markdown."""
    last = run.moments[-1]
    arms = run.settings.arms
    began, ended = starts(run), dict(zip(arms, last.blend_weight[:, 0].tolist(), strict=True))
    said = [
        moved(began, ended, last.step),
        stuck(began, ended),
        decayed(run, began, ended),
        accuracies(run),
        spread(run),
    ]
    settings = run.settings
    said.append(
        _(
            "{steps} steps on {pictures} generated pictures, seed {seed}; all nine networks at "
            "once on the CPU in {seconds:.1f} s."
        ).format(steps=last.step, pictures=settings.pictures, seed=settings.seed, seconds=seconds)
    )
    return "\n".join(f"- {sentence}" for sentence in said if sentence)


def moved(began: Mapping[str, float], ended: Mapping[str, float], step: int) -> str:
    """Where each start is now."""
    parts = [
        _("started at {start:.2f}, now {end:.2f}").format(start=start, end=ended[arm])
        for arm, start in began.items()
    ]
    return _("**Blend weights after {step} steps:** {list}.").format(
        step=step, list=_("; ").join(parts)
    )


def stuck(began: Mapping[str, float], ended: Mapping[str, float]) -> str:
    """Why a start near an end has hardly moved, if there is one."""
    said = []
    for arm, start in began.items():
        way, slope = ended[arm] - start, start * (1 - start)
        if slope < _FLAT and abs(way) < _STAYED:
            said.append(
                _(
                    "The start at {start:.2f} has moved by {way:.2f}: the slope s(1 − s) is "
                    "{slope:.2f} there, 1/{times:.0f} of that at one half, and it multiplies every "
                    "gradient."
                ).format(start=start, way=abs(way), slope=slope, times=_STEEPEST / slope)
            )
    return paragraph(said)


def decayed(run: Race, began: Mapping[str, float], ended: Mapping[str, float]) -> str:
    """What weight decay did to the blend weights."""
    settings = run.settings
    if not settings.weight_decay:
        return ""
    places = [ended[arm] for arm in began]
    if settings.decay_logits:
        return _(
            "**Weight decay pulls the logits to 0**, and so every blend weight towards one half, "
            "whatever the task needs: wherever they started, they now lie between {low:.2f} and "
            "{high:.2f}. Choose to leave the blend weights alone and compare."
        ).format(low=min(places), high=max(places))
    return _(
        "Weight decay leaves the blend weights alone (`parameter_groups`): they now lie between "
        "{low:.2f} and {high:.2f}."
    ).format(low=min(places), high=max(places))


def accuracies(run: Race) -> str:
    """Learned against fixed poolings on the test set, and which differences may be chance."""
    arms = run.settings.arms
    right = dict(zip(arms, run.right(), strict=True))
    counts = {arm: int(row.sum()) for arm, row in right.items()}
    pictures = len(right["start_half"])
    names = arm_names(starts(run))
    most = max(counts[arm] for arm in FIXED)
    best = [arm for arm in FIXED if counts[arm] == most]
    first = _(
        "**Test accuracy:** the best fixed pooling is {best} with {accuracy}{others}; the blend "
        "weight that started at 0.50 reaches {own}."
    ).format(
        best=joined([names[arm] for arm in best]),
        accuracy=percent(most / pictures, least=1),
        others=_others({names[arm]: counts[arm] / pictures for arm in FIXED if arm not in best}),
        own=percent(counts["start_half"] / pictures, least=1),
    )
    compared = compare_right(right, "start_half", list(FIXED))
    said = [first, _against_fixed(compared, best, pictures)]
    train = run.right(train=True)[arms.index("start_half")]
    if overfits(train, right["start_half"]):
        share = percent(train.float().mean().item(), least=1)
        counted, own = len(train), run.settings.pictures
        if counted < own:
            overfit = _(
                "It overfits: its accuracy on the first {count} of its {pictures} training "
                "pictures is {train}."
            )
        else:
            overfit = _(
                "It overfits: its accuracy on its own {pictures} training pictures is {train}."
            )
        said.append(overfit.format(count=counted, pictures=own, train=share))
    return paragraph(said)


def _others(shares: Mapping[str, float]) -> str:
    if not shares:
        return ""
    listed = joined([f"{name} {percent(share, least=1)}" for name, share in shares.items()])
    return _(" ({list})").format(list=listed)


def _against_fixed(compared: Sequence[Versus], best: Sequence[str], pictures: int) -> str:
    """The learned blend weight against the best fixed pooling, in this one seed."""
    ahead = all(versus.arm == "start_half" and versus.certain for versus in compared)
    nearest = next(versus for versus in compared if best[0] in (versus.arm, versus.other))
    count = int(nearest.by)
    if ahead:
        said = _(
            "Of the {pictures} test pictures it gets {count} more right than any fixed pooling."
        )
    elif nearest.certain and nearest.arm == "start_half":
        said = _(
            "Of the {pictures} test pictures it gets {count} more right than the best fixed "
            "pooling."
        )
    elif nearest.certain:
        said = _(
            "Of the {pictures} test pictures it gets {count} fewer right than the best fixed "
            "pooling."
        )
    elif count == 0:
        said = _("Both are right about equally many of the {pictures} test pictures.")
    else:
        said = _("The two differ by {count} of the {pictures} test pictures, which may be chance.")
    seed = _("This is one seed; another seed draws other pictures and filters.")
    return paragraph([said.format(count=count, pictures=pictures), seed])


def spread(run: Race) -> str:
    """How far channels differ, and whether attention looks at the picture."""
    measured = [moment.attention for moment in run.moments if moment.attention is not None]
    weights = run.moments[-1].blend_weight[run.settings.arms.index("channels")]
    differs = (measured[-1].amax(0) - measured[-1].amin(0)).max().item()
    return _(
        "With one blend weight for each channel they lie between {low:.2f} and {high:.2f}. "
        "Attention differs between the classes by {differs:.2f} at most."
    ).format(low=weights.min().item(), high=weights.max().item(), differs=differs)


def gaps(measured: Gaps) -> str:
    """Where the gap is largest, and which arms have a larger one than others, over all seeds."""
    names = arm_names({"start_half": 0.5})
    mean, deviation = measured.gap.mean(-1), measured.gap.std(-1)
    row = int(mean.mean(1).argmax())
    here = mean[row].tolist()
    order = sorted(range(len(COMPARED)), key=here.__getitem__)
    numbers = ", ".join(
        f"{names[COMPARED[index]]} {percent(here[index], least=1)} ± "
        f"{percent(deviation[row, index].item(), least=1)}"
        for index in order
    )
    said = _(
        "With {pictures} training pictures the gap is largest: {list} (mean and standard deviation "
        "of {seeds} seeds)."
    ).format(pictures=measured.pictures[row], list=numbers, seeds=len(measured.seeds))
    certain = [versus for versus in compare_gaps(measured) if versus.certain]
    if not certain:
        return (
            said
            + " "
            + _(
                "Over all numbers of training pictures the seeds differ too much to tell the three "
                "gaps apart (Student's t test of each pair, with Holm's correction)."
            )
        )
    pairs = [
        _("{arm} has a larger gap than {other}, by {points} points").format(
            arm=names[versus.arm], other=names[versus.other], points=f"{100 * versus.by:.1f}"
        )
        for versus in certain
    ]
    return (
        said
        + " "
        + _(
            "Over all numbers of training pictures {list} (Student's t test of each pair, with "
            "Holm's correction)."
        ).format(list=joined(pairs))
    )
