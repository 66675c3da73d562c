"""What the runs say of each claim, in words that are composed from the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from hybridpool.training import claims, values
from hybridpool.training.claims import Evidence, Finding
from hybridpool.training.comparisons import MIN_SEEDS, Comparison, difference
from hybridpool.training.curves import weight_paths
from hybridpool.training.records import Run
from hybridpool.training.selection import (
    COMPLEX,
    SINGLE,
    SMALL_DATA,
    by_arm,
    by_network,
    by_start,
    few_pictures,
    network_of,
)
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.numbers import inside, interval, low, signed
from hybridpool.ui.evidence.opening import added_parameters
from hybridpool.ui.evidence.outcomes import clause
from hybridpool.ui.evidence.words import arm_names
from hybridpool.ui.phrases import joined, paragraph
from hybridpool.ui.words import _

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
            count=f"{added_parameters(evidence.runs, finding.arm):,}",
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
        "start": _(
            "Test accuracy with one weight a layer that starts at 0.5, minus that from other "
            "starts, in points."
        ),
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
    elsewhere = {"start": networks_of_starts, "small_data": networks_of_few}
    other = elsewhere[finding.claim](evidence) if finding.claim in elsewhere else ""
    return paragraph([said, _conditions(finding), other])


def _conditions(finding: Finding) -> str:
    """Under how many conditions the claim holds, where there are several."""
    if len(finding.conditions) < 2:
        return ""
    states = list(finding.conditions.values())
    return _("Of {total} conditions it holds in {holds}, is refuted in {refuted}.").format(
        total=len(states), holds=states.count("holds"), refuted=states.count("refuted")
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
    arms = [*SINGLE, finding.arm]
    counts = {arm: len(by_arm(evidence.runs).get(arm, ())) for arm in arms}
    if min(counts.values()) >= MIN_SEEDS:
        return _("At least {least} seeds are needed that all of {list} were run with.").format(
            least=MIN_SEEDS, list=joined([inside(arm) for arm in arms])
        )
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
        "cost": _("Nothing was counted: that takes a run with max pooling and one with {arm}."),
        "fine_grained": _(
            "No network here was trained on such pictures. To measure it on your own pictures: "
            "{command}"
        ),
        "medical": _(
            "No network here was trained on such pictures. To measure it on your own (class "
            "folders or a MedMNIST file): {command}"
        ),
    }
    plain = _("Nothing was measured.")
    return words.get(finding.claim, plain).format(
        command=f"`{names.OWN_COMMAND}`", arm=inside(finding.arm)
    )


def _needs_two(evidence: Evidence) -> str:
    networks = by_network(evidence.runs, evidence.everything)
    listed = [
        _("{network} ({parameters} parameters)").format(
            network=low(names.network_name(*network)),
            parameters=f"{ones[0].costs.parameters:,}",
        )
        for network, ones in networks.items()
    ]
    return _("At least two networks are needed; measured here: {networks}.").format(
        networks=joined(listed) if listed else "–"
    )


# ---- accuracy ----------------------------------------------------------------------------------


def about_the_gain(comparisons: Sequence[Comparison]) -> list[str]:
    """Whether the article's gain fits, and whether none fits as well."""
    said = []
    for one in comparisons:
        delta = one.difference
        if one.baseline not in SINGLE or one.outcome == "few":
            continue
        fits = delta.low <= claims.ARTICLE_GAIN <= delta.high
        if fits and delta.low <= 0 <= delta.high:
            words = _(
                "Against {name}, a gain of 1.2 points fits these runs, and so does no gain at all."
            )
        elif fits:
            words = _(
                "Against {name}, a gain of 1.2 points fits these runs; no gain at all does not."
            )
        elif delta.high < claims.ARTICLE_GAIN:
            words = _("Against {name}, a gain of 1.2 points is more than these runs allow.")
        else:
            words = _("Against {name}, the gain is larger than 1.2 points.")
        said.append(words.format(name=inside(one.baseline)))
    return said


