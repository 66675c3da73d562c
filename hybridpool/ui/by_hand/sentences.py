"""The sentences of the page "By hand" that are written from its numbers."""

from __future__ import annotations

from dataclasses import asdict

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


def why_impossible(problem: ImpossibleWindowError, task: Task) -> str:
    """One sentence: what was asked, why it is impossible, and what to do."""
    options = task.options
    if problem.reason == "padding":
        return _(
            "Padding {padding} is more than half of the window ({height} × {width}), so a window "
            "could lie in the padding alone: choose a padding of at most {limit}."
        ).format(**asdict(options), limit=min(options.height, options.width) // 2)
    return _(
        "The window ({height} × {width}) is larger than the grid with its padding ({rows} × "
        "{columns}), so it fits nowhere: choose a smaller window or a larger grid."
    ).format(
        height=options.height,
        width=options.width,
        rows=task.rows + 2 * options.padding,
        columns=task.columns + 2 * options.padding,
    )


def what_is_shown(task: Task) -> str:
    """One sentence: which grid and window are shown instead of the impossible ones."""
    return _(
        "Until then you see a grid of {rows} × {columns} and a window of {height} × {width}, "
        "stride {stride}, padding {padding}."
    ).format(rows=task.rows, columns=task.columns, **asdict(task.options))


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
    cells = work.rows.kernel * work.columns.kernel
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


def honest_words(task: Task) -> str:
    """Where the parameters of the attention layer come from."""
    return _(
        "Not trained: the matrices are drawn at random (seed {seed}) and rounded to two decimals "
        "for your pencil. They show how the values are computed, not what a network would learn."
    ).format(seed=task.seed)


def _listed(rows: tuple[int, ...], columns: tuple[int, ...]) -> str:
    named = [_("row {number}").format(number=place + 1) for place in rows]
    named += [_("column {number}").format(number=place + 1) for place in columns]
    return _(", ").join(named)
