"""What the runs say of each claim, in words that are composed from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridpool.training import claims
from hybridpool.training.claims import Finding, Value
from hybridpool.training.curves import weight_paths
from hybridpool.training.results import Run, Summary, paired_difference
from hybridpool.ui.evidence_words import (
    arm_names,
    condition_names,
    named,
    network_names,
    verdict_names,
)
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _


@dataclass(frozen=True)
class Evidence:
    """What is judged.

    Attributes:
        runs: Runs that differ in arm and seed only.
        everything: These and all others of the same source.
        arm: The hybrid pooling that is judged.
    """

    runs: Sequence[Run]
    everything: Sequence[Run]
    arm: str

    def finding(self, claim: str) -> Finding:
        """What the runs say of a claim."""
        return claims.judge(claim, self.runs, self.everything, self.arm)


def with_verdict(finding: Finding, evidence: Evidence) -> str:
    """The same sentence behind its verdict."""
    mark, verdict = verdict_names()[finding.verdict]
    return _("**{verdict}.** {sentence}").format(
        verdict=f"{mark} {verdict}", sentence=in_one_line(finding, evidence)
    )


def signed(share: float, digits: int = 2) -> str:
    """A difference in percentage points, with its sign.

    Example:
        >>> signed(-0.0123), signed(0.0)
        ('−1.23', '±0.00')
    """
    text = f"{100 * share:+.{digits}f}"
    if not text.strip("+-0."):
        return "±" + text[1:]
    return text.replace("-", "−")


def interval(at: Summary, digits: int = 2) -> str:
    """A mean with the ends of its interval, or without where one seed has none."""
    if at.count == 1:
        return signed(at.mean, digits)
    return _("{mean} ({low} to {high})").format(
        mean=signed(at.mean, digits), low=signed(at.low, digits), high=signed(at.high, digits)
    )


def in_one_line(finding: Finding, evidence: Evidence) -> str:
    """The sentence of the table."""
    if finding.claim == "frequency":
        return _frequency(evidence)
    if finding.claim == "start":
        return _start(evidence)
    if finding.verdict == "open":
        return _too_few(finding, evidence)
    if finding.claim == "accuracy":
        return _accuracy(finding)
    if finding.claim == "cost":
        return _cost(finding)
    return " ".join(filter(None, [_mean(finding, evidence), _holding(finding)]))


def about_the_gain(evidence: Evidence) -> list[str]:
    """Whether the article's gain fits, what learning is worth, and the reference from outside."""
    names = arm_names()
    found = [
        (baseline, at)
        for baseline in claims.SINGLE
        if (at := paired_difference(evidence.runs, evidence.arm, baseline)) and at.count > 1
    ]
    said = []
    for baseline, at in found:
        if at.low <= claims.ARTICLE_GAIN <= at.high:
            words = _("Against {name}, a gain of 1.2 points fits these runs.")
        elif at.high < claims.ARTICLE_GAIN:
            words = _("Against {name}, a gain of 1.2 points is more than these runs allow.")
        else:
            words = _("Against {name}, the gain is larger than 1.2 points.")
        said.append(words.format(name=low(names[baseline])))
    said.append(what_learning_is_worth(evidence))
    blur = paired_difference(evidence.runs, evidence.arm, "blur")
    if blur:
        said.append(
            _(
                "The reference from outside is max pooling with a blur behind it (Zhang, 2019): "
                "{name} minus that is {interval} points."
            ).format(name=low(names[evidence.arm]), interval=interval(blur))
        )
    return [sentence for sentence in said if sentence]


def what_learning_is_worth(evidence: Evidence, value: Value = claims.clean) -> str:
    """Hybrid against a half of each that never learns: the control."""
    at = paired_difference(evidence.runs, evidence.arm, "fixed", value)
    if at is None:
        return ""
    words = _(
        "**Is learning worth anything?** Against a fixed half of max and average, which learns "
        "nothing, the learned weight makes {interval} points."
    )
    if at.count < claims.MIN_SEEDS:
        end = _("Too few seeds to tell.")
    elif at.low > 0:
        end = _("So it is the learning that helps, not the blend alone.")
    elif at.high < 0:
        end = _("So learning the weight does harm here.")
    else:
        end = _(
            "That cannot be told from 0: these runs do not show that learning the weight is worth "
            "anything."
        )
    return words.format(interval=interval(at)) + " " + end


def resolution(finding: Finding) -> str:
    """The smallest difference that the seeds can show: no interval is wiser than its runs."""
    known = [one for one in finding.comparisons if one.outcome != "few"]
    if not known or finding.claim == "cost":
        return ""
    width = max((one.difference.high - one.difference.low) / 2 for one in known)
    seeds = min(one.difference.count for one in known)
    return _(
        "With {seeds} seeds a difference has to reach up to {points:.2f} points to be told from "
        "0. Each interval covers {confidence:.4g} %."
    ).format(seeds=seeds, points=100 * width, confidence=100 * finding.confidence)


def _accuracy(finding: Finding) -> str:
    return _("{differences}, over {seeds} seeds.").format(
        differences=_minus(
            finding.arm, {one.baseline: one.difference for one in finding.comparisons}
        ),
        seeds=min(one.difference.count for one in finding.comparisons),
    )


def _minus(arm: str, differences: Mapping[str, Summary]) -> str:
    """An arm minus each of some others, in points with intervals."""
    names = arm_names()
    parts = [
        _("minus {name} {interval}").format(name=low(names[other]), interval=interval(at))
        for other, at in differences.items()
    ]
    return _("{arm} {differences} points").format(
        arm=f"**{names[arm]}**", differences=joined(parts)
    )


