"""The words that components of several pages show or speak."""

from __future__ import annotations

from hybridpool.trace import Trace
from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _


def is_learned(trace: Trace) -> bool:
    """Whether a network has learned where the dial goes back to."""
    return "hybrid" in trace.features.pooling_state


def dial_words() -> dict[str, str]:
    """The dial and its ends."""
    return {
        "blend_weight": _("Blend weight"),
        "end_average": _("0 · average"),
        "end_max": _("1 · max"),
    }


def formula_words() -> dict[str, str]:
    """What stands beside a window's formula and under the dial."""
    return {
        "dial_note": _("{max} % maximum, {average} % average of each window"),
        "same_as_max": _("The hybrid map is now the max map."),
        "same_as_average": _("The hybrid map is now the average map."),
        "window_values": _("the {count} values"),
    }


def attention_words() -> dict[str, str]:
    """What stands beside a map that attention has blended."""
    return {"attention_value": _("attention value {value}")}


def view_words(*, learned: bool) -> dict[str, str]:
    """What the inspector and the rows share: the channel, the colours, the dial."""
    return {
        "picture": _("Picture"),
        "channel": _("Channel"),
        "previous_channel": _("Previous channel"),
        "next_channel": _("Next channel"),
        "colour_range": _("Colours span"),
        "range_channel": _("this channel"),
        "range_all": _("all channels"),
        **dial_words(),
        "hybrid_value": _("blend weight {value}"),
        "restart": _("Back to learned ({weight})") if learned else _("Back to start ({weight})"),
    }


def inspector_words(*, learned: bool = False) -> dict[str, str]:
    """Every word that the inspector shows or speaks."""
    return {
        "feature_map": _("Feature map"),
        **pooling_names(),
        **view_words(learned=learned),
        "save_png": _("Save as PNG"),
        **camera_words(),
        "filming": _(
            "{rate} frames a second. Nothing is uploaded. Charts, tables and files below stay with "
            "the picture from before."
        ),
        **formula_words(),
        **attention_words(),
        "previous_picture": _("Previous picture"),
        "next_picture": _("Next picture"),
        "filter": _("Filter"),
        "sweep": _("Sweep"),
        "sweep_hint": _("Turn the dial once from 0 to 1 and back."),
        **_term_words(),
        **_key_words(),
        "clipped": _("up to the 99th percentile"),
        "clipped_note": _(
            "{count} of {total} cells of the feature map lie above and share the last colour."
        ),
        "clipped_note_both": _(
            "{count} of {total} cells of both feature maps lie above and share the last colour."
        ),
        "as_differences": _("show differences"),
        "swipe": _("swipe between two poolings"),
        "swipe_left": _("Left of the divider"),
        "swipe_right": _("Right of the divider"),
        "swipe_close": _("All maps"),
        "divider": _("Divider between two poolings"),
        "divided": _("{left} up to {place} % of the width, then {right}"),
        "hybrid_minus_max": _("Hybrid − max"),
        "hybrid_minus_average": _("Hybrid − average"),
        "differences_note": _("Differences: zero in the middle; the scale stays as you turn."),
        "window_sizes": _("Pooling window"),
        "the_window": _("Window"),
        "kernel_size": _("Kernel size"),
        "stride": _("Stride"),
        "padding": _("Padding"),
        "padding_hint": _("At most half the kernel size, as PyTorch demands."),
        "ceil_mode": _("Ceil mode"),
        "ceil_hint": _("Keep a last window that only partly lies on the feature map."),
        "moving": _(
            "Computed in your browser while you move the window; PyTorch answers when you let go."
        ),
        "by_pytorch": _("Computed by PyTorch on {device}."),
        "checked": _(
            "Checked against PyTorch on {device}: your browser's maps are at most {difference} "
            "apart."
        ),
        "legend_note": _("One colour scale for the feature map and all four poolings."),
        "legend_note_both": _("One colour scale for both pictures and all four poolings."),
        "all_channels": _("All channels"),
        "strips_note": _(
            "Each column is a channel, each row a pooling. Click a column, or press the left and "
            "right arrow keys, to look at that channel above."
        ),
        **window_words(),
    }


