"""What the runs say of each claim, in words that are composed from the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hybridpool.training import claims, values
from hybridpool.training.claims import Evidence, Finding
from hybridpool.training.comparisons import MIN_SEEDS, Comparison, Difference, difference
from hybridpool.training.curves import weight_paths
from hybridpool.training.results import Run, Summary
from hybridpool.training.selection import (
    COMPLEX,
    SMALL_DATA,
    by_arm,
    by_network,
    few_pictures,
)
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.words import arm_names, condition_names, named
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _

# ---- numbers -----------------------------------------------------------------------------------


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


def interval(at: Difference | Summary) -> str:
    """A mean with the ends of its interval, or without where one run has none."""
    if at.low == at.high:
        return signed(at.mean)
    return _("{mean} ({low} to {high})").format(
        mean=signed(at.mean), low=signed(at.low), high=signed(at.high)
    )


def points(share: float) -> str:
    """A size in percentage points: two digits that count.

    Example:
        >>> points(0.0127), points(0.052), points(0.003)
        ('1.3', '5.2', '0.30')
    """
    if not math.isfinite(share):
        return "∞"
    size = 100 * share
    return f"{size:.2f}" if size < 0.995 else f"{size:.1f}"


def share(value: float) -> str:
    """An accuracy in a table."""
    return f"{100 * value:.2f} %"


def low(name: str) -> str:
    """A name inside a sentence; names such as ResNet-18 stay as they are."""
    return name if name[1:2].isupper() or any(map(str.isdigit, name)) else name.lower()


def inside(arm: str) -> str:
    """An arm inside a sentence."""
    return low(named(arm_names(), arm))


# ---- outcomes ----------------------------------------------------------------------------------


def clause(one: Comparison) -> str:
    """One outcome, to follow the name of the arm and "is"."""
    margin = f"{100 * one.margin:g}"
    words = {
        "ahead": _("ahead of {name} by {interval}"),
        "behind": _("behind {name} by {interval}"),
        "equivalent": _("equivalent to {name} within ±{margin}: {interval}"),
        "undecided": _(
            "undecided against {name}: {interval}, where {visible} would have been seen"
        ),
        "few": _("not judged against {name}, with too few runs: {interval}"),
    }
    if one.within and one.outcome in ("ahead", "behind"):
        words = {
            "ahead": _("ahead of {name}, but by less than {margin}: {interval}"),
            "behind": _("behind {name}, but by less than {margin}: {interval}"),
        }
    return words[one.outcome].format(
        name=inside(one.baseline),
        interval=interval(one.difference),
        margin=margin,
        visible=points(one.visible),
    )


def resolution(comparisons: Sequence[Comparison]) -> str:
    """How large a difference would have been seen: no interval is wiser than its runs."""
    known = [one for one in comparisons if one.outcome != "few"]
    if not known:
        return ""
    sizes = [one.visible for one in known]
    least, most = points(min(sizes)), points(max(sizes))
    if least == most:
        words = _(
            "With {seeds} seeds, a difference of {most} points would have been seen with 80 % "
            "power, at the strictest step of Holm's correction; smaller ones may hide."
        )
    else:
        words = _(
            "With {seeds} seeds, differences of {least} to {most} points, depending on the "
            "comparison, would have been seen with 80 % power, at the strictest step of Holm's "
            "correction; smaller ones may hide."
        )
    seeds = min(min(one.difference.counts) for one in known)
    return words.format(seeds=seeds, least=least, most=most)


def sampled(comparisons: Sequence[Comparison]) -> str:
    """Whether the intervals know that the pictures are a sample."""
    counts = {one.difference.pictures for one in comparisons if one.outcome != "few"}
    if not counts:
        return ""
    if 0 in counts:
        return _(
            "These runs did not keep which pictures were right, so the intervals are over seeds "
            "alone: they speak of these very pictures."
        )
    return _("The intervals are over seeds and {pictures} pictures at once.").format(
        pictures=f"{min(counts):,}"
    )


# ---- for a practitioner ------------------------------------------------------------------------


def gains(evidence: Evidence) -> str:
    """What hybrid pooling gains over the single poolings, in one sentence."""
    found = [one for one in evidence.against("accuracy") if one.baseline in claims.SINGLE]
    if not found:
        return ""
    first = evidence.runs[0].settings
    return _(
        "**What it gains.** On this network ({network}), **{arm}** is {clauses}, in points of "
        "test accuracy with 95 % intervals."
    ).format(
        network=low(names.network_name(first.network, first.width)),
        arm=arm_names()[evidence.arm],
        clauses=joined([clause(one) for one in found]),
    )


def price(evidence: Evidence) -> str:
    """What it costs, and what gains more, in one sentence or two."""
    said = [_cost(evidence), _steadiness(evidence), _more(evidence)]
    kept = [sentence for sentence in said if sentence]
    return (_("**What it costs, and what gains more.**") + " " + " ".join(kept)) if kept else ""


def _cost(evidence: Evidence) -> str:
    added = evidence.finding("cost").added
    if evidence.arm not in added:
        return ""
    return _(
        "It adds {count} parameters ({percent} %); its time is measured on the page Cost."
    ).format(
        count=f"{_added(evidence.runs, evidence.arm):,}",
        percent=signed(added[evidence.arm], 3),
    )


def _added(runs: Sequence[Run], arm: str) -> int:
    counts = {run.settings.arm: run.costs.parameters for run in runs}
    return counts[arm] - counts["max"]


def _steadiness(evidence: Evidence) -> str:
    """Where hybrid pooling is behind a single pooling in consistency under shifts."""
    behind = [
        one
        for one in evidence.against("shift")
        if one.baseline in claims.SINGLE and one.outcome == "behind"
    ]
    return " ".join(
        _("Its class changes more often under shifts than with {name}: {interval} points.").format(
            name=inside(one.baseline), interval=interval(one.difference)
        )
        for one in behind
    )


def _more(evidence: Evidence) -> str:
    others = claims.others_against(evidence.runs, evidence.arm)
    judged = [one for one in others if one.outcome != "few"]
    ahead = sorted(
        (one for one in judged if one.outcome == "ahead"), key=lambda one: -one.difference.mean
    )
    if ahead:
        return _("More is gained here by {list} points over {arm}.").format(
            arm=inside(evidence.arm),
            list=joined([f"{inside(one.arm)} {interval(one.difference)}" for one in ahead]),
        )
    if judged:
        return _("Of {count} further poolings none was seen to gain more.").format(
            count=len(judged)
        )
    return ""


# ---- the table ---------------------------------------------------------------------------------


def with_verdict(finding: Finding, evidence: Evidence) -> str:
    """The sentence of the table behind its verdict."""
    mark, verdict = names.verdict_names()[finding.verdict]
    return _("**{verdict}.** {sentence}").format(
        verdict=f"{mark} {verdict}", sentence=in_one_line(finding, evidence)
    )


def in_one_line(finding: Finding, evidence: Evidence) -> str:
    """The sentence of the table; the numbers stand in the bars below it."""
    if finding.verdict == "open":
        return _too_few(finding, evidence)
    if finding.verdict == "unmeasured":
        return _unmeasured(finding, evidence)
    arm = f"**{arm_names()[finding.arm]}**"
    if finding.claim == "cost":
        return _("{arm} adds {count} parameters to this network, {percent} %.").format(
            arm=arm,
            count=f"{_added(evidence.runs, finding.arm):,}",
            percent=signed(finding.added[finding.arm], 3),
        )
    sentences = {
        "accuracy": _("Test accuracy of {arm} minus that of each baseline, in points."),
        "noise": _("Accuracy under {kinds} kinds of noise, {arm} minus each baseline, in points."),
        "occlusion": _(
            "Accuracy behind {kinds} kinds of occluder, {arm} minus each baseline, in points."
        ),
        "frequency": _(
            "Accuracy on pictures with low or with high frequencies alone, {arm} minus each single "
            "pooling, in points."
        ),
        "start": _("Test accuracy from a start at 0.5 minus that from other starts, in points."),
        "small_data": _(
            "Complex blending minus simple blending (one weight a layer) on few pictures, in "
            "points of test accuracy and of the gap between training and test accuracy."
        ),
        "size": _("Test accuracy of {arm} minus each single pooling, by network, in points."),
    }
    kinds = {
        "noise": len(values.noises(evidence.runs)),
        "occlusion": len(values.occluders(evidence.runs)),
    }
    said = sentences[finding.claim].format(arm=arm, kinds=kinds.get(finding.claim, 0))
    return f"{said} {_conditions(finding)}".strip()


def _conditions(finding: Finding) -> str:
    """Under how many conditions the claim holds, where there are several."""
    if len(finding.conditions) < 2:
        return ""
    found = list(finding.conditions.values())
    return _("Of {total} conditions it holds in {holds}, is refuted in {refuted}.").format(
        total=len(found), holds=found.count("holds"), refuted=found.count("refuted")
    )


def _too_few(finding: Finding, evidence: Evidence) -> str:
    """What runs are missing: said only where something was measured."""
    if finding.claim == "small_data":
        return _("At least {least} seeds of each are needed with few pictures.").format(
            least=MIN_SEEDS
        )
    if finding.claim == "start":
        return _("At least {least} seeds from each of 0.02, 0.5 and 0.98 are needed.").format(
            least=MIN_SEEDS
        )
    if finding.claim == "size":
        return _("At least {least} seeds of each are needed on two networks.").format(
            least=MIN_SEEDS
        )
    arms = [*claims.SINGLE, finding.arm]
    counts = {arm: len(by_arm(evidence.runs).get(arm, ())) for arm in arms}
    return _("At least {least} seeds of each are needed; here are {counts}.").format(
        least=MIN_SEEDS,
        counts=joined([f"{inside(arm)} {count}" for arm, count in counts.items()]),
    )


def _unmeasured(finding: Finding, evidence: Evidence) -> str:
    if finding.claim == "size":
        return _needs_two(evidence)
    if finding.claim == "small_data":
        return _(
            "Nothing was measured: no runs with {pictures} training pictures or fewer compare "
            "{complex} with one weight a layer."
        ).format(pictures=f"{SMALL_DATA:,}", complex=joined([inside(arm) for arm in COMPLEX]))
    words = {
        "noise": _("Nothing was measured: these runs were not tried on noisy pictures."),
        "occlusion": _("Nothing was measured: these runs were not tried on covered pictures."),
        "frequency": _(
            "Nothing was measured on trained networks here: these runs were not tried on low and "
            "high frequencies alone. The page Shift and frequency shows what a pooling keeps of "
            "one picture."
        ),
        "start": _(
            "Nothing was measured: no runs differ in where the blend weight starts. The page "
            "Learning lets several starts race."
        ),
        "cost": _("Nothing was counted: there is no run with max pooling to compare with."),
        "fine_grained": _(
            "No such pictures were trained on here. On your own, this measures it: {command}"
        ),
        "medical": _(
            "No such pictures were trained on here. On your own (class folders or a MedMNIST "
            "file), this measures it: {command}"
        ),
    }
    plain = _("Nothing was measured.")
    return words.get(finding.claim, plain).format(command=f"`{names.OWN_COMMAND}`")


def _needs_two(evidence: Evidence) -> str:
    found = by_network(evidence.runs, evidence.everything)
    listed = [
        _("{network} ({parameters} parameters)").format(
            network=low(names.network_name(*network)),
            parameters=f"{ones[0].costs.parameters:,}",
        )
        for network, ones in found.items()
    ]
    return _("Needs at least two networks; here is: {networks}.").format(
        networks=joined(listed) if listed else "–"
    )


# ---- accuracy ----------------------------------------------------------------------------------


def about_the_gain(comparisons: Sequence[Comparison]) -> list[str]:
    """Whether the article's gain fits, and whether none fits as well."""
    said = []
    for one in comparisons:
        at = one.difference
        if one.baseline not in claims.SINGLE or min(at.counts) < 2:
            continue
        fits = at.low <= claims.ARTICLE_GAIN <= at.high
        if fits and at.low <= 0 <= at.high:
            words = _("Against {name}, a gain of 1.2 points fits these runs, and so does none.")
        elif fits:
            words = _("Against {name}, a gain of 1.2 points fits these runs, and none does not.")
        elif at.high < claims.ARTICLE_GAIN:
            words = _("Against {name}, a gain of 1.2 points is more than these runs allow.")
        else:
            words = _("Against {name}, the gain is larger than 1.2 points.")
        said.append(words.format(name=inside(one.baseline)))
    return said


