"""The words of the page "Evidence": the claims in the article's words, and names of what is shown.

The article is in Chinese: the English is a translation, and the Chinese catalogue quotes it.
"""

from __future__ import annotations

from hybridpool.training.claims import SMALL_COST
from hybridpool.training.comparisons import MIN_SEEDS
from hybridpool.training.selection import SMALL_DATA
from hybridpool.training.values import MARGIN, WIDE_MARGIN
from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _

#: What trains the networks of this page, on a CPU; the article's, on a GPU; one's own pictures.
COMMAND = "python -m hybridpool.training reproduce breadth --output assets/results"
ARTICLE_COMMAND = "python -m hybridpool.training train --network resnet18 --width 64 --device cuda"
PLAN = "assets/results/ANALYSIS.md"
OWN_COMMAND = "python -m hybridpool.training train --data FOLDER"


def claim_titles() -> dict[str, str]:
    """What each claim is about."""
    return {
        "accuracy": _("Accuracy"),
        "noise": _("Noise"),
        "occlusion": _("Occlusion"),
        "frequency": _("High and low frequencies"),
        "start": _("Start of the blend weight"),
        "cost": _("Cost"),
        "small_data": _("Small data sets"),
        "size": _("Size of the model"),
        "fine_grained": _("Fine-grained tasks"),
        "medical": _("Medical pictures"),
    }


def claim_quotes() -> dict[str, str]:
    """Each claim as the article puts it."""
    robust = _("More robust: steadier under noise and partial occlusion.")
    return {
        "accuracy": _(
            "Experiments on CIFAR-10 show that hybrid pooling raises the accuracy of ResNet18 by "
            "about 1.2 % (compared with a single pooling)."
        ),
        "noise": robust,
        "occlusion": robust,
        "frequency": _(
            "More diverse features: captures high-frequency and low-frequency information at the "
            "same time."
        ),
        "start": _(
            "If the initial weight is close to 0.5, the model starts to learn from the middle way; "
            "if it leans towards 0 or 1, it may degenerate into a single pooling."
        ),
        "cost": _(
            "Hybrid pooling adds few parameters and little computation; gain and cost have to be "
            "weighed."
        ),
        "small_data": _(
            "On small data sets a complex mixing strategy may cause overfitting; regularisation is "
            "advised."
        ),
        "size": _(
            "Hybrid pooling is better suited to small and middle-sized models or to tasks that "
            "are sensitive to features; extremely light uses (such as phones) may still need "
            "classic pooling."
        ),
        "fine_grained": _(
            "Particularly useful for fine-grained classification (such as telling subspecies of "
            "birds apart), where salient features and background have to be kept together."
        ),
        "medical": _(
            "Particularly useful for medical pictures (such as finding tumours): bright pixels of "
            "an abnormal region matter, and so does how the tissue is distributed."
        ),
    }


def verdict_names() -> dict[str, tuple[str, str]]:
    """For each verdict a mark, so that colour is not alone, and its name."""
    return {
        "confirmed": ("✓", _("Confirmed")),
        "depends": ("◐", _("Depends")),
        "refuted": ("✗", _("Refuted")),
        "partly_refuted": ("✗", _("Refuted in part")),
        "unseen": ("~", _("Could not be seen")),
        "open": ("?", _("Too few runs")),
        "unmeasured": ("–", _("Not measured")),
    }


def outcome_names(measure: str) -> dict[str, str]:
    """What each outcome is called, of an accuracy or of a gap between two."""
    gap = measure == "gap"
    return {
        "ahead": _("larger") if gap else _("ahead"),
        "behind": _("smaller") if gap else _("behind"),
        "equivalent": _("equivalent"),
        "undecided": _("undecided"),
        "few": _("too few runs"),
    }


def arm_names() -> dict[str, str]:
    """What each arm is called."""
    return {
        **pooling_names(),
        "fixed": _("Fixed half"),
        "frozen": _("Frozen blend"),
        "channel": _("Hybrid per channel"),
        "gated": _("Gated blend"),
        "blur": _("Max, then blur"),
        "hybrid_blur": _("Hybrid, then blur"),
        "strided": _("Strided convolution"),
    }


def arm_meanings() -> dict[str, str]:
    """What an arm is, if its name does not say so."""
    return {
        "fixed": _("half max, half average, nothing learned"),
        "frozen": _("the blend weights that hybrid ended with, from the first step on"),
        "channel": _("one learned blend weight a channel"),
        "gated": _("one blend weight a window, computed from its cells (Lee et al., 2016)"),
        "blur": _("max pooling followed by a blur (Zhang, 2019)"),
        "hybrid_blur": _("one learned blend weight a layer, with the same blur"),
        "strided": _("a convolution with stride 2 instead of a pooling"),
    }


