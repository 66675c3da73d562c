"""The words of the page "By hand" that do not depend on its numbers."""

from __future__ import annotations

from hybridpool.ui.browser.words import attention_words, dial_words, formula_words
from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _


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


def channel_names() -> list[str]:
    """The channels that the attention layer looks at."""
    return [
        _("1 · the numbers"),
        _("2 · turned over"),
        _("3 · steps across"),
        _("4 · steps down"),
    ]


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
        "hide": _("Hide the results"),
        "hide_words": _(
            "So that a class says them first: a click on an output cell, or Enter, shows its "
            "result."
        ),
        "hidden": _("hidden"),
        "speed": _("Speed"),
        "slow": _("slow"),
        "normal": _("normal"),
        "fast": _("fast"),
        "grid": _("Your grid"),
        **pooling_names(),
        "window": _("Window of output row {row}, column {column}"),
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
        **dial_words(),
        **formula_words(),
        **attention_words(),
        "whence": _("Where {value} comes from"),
        "legend_note": _("One colour scale for your grid and the four outputs."),
        "keys": _(
            "Click a cell of your grid and type; arrow keys move, Enter keeps the number, Escape "
            "restores the old one. Point at an output cell to see its window; there the space bar "
            "plays and stops, and comma and full stop step."
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
        "channel_number": _("Channel {number}"),
        "hidden_number": _("Hidden {number}"),
        "multiply": _("weight × …"),
        "bias": _("+ bias"),
        "sum": _("sum"),
        "relu": _("ReLU"),
        "sigmoid": _("sigmoid"),
    }
