"""The sentences of the page "By hand" that are written from its numbers, and its fixed words."""

from __future__ import annotations

from hybridpool.by_hand import ByHand
from hybridpool.ui.by_hand.state import Task, cell_text
from hybridpool.ui.words import _
from hybridpool.window import Axis, ImpossibleWindowError


def number(value: float) -> str:
    """A number as a person writes it.

    Example:
        >>> number(-0.5)
        '−0.5'
    """
    return cell_text(value).replace("-", "−")


def preset_names() -> dict[str, str]:
    """The preset grids in their order."""
    return {
        "ramp": _("Ramp, as in the article"),
        "checkerboard": _("Checkerboard"),
        "bright": _("One bright cell"),
        "noise": _("Noise"),
        "ties": _("All the same (ties)"),
        "negative": _("Negative numbers"),
    }


def why_impossible(problem: ImpossibleWindowError, task: Task) -> str:
    """One sentence: what was asked, why it cannot be, what to do."""
    window = task.window
    if problem.reason == "padding":
        return _(
            "Padding {padding} is more than half of the window ({height} × {width}), so a window "
            "could lie in the padding alone: choose a padding of at most {limit}."
        ).format(
            padding=window.padding,
            height=window.height,
            width=window.width,
            limit=min(window.height, window.width) // 2,
        )
    return _(
        "The window ({height} × {width}) is larger than the grid with its padding ({rows} × "
        "{columns}), so it fits nowhere: choose a smaller window or a larger grid."
    ).format(
        height=window.height,
        width=window.width,
        rows=task.rows + 2 * window.padding,
        columns=task.columns + 2 * window.padding,
    )


def size_words(work: ByHand) -> dict[str, object]:
    """The formula of the output's size, filled in for height and width."""
    opening, closing = "⌈⌉" if work.window.ceil_mode else "⌊⌋"

    def line(name: str, axis: Axis) -> tuple[str, str, int]:
        ratio = number(axis.span / axis.stride)
        formula = (
            f"{opening}({axis.size} + 2 · {axis.padding} − {axis.kernel}) / {axis.stride}{closing}"
            f" + 1 = {opening}{ratio}{closing} + 1"
        )
        return name, formula, axis.formula

    lines = [line(_("Height"), work.rows), line(_("Width"), work.columns)]
    notes = [
        _(
            "{name}: in ceil mode no window may start in the padding behind the grid or beyond "
            "it, {edge} cells in. The last one would start {steps} cells in, so PyTorch leaves it "
            "out: {formula} becomes {count}."
        ).format(
            name=name,
            steps=(axis.formula - 1) * axis.stride,
            edge=axis.size + axis.padding,
            formula=axis.formula,
            count=axis.count,
        )
        for (name, *_formula), axis in zip(lines, (work.rows, work.columns), strict=True)
        if axis.trimmed
    ]
    rule = _("output = {formula}, with n cells of the grid, padding p, kernel k and stride s")
    return {
        "rule": rule.format(formula=f"{opening}(n + 2p − k) / s{closing} + 1"),
        "lines": lines,
        "notes": notes,
    }


def grid_notes(work: ByHand) -> list[str]:
    """Which rows and columns no window reaches, and why."""
    dropped = _listed(work.rows.dropped, work.columns.dropped)
    skipped = _listed(work.rows.skipped, work.columns.skipped)
    notes = []
    if dropped:
        notes.append(
            _(
                "No window reaches {list}: one more does not fit, so PyTorch drops it. Ceil mode "
                "keeps it."
            ).format(list=dropped)
        )
    if skipped:
        notes.append(
            _("The window steps over {list}: the stride is larger than the window.").format(
                list=skipped
            )
        )
    return notes


def window_notes(work: ByHand, index: int) -> list[str]:
    """What is special about one window: ties, padding, cells beyond the padding."""
    row, column = divmod(index, work.columns.count)
    tied, divisor = work.tied[index], work.divisors[index]
    inside = len(work.rows.inside(row)) * len(work.columns.inside(column))
    padded = work.rows.counted(row, True) * work.columns.counted(column, True)
    cells = work.window.height * work.window.width
    notes = []
    if len(tied) > 1:
        notes.append(
            _(
                "{count} cells tie for the maximum. PyTorch takes the first in reading order, row "
                "{row}, column {column}: the whole gradient of max goes there."
            ).format(count=len(tied), row=tied[0][0] + 1, column=tied[0][1] + 1)
        )
    if padded > inside:
        sentence = (
            _(
                "Cells in the padding: {count}. For max they are −∞ and never win; the average "
                "counts them as zeros and divides by {divisor}."
            )
            if work.window.count_include_pad
            else _(
                "Cells in the padding: {count}. For max they are −∞ and never win; the average "
                "leaves them out and divides by {divisor}."
            )
        )
        notes.append(sentence.format(count=padded - inside, divisor=divisor))
    if cells > padded:
        notes.append(
            _(
                "Cells beyond the padding: {count}. Ceil mode lets this window stick out; neither "
                "max nor average counts them."
            ).format(count=cells - padded)
        )
    return notes


