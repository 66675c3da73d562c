"""The words of the page "Evidence": the claims in the article's words, and names of what is shown.

The article is in Chinese: the English is a translation, and the Chinese catalogue quotes it.
"""

from __future__ import annotations

from hybridpool.ui.names import pooling_names
from hybridpool.ui.words import _

#: What trains the networks of this page, on a CPU; and the article's, on a GPU.
COMMAND = "python -m hybridpool.training train --output assets/results"
ARTICLE_COMMAND = "python -m hybridpool.training train --network resnet18 --epochs 30 --device cuda"


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
    }


def verdict_names() -> dict[str, tuple[str, str]]:
    """For each verdict a mark, so that colour is not alone, and its name."""
    return {
        "confirmed": ("✓", _("Confirmed")),
        "depends": ("◐", _("Depends")),
        "not_confirmed": ("✗", _("Not confirmed")),
        "open": ("?", _("Too few runs")),
        "elsewhere": ("→", _("On another page")),
    }


def arm_names() -> dict[str, str]:
    """What each arm is called."""
    return {
        **pooling_names(),
        "fixed": _("Fixed half"),
        "channel": _("Hybrid per channel"),
        "blur": _("Max, then blur"),
    }


def blend_names() -> dict[str, str]:
    """Which hybrid pooling is judged, by what the blend weight belongs to."""
    return {
        "hybrid": _("One weight a layer"),
        "channel": _("One a channel"),
        "attention": _("Attention"),
    }


def condition_names() -> dict[str, str]:
    """What pictures were put through."""
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
        "parameters": _("Parameters"),
        "time": _("Time per step"),
        **{
            f"{shape} {fill}": template.format(fill=name)
            for shape, template in places.items()
            for fill, name in fills.items()
        },
    }


def network_names() -> dict[str, str]:
    """What each network is called."""
    return {
        "small": _("Small network"),
        "blocks": _("The article's residual blocks"),
        "resnet18": "ResNet-18",
    }


def data_names() -> dict[str, str]:
    """What each data set is called."""
    return {"CIFAR-10": "CIFAR-10", "CIFAR-10 (JPEG copy)": _("CIFAR-10 (JPEG copy)")}


def device_names() -> dict[str, str]:
    """What each device is called."""
    return {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}


def named(names: dict[str, str], key: str) -> str:
    """The name of a key, or the key itself where results know more than this page."""
    return names.get(key, key)


def rule_words(confirmed_from: int, small_cost: float, small_data: int) -> list[str]:
    """How a verdict is reached, rule by rule.

    Args:
        confirmed_from: How many seeds are needed.
        small_cost: What counts as little more, as a share.
        small_data: How many training pictures count as few.
    """
    return [
        _(
            "Every pooling is trained with the same seeds. Runs of one seed share the weights at "
            "the start, the order of the pictures and their changes, so differences are taken "
            "seed by seed (paired), with Student's interval for their mean."
        ),
        _(
            "**Confirmed**: under every condition the whole interval of hybrid minus max and of "
            "hybrid minus average lies above 0. To be ahead of the better of the two, hybrid has "
            "to be ahead of both."
        ),
        _(
            "**Depends**: some intervals lie wholly above 0 and others do not, for example ahead "
            "of max but not of average, or under one kind of noise only."
        ),
        _("**Not confirmed**: no interval lies wholly above 0. That is no proof of the contrary."),
        _("**Too few runs**: fewer than {seeds} seeds of hybrid, max or average.").format(
            seeds=confirmed_from
        ),
        _(
            "One comparison gets a 95 % interval. Where a claim has several conditions, such as "
            "four kinds of noise, the intervals are wider (Bonferroni): against either single "
            "pooling all of them hold together with 95 % certainty. Nothing is corrected for "
            "there being several claims: of twenty differences that are no differences, one is "
            "still expected to look like one."
        ),
        _(
            "Noise and occlusion are judged by the accuracy on changed pictures, the mean over "
            "severities or sizes. Cost is little if parameters and time per step grow by less "
            "than {percent:.0f} %. Small data sets are those with {pictures} training pictures or "
            "fewer; there the gap between training and test accuracy of the poolings with many "
            "weights has to be larger than that of max and average."
        ).format(percent=100 * small_cost, pictures=f"{small_data:,}"),
    ]