def start_name(start: str) -> str:
    """What a start of the blend weight is called."""
    return _("the article's draw") if start == "None" else start


def blend_names() -> dict[str, str]:
    """Which hybrid pooling is judged, by what the blend weight belongs to."""
    return {
        "hybrid": _("One weight a layer"),
        "channel": _("One a channel"),
        "attention": _("Attention"),
    }


def condition_names() -> dict[str, str]:
    """The changes that pictures go through."""
    places = {
        "block": _("Square, {fill}"),
        "pixels": _("Scattered pixels, {fill}"),
    }
    fills = {"grey": _("grey"), "noise": _("colour noise"), "picture": _("another picture")}
    return {
        "clean": _("Unchanged pictures"),
        "gaussian_noise": _("Gaussian noise"),
        "shot_noise": _("Shot noise"),
        "impulse_noise": _("Impulse noise"),
        "speckle_noise": _("Speckle noise"),
        "brightness": _("Brightness"),
        "contrast": _("Low contrast"),
        "jpeg_compression": _("JPEG compression"),
        "pixelate": _("Pixelation"),
        "low": _("Low frequencies alone"),
        "high": _("High frequencies alone"),
        **{
            f"{shape} {fill}": template.format(fill=name)
            for shape, template in places.items()
            for fill, name in fills.items()
        },
    }


def network_name(network: str, width: int) -> str:
    """What a network is called, with its width but for the usual one of the smallest two."""
    names = {
        "small": _("Small network"),
        "blocks": _("The article's residual blocks"),
        "air": _("Air network"),
        "resnet18": "ResNet-18",
    }
    name = names.get(network, network)
    if network in ("small", "blocks") and width == 16:
        return name
    return _("{network}, width {width}").format(network=name, width=width)


def data_names() -> dict[str, str]:
    """What each data set is called."""
    return {"CIFAR-10": "CIFAR-10", "CIFAR-10 (JPEG copy)": _("CIFAR-10 (JPEG copy)")}


def device_names() -> dict[str, str]:
    """What each device is called."""
    return {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}


def named(names: dict[str, str], key: str) -> str:
    """The name of a key, or the key itself if this page has no name for it."""
    return names.get(key, key)


def rule_words() -> list[str]:
    """How a verdict is reached, rule by rule."""
    return [
        _(
            "The rules were written down before the runs: `{plan}`. Older runs say so above. The "
            "primary comparisons are "
            "hybrid minus max, minus average, minus a half of each that learns nothing (fixed), "
            "and minus the values that hybrid learned, kept fixed from the first step on (frozen). "
            "Each baseline is judged by itself."
        ).format(plan=PLAN),
        _(
            "**Ahead** or **behind**: the difference is significant at 5 %, after Holm's "
            "correction within its family (the comparisons of one measure on one network). "
            "**Equivalent**: two one-sided tests put it within ±{margin:g} points for accuracy "
            "after training on more than {few} pictures, ±{wide:g} for all else. **Undecided**: "
            "neither; then the page says how large a difference would have been seen with 80 % "
            "power. **Too few runs**: fewer than {seeds} seeds."
        ).format(
            margin=100 * MARGIN,
            wide=100 * WIDE_MARGIN,
            seeds=MIN_SEEDS,
            few=f"{SMALL_DATA:,}",
        ),
        _(
            "Accuracy after training on all pictures is compared unpaired (Welch), because in the "
            "earlier runs the poolings did not move together over seeds. Few pictures, starts and "
            "changed pictures are compared seed by seed. Where a run kept which pictures were "
            "right, seeds and pictures are resampled together, because {pictures} pictures are a "
            "sample too."
        ).format(pictures="2,000"),
        _(
            "**Confirmed**: ahead of max *and* of average, under every condition. **Depends**: "
            "under some. **Refuted**: behind one of them or equivalent to it, under every "
            "condition; **in part**: under some. **Could not be seen**: neither, so these runs "
            "cannot tell. That is never called refuted."
        ),
        _(
            "Small data: complex blending (one weight a channel, attention) against simple "
            "blending (one a layer), with {pictures} training pictures or fewer. It overfits where "
            "the gap between training and test accuracy is larger *and* test accuracy is lower. "
            "Frequencies: ahead of one single pooling and behind neither, on low and on high ones. "
            "Cost: at most {percent:.0f} % more parameters; these runs say nothing about time."
        ).format(pictures=f"{SMALL_DATA:,}", percent=100 * SMALL_COST),
    ]