def channel_names() -> list[str]:
    """The channels that the attention layer looks at."""
    return [
        _("1 · the numbers"),
        _("2 · turned over"),
        _("3 · steps across"),
        _("4 · steps down"),
    ]


def honest_words(task: Task) -> str:
    """What the attention layer's parameters are, and are not."""
    return _(
        "Not trained: the matrices are drawn at random (seed {seed}) and rounded to two decimals "
        "for your pencil. They show how the values are computed, not what a network would learn."
    ).format(seed=task.seed)


def fixed_words() -> dict[str, str]:
    """Every word that does not depend on the numbers, for the component."""
    return {
        "playback": _("Playback of the window"),
        "play": _("Play"),
        "pause": _("Pause"),
        "from_start": _("From the start"),
        "step_back": _("Step back"),
        "step_forward": _("Step forward"),
        "place": _("Window {number} of {count}"),
        "speed": _("Speed"),
        "slow": _("slow"),
        "normal": _("normal"),
        "fast": _("fast"),
        "grid": _("Your grid"),
        "max": _("Max"),
        "average": _("Average"),
        "hybrid": _("Hybrid"),
        "window": _("Window of output row {row}, column {column}"),
        "window_values": _("the {count} values"),
        "cell_place": _("row {row}, column {column}"),
        "cell_value": _("{name}, row {row}, column {column}: {value}"),
        "cell_empty": _("{name}, row {row}, column {column}: still empty"),
        "padding_cell": _("padding"),
        "beyond_cell": _("beyond the padding"),
        "idle_cell": _("No window reaches it."),
        "no_number": _(
            "“{text}” is no number, so the cell keeps {kept}: type one such as 7, −2.5 or 0.25."
        ),
        "too_large": _("The cells hold numbers from {low} to {high}, so this one keeps {kept}."),
        "blend_weight": _("Blend weight"),
        "end_average": _("0 · average"),
        "end_max": _("1 · max"),
        "dial_note": _("{max} % of the maximum and {average} % of the average of each window"),
        "same_as_max": _("The hybrid map is now the max map."),
        "same_as_average": _("The hybrid map is now the average map."),
        "legend_note": _("One colour scale for your grid and the three outputs."),
        "keys": _(
            "Click a cell of your grid and type; arrow keys move, Enter takes the number, Escape "
            "gives the old one back. Point at an output cell to see its window; there the space "
            "bar plays and stops, comma and full stop step."
        ),
        "output_size": _("Output size"),
        "flows_back": _("What flows back"),
        "gradient_of": _("Gradient of"),
        "one_cell": _("the output cell above"),
        "sum_of_cells": _("the sum of all output cells"),
        "flows_back_words": _(
            "How much each number of the grid moves the pooled value, computed by PyTorch's own "
            "backward pass. Max sends everything to the winner, average the same share to each "
            "cell it counts, hybrid the blend of both."
        ),
        "adds_up": _("sum {sum}"),
        "gradient_cell": _("What reaches row {row}, column {column}"),
        "to_weight": _("What reaches the blend weight: max − average"),
        "sum_over_cells": _("summed over all output cells"),
        "attention_title": _("The attention layer by hand"),
        "attention_words": _(
            "Instead of one blend weight, this layer computes one for each channel from the "
            "channels themselves. Four channels are made of your grid: the numbers; turned over "
            "(lowest + highest − number); the size of the step from the left neighbour; the size "
            "of the step from the neighbour above."
        ),
        "step_means": _("1. The mean of each channel"),
        "step_first": _("2. First matrix, then ReLU"),
        "step_second": _("3. Second matrix, then sigmoid: the attention values"),
        "step_blend": _("4. Each channel is blended with its own value"),
        "step_blend_words": _(
            "The formula is that of the framed cell: attention value × max + (1 − attention value) "
            "× average."
        ),
        "mean_formula": _("mean = {sum} / {count} {result}"),
        "attention_legend": _("One colour scale for the four channels and their outputs."),
        "attention_value": _("attention value {value}"),
        "channel_number": _("Channel {number}"),
        "hidden_number": _("Hidden {number}"),
        "multiply": _("weight × …"),
        "bias": _("+ bias"),
        "sum": _("sum"),
        "relu": _("ReLU"),
        "sigmoid": _("sigmoid"),
    }


def _listed(rows: tuple[int, ...], columns: tuple[int, ...]) -> str:
    named = [_("row {number}").format(number=place + 1) for place in rows]
    named += [_("column {number}").format(number=place + 1) for place in columns]
    return _(", ").join(named)