def what_learning_is_worth(comparisons: Sequence[Comparison]) -> str:
    """Hybrid against a half that never learns, and against the values that it learned."""
    found = {one.baseline: one for one in comparisons if one.baseline in ("fixed", "frozen")}
    if "fixed" not in found:
        return ""
    arm = arm_names()[found["fixed"].arm]
    clauses = joined([clause(one) for one in found.values()])
    said = _("**Is learning worth anything?** In points, {arm} is {clauses}.").format(
        arm=arm, clauses=clauses
    )
    fixed = found["fixed"].outcome
    frozen = found["frozen"].outcome if "frozen" in found else "few"
    ends = {
        "few": _("Too few seeds to tell."),
        "behind": _("So learning the weight does harm here."),
        "equivalent": _("So a half of each is as good, within the margin."),
        "undecided": _(
            "So these runs show neither that learning the weight is worth anything nor that it is "
            "worth nothing."
        ),
    }
    return f"{said} {ends[fixed] if fixed in ends else _value_or_learning(frozen)}"


def _value_or_learning(frozen: str) -> str:
    """What follows once hybrid is ahead of a half: the learning, or the value that it found."""
    return {
        "ahead": _(
            "So it is the learning that helps, more than a half of each and more than the values "
            "that it ends with."
        ),
        "behind": _(
            "So a better value than a half helps, and learning it on the way costs something."
        ),
        "equivalent": _("So it is the value that helps: held from the start it is as good."),
        "undecided": _(
            "So a better value than a half helps; whether it has to be learned on the way, these "
            "runs cannot tell."
        ),
        "few": _(
            "So the learned weight is better than a half; whether by learning or by its value, the "
            "frozen blend would tell, and there are too few runs of it."
        ),
    }[frozen]