def window_words() -> dict[str, str]:
    """What stands beside the window behind a cell, and how a cell is pointed at."""
    return {
        "window": _("Window of pooled cell, row {row}, column {column}"),
        "window_pinned": _("Pinned: window of pooled cell, row {row}, column {column}"),
        "tie": _("{count} cells tie for the maximum; the gradient goes to the first of them."),
        "outside": _("Outside the feature map"),
        "padding_ignored": _(
            "Hatched cells lie outside the feature map: max never takes them and the average "
            "divides by the remaining cells only."
        ),
        "padding_counted": _(
            "Hatched cells lie outside the feature map: max never takes them, the average counts "
            "those in the padding as zeros."
        ),
        "keys": _(
            "The red frame marks one cell in each pooled map, its window in the feature map, and "
            "every pixel of the picture that reaches it. Point at a cell in any map to move it. "
            "Click or Enter pins it, Escape lets go, arrow keys move it, comma and full stop "
            "change the channel."
        ),
        "spread": _("{low} to {high}, mean {mean}"),
    }


def _term_words() -> dict[str, str]:
    """One line behind each term, and what asks for it."""
    return {
        "what_is": _("What does “{term}” mean?"),
        "term_filter": _(
            "The stem is the first convolution of a network. Each of its filters slides over the "
            "picture and answers where the picture looks like it. Shown in colour; grey is zero."
        ),
        "term_feature_map": _(
            "The answers of one filter, a number for each place of the picture: what pooling "
            "makes smaller."
        ),
        "term_channel": _(
            "One filter and its feature map. A network looks through many channels side by side."
        ),
        "term_the_window": _(
            "The block of neighbouring cells that pooling turns into one cell. The kernel size is "
            "its side, the stride its step."
        ),
        "term_blend_weight": _(
            "The share of the maximum in each window: at 0 hybrid pooling is average pooling, at "
            "1 it is max pooling."
        ),
        "term_attention": _(
            "The attention value is a blend weight that a small layer computes for each channel "
            "from the picture itself."
        ),
    }


def _key_words() -> dict[str, str]:
    """The keys and what each of them does."""
    return {
        "keys_title": _("Keys"),
        "close": _("Close"),
        "key_channel": _("Previous and next channel"),
        "key_picture": _("Previous and next picture"),
        "key_dial": _("Turn the dial by 0.05"),
        "key_ends": _("Average pooling, max pooling"),
        "key_reset": _("Back to where the blend weight starts"),
        "key_sweep": _("Turn the dial once from 0 to 1 and back"),
        "key_difference": _("Maps or differences"),
        "key_swipe": _("Swipe between two poolings, or all maps"),
        "key_help": _("This list"),
        "touch": _(
            "The red frame marks one cell in each pooled map, its window in the feature map, and "
            "every pixel of the picture that reaches it. Touch a cell in any map to pin it; touch "
            "it again to let go."
        ),
    }


def camera_words() -> dict[str, str]:
    """The live camera, and why it may not work."""
    return {
        "camera": _("Live camera"),
        "camera_stop": _("Stop the camera"),
        "freeze": _("Freeze"),
        "freeze_hint": _("Keep this frame as a picture of your own."),
        "filming": _("{rate} frames a second. Nothing is uploaded."),
        "filmed": _("Computed in your browser, frame by frame."),
        "camera_http": _(
            "Browsers give no camera to a page that comes over http from another machine: open the "
            "page over https, or take the photo elsewhere and choose its file."
        ),
        "camera_denied": _(
            "The browser keeps the camera from this page: allow it in the browser's settings for "
            "this page, or take the photo elsewhere and choose its file."
        ),
        "camera_none": _("The browser finds no camera on this machine."),
        "camera_fails": _("The camera does not start: another program may be using it."),
        "camera_ended": _("The camera has stopped: it was unplugged, or another program took it."),
    }


