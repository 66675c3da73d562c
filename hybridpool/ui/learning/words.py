"""The words of the page "Learning": tasks, arms, options, and what the charts say."""

from __future__ import annotations

from hybridpool.race.race import MEASURED
from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _


def task_names() -> dict[str, str]:
    """The tasks, one for each key of `TASKS`."""
    return {
        "spot": _("A faint spot"),
        "tone": _("Mean tone"),
        "both": _("Spot and tone"),
        "marks": _("A small mark"),
    }


def task_notes() -> dict[str, str]:
    """What each task asks, and why it was made so."""
    return {
        "spot": _(
            "Is there a faint bright spot anywhere, as in the search for a lesion? The spot covers "
            "9 of 576 pixels and hardly moves the mean, and the overall brightness differs from "
            "picture to picture. **Made so that the largest value is needed:** the mean alone "
            "cannot see the spot. Max is needed, but max alone need not be the best."
        ),
        "tone": _(
            "Is the picture a little darker or a little lighter, as with the density of a tissue? "
            "Twelve specks of any strength, dark or bright, hide the difference from the largest "
            "value. **Made so that the mean is needed.**"
        ),
        "both": _(
            "Four classes: darker or lighter, each without and with a spot. **Made so that both "
            "the largest value and the mean are needed.**"
        ),
        "marks": _(
            "Two textures of sixteen small plus signs; in the second, one of them is turned by "
            "45°, with as many bright pixels. **Made so that a small detail counts and the mean "
            "says nothing**, as in fine-grained recognition."
        ),
    }


def class_names() -> dict[str, str]:
    """The classes of all tasks."""
    return {
        "no_spot": _("no spot"),
        "spot": _("spot"),
        "darker": _("darker"),
        "lighter": _("lighter"),
        "darker_spot": _("darker, spot"),
        "lighter_spot": _("lighter, spot"),
        "plus": _("plus signs only"),
        "cross": _("one turned"),
    }


def arm_names(starts: dict[str, float]) -> dict[str, str]:
    """The arms of a race; `starts` are the blend weights at which those that learn begin."""
    return {
        **{arm: _("Start at {weight:.2f}").format(weight=weight) for arm, weight in starts.items()},
        "start_drawn": _("Drawn start {weight:.2f}").format(weight=starts.get("start_drawn", 0.5)),
        "channels": _("One for each channel"),
        "attention": pooling_names()["attention"],
        "max": _("Max, fixed"),
        "average": _("Average, fixed"),
        "fixed_half": _("Half, fixed"),
    }


def speed_names() -> dict[str, str]:
    """How fast the race is shown."""
    return {
        "slow": _("10 steps a second"),
        "normal": _("50 a second"),
        "fast": _("As fast as possible"),
    }


def optimizer_names() -> dict[str, str]:
    """The optimizers; their own names."""
    return {"sgd": "SGD", "adam": "Adam"}


def decay_names() -> dict[bool, str]:
    """What weight decay does to the blend weights."""
    return {False: _("Leave the blend weights alone"), True: _("Decay them too (the fault)")}


def charts() -> list[dict[str, object]]:
    """The charts in their order: key, title, what it shows."""
    return [
        {
            "key": "weight",
            "title": _("Blend weight"),
            "note": _("1 is max, 0 is average"),
        },
        {
            "key": "accuracy",
            "title": _("Test accuracy"),
            "note": _("on 400 held-out pictures, every 10 steps"),
        },
        {
            "key": "gradient",
            "title": _("Size of the gradient"),
            "note": _("of the logit, mean of 10 steps, logarithmic"),
        },
        {
            "key": "slope",
            "title": _("Slope of the sigmoid"),
            "note": _("s(1 − s), which multiplies every gradient"),
        },
        {
            "key": "loss",
            "title": _("Loss"),
            "note": _("cross-entropy on the batch, mean of 10 steps"),
        },
        {
            "key": "channel",
            "title": _("One blend weight for each channel"),
            "note": _("eight lines, one a filter"),
        },
    ]


def columns(pictures: int) -> list[dict[str, str]]:
    """The columns of the table beside the charts, for a race with so many training pictures."""
    train = _("Training accuracy")
    if pictures > MEASURED:
        train = _("Training accuracy (first {count})").format(count=MEASURED)
    return [
        {"key": "weight", "title": _("Blend weight")},
        {"key": "moved", "title": _("Moved by")},
        {"key": "slope", "title": _("Slope s(1 − s)")},
        {"key": "gradient", "title": _("Gradient")},
        {"key": "loss", "title": _("Loss")},
        {"key": "train", "title": train},
        {"key": "test", "title": _("Test accuracy")},
    ]


def component_words(state: str) -> dict[str, str]:
    """What the component writes itself; it fills in the step, and that of the last accuracies."""
    return {
        "step": _("Step {step} of {steps}"),
        "state": state,
        "looking": _("You are looking back; the newest step returns when you leave the chart."),
        "axis": _("Step"),
        "table": _("All networks after {step} steps"),
        "table_between": _("All networks after {step} steps, their accuracies after {measured}"),
        "keys": _(
            "Point at a chart, or focus it and use the arrow keys (with Shift ten steps), Home, "
            "End and Escape, to read any step in the table. A name in the table shows or hides its "
            "line."
        ),
        "channels": _("Channel by channel"),
        "channels_note": _(
            "The attention layer computes its blend weights from each picture. This is their mean "
            "over the test pictures of each class."
        ),
        "channel": _("Channel"),
        "per_channel": _("One for each channel"),
        "attention": _("Attention, {class}"),
    }