def what_learning_is_worth(comparisons: Sequence[Comparison]) -> str:
    """Hybrid against a half that never learns, and against the values that it learned."""
    by_baseline = {one.baseline: one for one in comparisons if one.baseline in ("fixed", "frozen")}
    if "fixed" not in by_baseline:
        return ""
    arm = arm_names()[by_baseline["fixed"].arm]
    clauses = _("; ").join(clause(one) for one in by_baseline.values())
    said = _("**Is learning worth anything?** In points, {arm} is {clauses}.").format(
        arm=arm, clauses=clauses
    )
    fixed = by_baseline["fixed"].outcome
    if fixed == "ahead" and by_baseline["fixed"].arm != "hybrid":
        # Frozen holds what one weight a layer learned, so it says nothing of other blends.
        return paragraph([said, _("So the learned weights are better than a half.")])
    frozen = by_baseline["frozen"].outcome if "frozen" in by_baseline else "few"
    ends = {
        "few": _("Too few seeds to tell."),
        "behind": _("So learning the weight does harm here."),
        "equivalent": _("So a half of each is as good, within the margin."),
        "undecided": _(
            "So these runs show neither that learning the weight is worth anything nor that it is "
            "worth nothing."
        ),
    }
    return paragraph([said, ends[fixed] if fixed in ends else _value_or_learning(frozen)])


def _value_or_learning(frozen: str) -> str:
    """What follows once hybrid is ahead of a half: the learning, or the value that it found."""
    return {
        "ahead": _(
            "So the learning itself helps: it is better than a half of each, and better than the "
            "values that it ends with."
        ),
        "behind": _(
            "So a better value than a half helps, but learning it during the training costs "
            "something."
        ),
        "equivalent": _("So the value helps: fixed from the start, it is as good."),
        "undecided": _(
            "So a better value than a half helps. These runs cannot tell whether it has to be "
            "learned during the training."
        ),
        "few": _(
            "So the learned weight is better than a half. The frozen blend would tell whether the "
            "learning or the value helps, but there are too few runs of it."
        ),
    }[frozen]


def reference(evidence: Evidence) -> str:
    """Hybrid against max pooling with a blur, the reference from outside."""
    arms, by = by_arm(evidence.runs), claims.measure_of("accuracy", evidence.runs)
    delta = difference(arms.get(evidence.arm, ()), arms.get("blur", ()), by)
    if delta is None:
        return ""
    return _(
        "For comparison, max pooling followed by a blur (Zhang, 2019): {name} minus this pooling "
        "is {interval} points (not corrected)."
    ).format(name=inside(evidence.arm), interval=interval(delta))


# ---- conditions and weights --------------------------------------------------------------------


def kind_by_kind(comparisons: Sequence[Comparison]) -> str:
    """Against which single pooling the intervals of single kinds lie clear of 0: exploratory."""
    said = []
    for baseline in SINGLE:
        ones = [one.difference for one in comparisons if one.baseline == baseline]
        if not ones or any(min(delta.counts) < MIN_SEEDS for delta in ones):
            continue
        said.append(
            _(
                "Against {name}, {above} of {total} kinds have an interval wholly above 0, and "
                "{below} have one wholly below."
            ).format(
                name=inside(baseline),
                above=sum(delta.low > 0 for delta in ones),
                below=sum(delta.high < 0 for delta in ones),
                total=len(ones),
            )
        )
    if said:
        said.append(
            _("Results for single kinds are exploratory: not corrected for multiple comparisons.")
        )
    return paragraph(said)


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
    return paragraph([said, count])


def networks_of_few(evidence: Evidence) -> str:
    """Which network the runs on few pictures are of, where it is another one."""
    groups = few_pictures(evidence.runs, evidence.everything)
    return _elsewhere([ones[0] for ones in groups.values()], evidence)


def networks_of_starts(evidence: Evidence) -> str:
    """Which network the runs from several starts are of, where it is another one."""
    starts = by_start(evidence.runs, evidence.everything)
    return _elsewhere([ones[0] for ones in starts.values()], evidence)


def _elsewhere(runs: Sequence[Run], evidence: Evidence) -> str:
    networks = {network_of(run) for run in runs}
    if not networks or not evidence.runs or networks == {network_of(evidence.runs[0])}:
        return ""
    return _("These runs are of another network: {network}.").format(
        network=joined([low(names.network_name(*network)) for network in sorted(networks)])
    )
