"""What others have published about blends of max and average pooling, each with its source."""

from __future__ import annotations

from typing import NamedTuple

from hybridpool.ui.words import _

#: Source -> where it can be read; "" where a person has to look for it.
SOURCES = {
    "Lee, Gallagher, Tu, AISTATS 2016": "https://paperswithcode2.com/paper/38287",
    "ducha-aiki/caffenet-benchmark": (
        "https://github.com/ducha-aiki/caffenet-benchmark/blob/master/Pooling.md"
    ),
    "celisun/Generalized-pooling-functions-CNN": (
        "https://github.com/celisun/Generalized-pooling-functions-CNN"
    ),
    "rentainhe/pytorch-pooling": "https://github.com/rentainhe/pytorch-pooling",
    "Saubari et al., CMC 87(3), 2026": "",
    "SIU 2025": "",
    "Kim et al., arXiv 2509.20939, 2025": "https://arxiv.org/abs/2509.20939",
    "timm, pull request 2209": "https://github.com/huggingface/pytorch-image-models/pull/2209",
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
            _("The same, the gated blend of max and average by its authors"),
            _("47.1 % against 47.0 % with max: +0.1 points"),
        ),
        Published(
            "ducha-aiki/caffenet-benchmark",
            _("The same, GeneralPool: another layer of these authors, no blend of the two"),
            _("−0.3 points at 128 px, +0.5 at 227 px: ahead in one setup, behind in another"),
        ),
        Published(
            "Lee, Gallagher, Tu, AISTATS 2016",
            _("Tree of pooling filters with max and average (an archive of Papers with Code read)"),
            _("CIFAR-10 94 %, CIFAR-100 67.6 %; the archive names no baseline beside them"),
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
            "Kim et al., arXiv 2509.20939, 2025",
            _("1,174 pretrained networks under Gaussian noise (abstract read)"),
            _(
                "Average pooling goes with more robustness: it is unbiased and lowers noise with "
                "the window's area, while max is biased upwards with a larger mean squared error. "
                "It speaks for average; a blend pays for its share of max"
            ),
        ),
        Published(
            "timm, pull request 2209",
            _("Satellite pictures (RESISC), global pooling of a vision transformer"),
            _("Average plus max did better than either, says the maintainer; without figures"),
        ),
        Published(
            "Zhang, ICML 2019",
            _("Blur pooling, ResNet-18, ImageNet"),
            _("69.74 % → 71.67 %: more than any blend above, and steadier under shifts"),
        ),
    ]
