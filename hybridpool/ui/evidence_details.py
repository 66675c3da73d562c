"""The page "Evidence", one claim at a time: its charts, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import streamlit as st

from hybridpool.training import claims
from hybridpool.training.claims import Finding
from hybridpool.training.curves import (
    Line,
    by_arm,
    corruption_lines,
    occlusion_lines,
    size_lines,
    values_by_arm,
    weight_paths,
)
from hybridpool.training.results import Summary, paired_difference, summarise_seeds
from hybridpool.ui import evidence_findings as findings
from hybridpool.ui import evidence_state, frame
from hybridpool.ui import evidence_words as names
from hybridpool.ui.evidence_findings import Evidence
from hybridpool.ui.evidence_panels import control, show_table
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import (
    Interval,
    Path,
    accuracy_chart,
    forest_chart,
    lines_chart,
    paths_chart,
)

BAR = {"displaylogo": False, "displayModeBar": False}


def show_claim(evidence: Evidence) -> None:
    """Choose a claim, and see what is behind its verdict."""
    st.subheader(_("What is behind each verdict"))
    titles = names.claim_titles()
    control(
        st.pills,
        "claim",
        evidence_state.choice().claim,
        _("Claim"),
        options=list(titles),
        format_func=titles.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    claim = evidence_state.choice().claim
    finding = evidence.finding(claim)
    st.markdown(f"> {names.claim_quotes()[claim]}")
    st.markdown(findings.with_verdict(finding, evidence))
    if claim == "accuracy":
        _show_accuracy(evidence, finding)
    elif claim in ("noise", "occlusion"):
        _show_robustness(evidence, finding)
    elif claim == "small_data":
        _show_small_data(evidence, finding)
    elif claim == "size":
        _show_size(evidence, finding)
    elif claim == "cost":
        _show_cost(evidence, finding)
    elif claim == "frequency":
        _show_frequency(evidence)
    else:
        _show_start(evidence)


# ---- accuracy ----------------------------------------------------------------------------------


def _show_accuracy(evidence: Evidence, finding: Finding) -> None:
    values = values_by_arm(evidence.runs, claims.clean)
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            accuracy_chart(
                values,
                {arm: _interval(summarise_seeds(list(at.values()))) for arm, at in values.items()},
                {
                    **_arms(values),
                    "accuracy": _("Test accuracy"),
                    "seed": _("Seed"),
                    "mean": _("Mean"),
                },
            ),
            key="accuracy",
            config=BAR,
            alt=_("Test accuracy by pooling, every seed a dot"),
        )
        st.caption(
            _(
                "Each dot is one trained network. The line below the dots is their mean, with "
                "its 95 % interval. The axis does not start at 0."
            )
        )
    with right:
        rows = []
        for arm in values:
            if arm not in claims.SINGLE:
                found = {
                    other: _interval(at)
                    for other in (*claims.SINGLE, "fixed")
                    if other != arm and (at := paired_difference(evidence.runs, arm, other))
                }
                rows.append((names.named(names.arm_names(), arm), found))
        _show_forest(
            rows,
            "accuracy_forest",
            _("Difference in percentage points"),
            _(
                "Differences seed by seed, with 95 % intervals: to the right of the red line the "
                "pooling in the row is better. Filled marks can be told from 0, hollow ones "
                "cannot. These intervals are not corrected for their number."
            ),
        )
    _say([*findings.about_the_gain(evidence), findings.resolution(finding)])


# ---- noise and occlusion -----------------------------------------------------------------------


def _show_robustness(evidence: Evidence, finding: Finding) -> None:
    noise = finding.claim == "noise"
    of_claim = (claims.noises if noise else claims.occluders)(evidence.runs)
    shown = (claims.corruptions if noise else claims.occluders)(evidence.runs)
    if not of_claim:
        st.info(_("These runs were not measured on changed pictures."), icon=":material/info:")
        return
    chosen = _show_changes(shown, _("All noise") if noise else _("All occluders"))
    taken = [chosen] if chosen else of_claim
    lines = (corruption_lines if noise else occlusion_lines)(evidence.runs, taken)
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            lines_chart(
                _points(lines),
                {
                    **_arms(lines),
                    "x": _("Severity, 0 is unchanged")
                    if noise
                    else _("Side of the occluder in pixels"),
                    "y": _("Accuracy"),
                },
            ),
            key="robustness",
            config=BAR,
            alt=_("Accuracy by pooling, from unchanged to strongly changed pictures"),
        )
        pictures = max(run.measures.pictures for run in evidence.runs)
        st.caption(
            _(
                "Means over seeds with 95 % bands, on the first {pictures} test pictures. Noise "
                "follows CIFAR-10-C in kind and strength, drawn anew."
            ).format(pictures=f"{pictures:,}")
            if noise
            else _(
                "Means over seeds with 95 % bands, on the first {pictures} test pictures, the "
                "occluder at another place in each. Scattered pixels are as many as a square of "
                "that side has."
            ).format(pictures=f"{pictures:,}")
        )
    with right:
        _show_conditions(finding, _("Difference in percentage points"))
    measure = claims.under if noise else claims.behind
    _show_losses(evidence, claims.mean_of([measure(name) for name in taken]), taken)
    together = claims.mean_of([measure(name) for name in of_claim])
    _say(
        [
            findings.condition_by_condition(finding),
            findings.what_learning_is_worth(evidence, together),
            findings.resolution(finding),
        ]
    )


def _show_changes(shown: Sequence[str], together: str) -> str:
    """Which corruption or occluder is shown; "" is all of the claim together."""
    titles = {"": together} | {name: names.named(names.condition_names(), name) for name in shown}
    chosen = evidence_state.choice().change
    chosen = chosen if chosen in titles else ""
    control(
        st.selectbox,
        "change",
        chosen,
        _("What the pictures go through"),
        options=list(titles),
        format_func=titles.__getitem__,
    )
    return chosen


def _show_losses(evidence: Evidence, value: claims.Value, taken: Sequence[str]) -> None:
    """Accuracy on unchanged and changed pictures, what is lost between them, and iOcclusion."""
    clean = values_by_arm(evidence.runs, lambda run: run.measures.clean_of_these)
    changed = values_by_arm(evidence.runs, value)
    lost = values_by_arm(evidence.runs, claims.loss_of(value))
    ratios = values_by_arm(evidence.runs, claims.iocclusion(taken))
    rows = []
    for arm in changed:
        cells = [
            findings.share(summarise_seeds(list(found[arm].values())).mean)
            for found in (clean, changed, lost)
        ]
        against = paired_difference(evidence.runs, arm, "max", claims.loss_of(value))
        same = arm == "max" or against is None
        rows.append(
            (
                names.named(names.arm_names(), arm),
                *cells,
                "–" if same or against is None else findings.interval(against),
                *([f"{fmean(ratios[arm].values()):.2f}"] if arm in ratios else []),
            )
        )
    head = [
        _("Pooling"),
        _("Unchanged"),
        _("Changed"),
        _("Lost"),
        _("Lost more than max, points (95 %)"),
    ]
    show_table([*head, "iOcclusion"] if ratios else head, rows)
    if ratios:
        st.caption(
            _(
                "iOcclusion (Marcu, 2022): the gap between training and test accuracy behind the "
                "occluder, divided by the gap without it. 1 means that the occluder hurts both "
                "alike; networks with hardly any gap make it large and unsteady."
            )
        )


# ---- the rest ----------------------------------------------------------------------------------


def _show_small_data(evidence: Evidence, finding: Finding) -> None:
    groups = claims.by_size(evidence.runs, evidence.everything)
    gaps, tests = size_lines(groups, claims.gap), size_lines(groups, claims.clean)
    left, right = st.columns(2, gap="large")
    for place, key, lines, title in (
        (left, "gaps", gaps, _("Training minus test accuracy")),
        (right, "tests", tests, _("Test accuracy")),
    ):
        with place:
            st.plotly_chart(
                lines_chart(
                    _points(lines),
                    {**_arms(lines), "x": _("Training pictures"), "y": title},
                    logarithmic=True,
                ),
                key=key,
                config=BAR,
                alt=_("{what} by the number of training pictures").format(what=title),
            )
    epochs = [
        _("{pictures} pictures: {epochs} epochs").format(
            pictures=f"{size:,}", epochs=runs[0].settings.epochs
        )
        for size, runs in groups.items()
    ]
    st.caption(
        _("Means over seeds with 95 % bands. A larger gap is more overfitting. {epochs}.").format(
            epochs=joined(epochs)
        )
    )
    if finding.comparisons:
        _show_conditions(finding, _("Difference in percentage points"))
    _say([findings.resolution(finding)])
    _link("pages/4_Learning.py")


def _show_size(evidence: Evidence, finding: Finding) -> None:
    groups = claims.by_network(evidence.runs, evidence.everything)
    rows = []
    for network, runs in groups.items():
        values = values_by_arm(runs, claims.clean)
        best = max(values, key=lambda arm: summarise_seeds(list(values[arm].values())).mean)
        rows.append(
            (
                names.named(names.network_names(), network),
                f"{runs[0].costs.parameters:,}",
                str(len(runs)),
                names.named(names.arm_names(), best),
                findings.share(summarise_seeds(list(values[best].values())).mean),
            )
        )
    show_table([_("Network"), _("Parameters"), _("Runs"), _("Best mean"), _("Test accuracy")], rows)
    if finding.comparisons:
        _show_conditions(finding, _("Difference in percentage points"))


def _show_cost(evidence: Evidence, finding: Finding) -> None:
    rows = []
    for arm, runs in by_arm(evidence.runs).items():
        first = runs[0].costs
        seconds = summarise_seeds([run.costs.seconds_per_step for run in runs])
        rows.append(
            (
                names.named(names.arm_names(), arm),
                f"{first.parameters:,}",
                f"{first.pooling_parameters:,}",
                f"{1000 * seconds.mean:.1f} ms ± {1000 * seconds.deviation:.1f}",
                f"{max(run.costs.peak_memory for run in runs) / 1e6:,.1f} MB",
            )
        )
    show_table(
        [
            _("Pooling"),
            _("Parameters"),
            _("of which pooling"),
            _("Time per step, mean ± deviation"),
            _("Memory"),
        ],
        rows,
    )
    if finding.comparisons:
        _show_conditions(finding, _("More than max or average, in %"), limit=claims.SMALL_COST)
    st.caption(
        _(
            "Times are those of whole training steps while the runs were made, where other work "
            "may have shared the machine. Measured with care, layer by layer, they are on a page "
            "of their own."
        )
    )
    _link("pages/6_Cost.py")


def _show_frequency(evidence: Evidence) -> None:
    _link("pages/3_Shift_and_frequency.py")
    values = values_by_arm(evidence.runs, claims.consistency)
    if values:
        st.markdown(
            _(
                "What these networks add: frequencies that a pooling folds over (aliasing) make "
                "the class depend on shifts. Shift consistency is the share of pictures whose "
                "class stays the same under two shifts of up to three pixels."
            )
        )
        rows = []
        for arm, found in values.items():
            against = paired_difference(evidence.runs, arm, "max", claims.consistency)
            rows.append(
                (
                    names.named(names.arm_names(), arm),
                    findings.share(summarise_seeds(list(found.values())).mean),
                    "–" if arm == "max" or against is None else findings.interval(against),
                )
            )
        show_table([_("Pooling"), _("Shift consistency"), _("Minus max, points (95 %)")], rows)
    _show_paths(evidence)


def _show_start(evidence: Evidence) -> None:
    _link("pages/4_Learning.py")
    _show_paths(evidence)
    _say([findings.what_learning_is_worth(evidence)])


def _show_paths(evidence: Evidence) -> None:
    paths = weight_paths(evidence.runs, evidence.arm)
    if not paths:
        st.info(_("No run noted how the blend weights moved."), icon=":material/info:")
        return
    st.plotly_chart(
        paths_chart(
            {
                _("Layer {number}").format(number=number): Path(
                    path.steps, path.mean, path.low, path.high
                )
                for number, path in enumerate(paths.values(), 1)
            },
            {
                "steps": _("Training step"),
                "blend_weight": _("Blend weight"),
                "max": _("max"),
                "average": _("average"),
            },
        ),
        key="paths",
        config=BAR,
        alt=_("Blend weight of each pooling layer over the training"),
    )
    st.caption(
        _(
            "Learned by these networks: the mean over seeds and channels, layer 1 next to the "
            "picture. Bands reach from the lowest to the highest weight of any seed and channel."
        )
    )


# ---- parts -------------------------------------------------------------------------------------


def _show_conditions(finding: Finding, difference: str, limit: float = 0.0) -> None:
    titles, arms, networks = names.condition_names(), names.arm_names(), names.network_names()
    rows = []
    for (condition, arm), ones in finding.conditions().items():
        label = titles.get(condition) or networks.get(condition, condition)
        if finding.claim == "small_data":
            label = _("{arm}, {pictures} pictures").format(
                arm=names.named(arms, arm), pictures=f"{int(condition):,}"
            )
        rows.append((label, {one.baseline: _interval(one.difference) for one in ones}))
    _show_forest(
        rows,
        f"forest_{finding.claim}",
        difference,
        _(
            "How much more {arm} takes than max and than average. To the right of the red line it "
            "is more than the {limit:.0f} % that count as little; the intervals cover "
            "{confidence:.4g} % each, together 95 %. Filled marks lie wholly on one side."
        ).format(
            arm=findings.low(names.named(arms, finding.arm)),
            limit=100 * limit,
            confidence=100 * finding.confidence,
        )
        if limit
        else _(
            "{arm} minus max and minus average, seed by seed. To the right of the red line it is "
            "higher; the intervals cover {confidence:.4g} % each, together 95 %. Filled marks lie "
            "wholly on one side."
        ).format(
            arm=_("The pooling in the row")
            if finding.claim == "small_data"
            else names.named(arms, finding.arm),
            confidence=100 * finding.confidence,
        ),
        limit=limit,
    )


def _show_forest(
    rows: Sequence[tuple[str, Mapping[str, Interval]]],
    key: str,
    difference: str,
    caption: str,
    limit: float = 0.0,
) -> None:
    arms = names.arm_names()
    against = {
        arm: _("against {name}").format(name=findings.low(name)) for arm, name in arms.items()
    }
    if not any(found for _label, found in rows):
        return
    st.plotly_chart(
        forest_chart(rows, {**against, "difference": difference}, limit=limit),
        key=key,
        config=BAR,
        alt=_("Differences between poolings with their intervals"),
    )
    st.caption(caption)


def _link(file: str) -> None:
    pages = frame.pages()
    if file in pages:
        st.page_link(
            file,
            label=_("Measured on the page “{page}”").format(page=pages[file]),
            icon=":material/arrow_forward:",
        )


def _say(sentences: Sequence[str]) -> None:
    said = [sentence for sentence in sentences if sentence]
    if said:
        st.markdown("\n\n".join(said))


def _arms(found: Mapping[str, object]) -> dict[str, str]:
    return {arm: names.named(names.arm_names(), arm) for arm in found}


def _interval(at: Summary) -> Interval:
    return Interval(at.mean, at.low, at.high)


def _points(lines: Mapping[str, Line]) -> dict[str, tuple[Sequence[float], list[Interval]]]:
    return {arm: (places, list(map(_interval, found))) for arm, (places, found) in lines.items()}