def _cost(finding: Finding) -> str:
    names, conditions = arm_names(), condition_names()
    said = []
    for (condition, _arm), ones in finding.conditions().items():
        digits = 3 if condition == "parameters" else 1
        parts = [
            _("{interval} % against {name}").format(
                interval=interval(one.difference, digits)
                if condition == "time"
                else signed(one.difference.mean, digits),
                name=low(names[one.baseline]),
            )
            for one in ones
        ]
        if len({signed(one.difference.mean, digits) for one in ones}) == 1 and len(ones) == 2:
            parts = [f"{signed(ones[0].difference.mean, digits)} %"]
        said.append(
            _("{what}: {differences}.").format(
                what=conditions[condition], differences=joined(parts)
            )
        )
    return " ".join(said)


def _holding(finding: Finding) -> str:
    """Under how many conditions the claim holds against both single poolings."""
    total = len(finding.conditions())
    holding = len(finding.holding())
    words = {
        "noise": _("Ahead of both under {holding} of {total} kinds of noise."),
        "occlusion": _("Ahead of both behind {holding} of {total} kinds of occluder."),
        "small_data": _(
            "The gap between training and test accuracy is larger than with both in {holding} of "
            "{total} cases (pooling and number of pictures)."
        ),
        "size": _("Ahead of both on {holding} of {total} networks."),
    }[finding.claim]
    return words.format(holding=holding, total=total)


def condition_by_condition(finding: Finding) -> str:
    """Against which single pooling the claim holds how often, and how often the contrary."""
    said = []
    for baseline in claims.SINGLE:
        ones = [one for one in finding.comparisons if one.baseline == baseline]
        ahead = sum(one.outcome == "for" for one in ones)
        behind = sum(one.outcome == "against" for one in ones)
        words = _(
            "Against {name} the interval lies wholly above 0 in {above} of {total} conditions, "
            "wholly below in {below}."
        )
        if ones:
            name = low(arm_names()[baseline])
            said.append(words.format(name=name, above=ahead, below=behind, total=len(ones)))
    return " ".join(said)


def _mean(finding: Finding, evidence: Evidence) -> str:
    """The difference over all conditions together, with a 95 % interval of its own."""
    if finding.claim not in ("noise", "occlusion"):
        return ""
    value = claims.mean_of(claims.measures(finding.claim, evidence.runs).values())
    found = {
        baseline: at
        for baseline in claims.SINGLE
        if (at := paired_difference(evidence.runs, evidence.arm, baseline, value))
    }
    return (
        _("{differences}, over all of them.").format(differences=_minus(evidence.arm, found))
        if found
        else ""
    )


def _frequency(evidence: Evidence) -> str:
    said = _("Which frequencies a pooling keeps is measured on a picture, without training.")
    return f"{said} {_real_blends(evidence)}".strip()


def _real_blends(evidence: Evidence) -> str:
    """How many layers end as a blend, and how many as good as a single pooling."""
    ends = [path.mean[-1] for path in weight_paths(evidence.runs, evidence.arm).values()]
    if not ends:
        return ""
    return _(
        "In these networks {inside} of {total} layers end with a real blend (weight between 0.05 "
        "and 0.95)."
    ).format(inside=sum(0.05 < end < 0.95 for end in ends), total=len(ends))


def _start(evidence: Evidence) -> str:
    said = [_("Several starts are watched on a page of their own.")]
    paths = weight_paths(evidence.runs, evidence.arm)
    if paths:
        starts = [path.mean[0] for path in paths.values()]
        ends = [f"{path.mean[-1]:.2f}" for path in paths.values()]
        said.append(
            _("In these networks the weights start at {start:.2f} and end at {ends}.").format(
                start=sum(starts) / len(starts), ends=joined(ends)
            )
        )
        said.append(_real_blends(evidence))
    return " ".join(said)


def _too_few(finding: Finding, evidence: Evidence) -> str:
    if finding.claim == "small_data":
        sizes = claims.by_size(evidence.runs, evidence.everything)
        if not any(size <= claims.SMALL_DATA for size in sizes):
            return _("No runs with {pictures} training pictures or fewer are here.").format(
                pictures=f"{claims.SMALL_DATA:,}"
            )
    if finding.claim == "size":
        names = network_names()
        found = claims.by_network(evidence.runs, evidence.everything)
        listed = [
            _("{network} ({parameters} parameters)").format(
                network=low(named(names, network)), parameters=f"{ones[0].costs.parameters:,}"
            )
            for network, ones in found.items()
        ]
        return _("Needs at least two networks; here is: {networks}.").format(
            networks=joined(listed)
        )
    names = arm_names()
    arms = [*claims.SINGLE, *(claims.COMPLEX if finding.claim == "small_data" else (finding.arm,))]
    found_runs = [run for run in evidence.runs if run.settings.arm in arms]
    counts = {arm: sum(run.settings.arm == arm for run in found_runs) for arm in arms}
    return _("At least {least} seeds of each are needed; here are {counts}.").format(
        least=claims.MIN_SEEDS,
        counts=joined([f"{low(names[arm])} {count}" for arm, count in counts.items()]),
    )


def share(value: float) -> str:
    """An accuracy in a table."""
    return f"{100 * value:.2f} %"


def low(name: str) -> str:
    """A name inside a sentence; names such as ResNet-18 stay as they are."""
    return name if name[1:2].isupper() or any(map(str.isdigit, name)) else name.lower()