def camera_of_rows_words() -> dict[str, str]:
    """What is said of the camera where its frames are changed, as rows of clean and changed are."""
    return {
        "filming": _(
            "{rate} frames a second, computed in your browser. Nothing is uploaded. Sentences and "
            "curves outside the rows stay with the picture from before."
        ),
        "camera_waits": _(
            "The camera needs a change that the browser can compute: the server computes this one."
        ),
    }


def alone_words() -> dict[str, str]:
    """What the inspector says instead where there is no server, so that its engine computes all.

    Nor is there anything below it that would stay with a picture from before the camera.
    """
    said = _("Computed in your browser, without a server.")
    judged = dict.fromkeys(("moving", "by_pytorch", "checked"), said)
    return {**judged, "filming": camera_words()["filming"]}


def rows_words(*, learned: bool = False) -> dict[str, str]:
    """Every word that the rows show or speak."""
    return {
        **pooling_names(),
        **view_words(learned=learned),
        **camera_words(),
        **camera_of_rows_words(),
        "winners": _("Winner of the window"),
        "nearest": _("Nearest to clean"),
        "nearest_max": _("max"),
        "nearest_average": _("average"),
        "nearest_hybrid": _("hybrid, nearer than both"),
        "nearest_note": _(
            "Shares of the {count} cells that moved in this channel; where the nearest two tie, "
            "the cell is left blank."
        ),
        "meaning": _(
            "Relative change: how far a map moved, as a share of the clean map's own size. The "
            "larger, the more it moved. It is no answer of a network: a map that moves less need "
            "not belong to a network that errs less."
        ),
        "seen": _("Show changes"),
        "against_clean": _("as they are"),
        "against_max": _("against max"),
        "points": _("{points} points"),
        "more_than_max": _("Moved more than max"),
        "differences_against": _(
            "How much more (+) or less (−) than max a cell moved; for max, changed − clean"
        ),
        "moving": _("Computed in your browser while you move; PyTorch answers when you let go."),
        "by_pytorch": _("Computed by PyTorch on {device}."),
        "checked": _(
            "Checked against PyTorch on {device}: your browser's maps were at most {difference} "
            "apart. They travel in steps of {step}."
        ),
        "clean": _("Clean"),
        "changed": _("Changed"),
        "difference": _("Difference"),
        "attention_value": _("attention value {clean}, then {changed}"),
        "values": _("Values: one scale for clean and changed in every row"),
        "differences": _("Differences: changed − clean, zero in the middle, in every row"),
        "relative": _("Relative change"),
        "largest": _("Largest change"),
        "cells": _("Changed cells"),
        "cells_of": _("{count} of {total}"),
        "reach": _("In reach of the occluder"),
        "all": _("In all channels"),
        "cell": _("Cell in row {row}, column {column}: clean → changed (difference)"),
        "cell_pinned": _("Pinned: row {row}, column {column}: clean → changed (difference)"),
        "winner_changed": _("Another winner, or a tie"),
        "winner_places": _("Place in the window"),
        "tie": _("tie"),
        "winner_note": _("Windows that had a tie before are not counted; ties are left blank."),
        "winner_cell": _("row {row}, column {column}"),
        "occluder": _(
            "Occluder at row {row}, column {column}, {height} × {width} pixels. Arrow keys move "
            "it, with Shift they change its size."
        ),
        "keys": _(
            "The red frame marks the same cell in every map. Point at a cell to move it; click or "
            "Enter pins it, Escape lets go, arrow keys move it, comma and full stop change the "
            "channel."
        ),
        "occluder_keys": _(
            "Draw a new occluder on the changed picture, or drag it, or pull its corners. With "
            "the keyboard: arrow keys move it, Shift and an arrow key change its size. Solid "
            "lines surround the cells that changed, thin ones those that changed out of its reach, "
            "dashed ones those whose receptive field meets the occluder."
        ),
    }