def reference(evidence: Evidence) -> str:
    """Hybrid against max pooling with a blur, the reference from outside."""
    arms, by = by_arm(evidence.runs), claims.measure_of("accuracy", evidence.runs)
    at = difference(arms.get(evidence.arm, ()), arms.get("blur", ()), by)
    if at is None:
        return ""
    return _(
        "The reference from outside is max pooling with a blur behind it (Zhang, 2019): {name} "
        "minus that is {interval} points (not corrected)."
    ).format(name=inside(evidence.arm), interval=interval(at))


# ---- conditions and weights --------------------------------------------------------------------


def kind_by_kind(comparisons: Sequence[Comparison]) -> str:
    """Against which single pooling the intervals of single kinds lie clear of 0: exploratory."""
    said = []
    for baseline in claims.SINGLE:
        ones = [one.difference for one in comparisons if one.baseline == baseline]
        if not ones or any(min(at.counts) < MIN_SEEDS for at in ones):
            continue
        said.append(
            _(
                "Against {name} the interval of a single kind lies wholly above 0 in {above} of "
                "{total}, wholly below in {below}."
            ).format(
                name=inside(baseline),
                above=sum(at.low > 0 for at in ones),
                below=sum(at.high < 0 for at in ones),
                total=len(ones),
            )
        )
    if said:
        said.append(_("Single kinds are exploratory: nothing is corrected for their number."))
    return " ".join(said)


