"""What others have published about blends of max and average pooling, each with its source."""

from __future__ import annotations

from typing import NamedTuple

from hybridpool.ui.words import _

#: Source -> where it can be read; "" where a person has to look for it.
SOURCES = {
    "ducha-aiki/caffenet-benchmark": (
        "https://github.com/ducha-aiki/caffenet-benchmark/blob/master/Pooling.md"
    ),
    "celisun/Generalized-pooling-functions-CNN": (
        "https://github.com/celisun/Generalized-pooling-functions-CNN"
    ),
    "rentainhe/pytorch-pooling": "https://github.com/rentainhe/pytorch-pooling",
    "Saubari et al., CMC 87(3), 2026": "",
    "SIU 2025": "",
    "Zhang, ICML 2019": "https://github.com/adobe/antialiased-cnns",
}


class Published(NamedTuple):
    """One published comparison: where, what was trained, what came out, and how it was read."""

    source: str
    setting: str
    result: str


def published() -> list[Published]:
    """Only what was read in its source; of papers marked so, the abstract alone."""
    return [
        Published(
            "ducha-aiki/caffenet-benchmark",
            _("CaffeNet, ImageNet at 128 px"),
            _("Max 47.0 %, average 43.5 %, sum of both 48.3 %: +1.3 points, nothing learned"),
        ),
        Published(
            "ducha-aiki/caffenet-benchmark",
            _("The same, learned blends by the authors of mixed pooling"),
            _("−0.3 to +0.5 points: ahead of max in one setup, behind in another"),
        ),
        Published(
            "celisun/Generalized-pooling-functions-CNN",
            _("Small network, CIFAR-10, a student's replication"),
            _("Learned blends at most +0.31 points over the baseline; fixed half +0.08"),
        ),
        Published(
            "rentainhe/pytorch-pooling",
            _("VGG16 with batch normalisation, CIFAR-100, one run each"),
            _("Max 70.89 %, average 70.56 %, mixed 71.19 %: +0.30 points"),
        ),
        Published(
            "Saubari et al., CMC 87(3), 2026",
            _("LeNet-5 and a deep network, CIFAR-10 (abstract read)"),
            _("LeNet-5 30.1 %, far below max (60.1 %); deep network 86.1 %, no gain"),
        ),
        Published(
            "SIU 2025",
            _("Hybrid of random and other poolings, CIFAR-100 (abstract read)"),
            _("“up to 7 % higher”: far from all others, and not verified by anyone"),
        ),
        Published(
            "Zhang, ICML 2019",
            _("Blur pooling, ResNet-18, ImageNet"),
            _("69.74 % → 71.67 %: more than any blend above, and steadier under shifts"),
        ),
    ]