def real_blends(runs: Sequence[Run], arm: str) -> str:
    """Where the weights start and end, and how many layers end as good as a single pooling."""
    paths = weight_paths(runs, arm)
    if not paths:
        return ""
    starts = [path.mean[0] for path in paths.values()]
    ends = [path.mean[-1] for path in paths.values()]
    said = _("In these networks the weights start at {start:.2f} and end at {ends}.").format(
        start=sum(starts) / len(starts), ends=joined([f"{end:.2f}" for end in ends])
    )
    count = _(
        "{inside} of {total} layers end with a real blend (weight between 0.05 and 0.95)."
    ).format(inside=sum(0.05 < end < 0.95 for end in ends), total=len(ends))
    return f"{said} {count}"


def row(one: Comparison) -> str:
    """What a comparison is about, without its baseline."""
    if one.condition.endswith(COMPLEX):
        pictures, _space, arm = one.condition.partition(" ")
        words = (
            _("{arm}, {pictures} pictures: gap")
            if one.measure == "gap"
            else _("{arm}, {pictures} pictures: accuracy")
        )
        return words.format(arm=named(arm_names(), arm), pictures=f"{int(pictures):,}")
    if one.condition in condition_names():
        return condition_names()[one.condition]
    network, _space, width = one.condition.rpartition(" ")
    if width.isdigit():
        return names.network_name(network, int(width))
    if one.arm not in arm_names():
        return _("Start at {start}").format(start=one.arm)
    return arm_names()[one.arm]


def label(one: Comparison) -> str:
    """What stands beside the bar of a comparison."""
    if one.condition.endswith(COMPLEX):
        return row(one)
    name = inside(one.baseline) if one.arm in arm_names() else names.start_name(one.baseline)
    against = _("minus {name}").format(name=name)
    return f"{row(one)}, {against}" if one.condition else against


def ends(runs: Sequence[Run]) -> str:
    """Where the blend weights of each layer end, in the mean."""
    paths = weight_paths(runs, runs[0].settings.arm)
    return joined([f"{path.mean[-1]:.2f}" for path in paths.values()]) if paths else "–"


def networks_of_few(evidence: Evidence) -> str:
    """Which network the runs on few pictures are of, where it is another one."""
    groups = few_pictures(evidence.runs, evidence.everything)
    found = {(ones[0].settings.network, ones[0].settings.width) for ones in groups.values()}
    first = evidence.runs[0].settings if evidence.runs else None
    if not found or first is None or found == {(first.network, first.width)}:
        return ""
    return _("These runs are of another network: {network}.").format(
        network=joined([low(names.network_name(*network)) for network in sorted(found)])
    )
