"""What the sections of the page "Evidence" share: forests of intervals, tables, paragraphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from hybridpool.training.comparisons import Comparison, Difference
from hybridpool.training.curves import Line, weight_paths
from hybridpool.training.records import Run
from hybridpool.training.summary import Summary
from hybridpool.ui import frame
from hybridpool.ui.charts import show_chart
from hybridpool.ui.evidence import numbers, outcomes, sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.words import _
from hybridpool.viz.evidence_charts import Interval, Path, forest_chart, paths_chart


def show_forest(
    rows: Sequence[tuple[str, Mapping[str, Difference]]],
    key: str,
    caption: str,
    margin: float = 0.0,
) -> None:
    """Differences with their intervals, a row a condition, a mark a baseline."""
    shown = [(label, differences) for label, differences in rows if differences]
    if not shown:
        return
    against = {
        arm: _("against {name}").format(name=numbers.low(name))
        for arm, name in names.arm_names().items()
    }
    known = {baseline for _label, differences in shown for baseline in differences}
    against |= {start: names.start_name(start) for start in known if start not in against}
    show_chart(
        forest_chart(
            [
                (label, {k: as_interval(delta) for k, delta in differences.items()})
                for label, differences in shown
            ],
            {**against, "difference": _("Difference in percentage points")},
            margin=margin,
        ),
        key=key,
        alt=_("Differences between poolings with their intervals"),
    )
    st.caption(caption)


def show_primary(comparisons: Sequence[Comparison], key: str) -> None:
    """The comparisons that decide, each with its 95 % interval, the margin shaded."""
    rows: dict[str, dict[str, Difference]] = {}
    for one in comparisons:
        rows.setdefault(outcomes.row(one), {})[one.baseline] = one.difference
    margin = max((one.margin for one in comparisons), default=0.0)
    show_forest(
        list(rows.items()),
        key,
        _(
            "Differences with intervals of 95 % each. The interval of a filled mark does not reach "
            "0; the table above says what is significant after Holm's correction. Shaded: "
            "differences up to ±{margin:g} points, which count as none."
        ).format(margin=100 * margin),
        margin,
    )


def show_paths(runs: Sequence[Run], arm: str) -> None:
    """How blend weights moved during the training."""
    paths = weight_paths(runs, arm)
    if not paths:
        st.info(_("No run recorded how the blend weights moved."), icon=":material/info:")
        return
    show_chart(
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
        alt=_("Blend weight of each pooling layer over the training"),
    )
    st.caption(
        _(
            "These networks learned the weights. Lines are means over seeds and channels, and "
            "layer 1 is next to the picture. Bands reach from the lowest to the highest weight of "
            "any seed and channel."
        )
    )
    say([sentences.real_blends(runs, arm)])


def link(file: str) -> None:
    """The way to the page where the same is measured live."""
    pages = frame.pages()
    if file in pages:
        st.page_link(
            file,
            label=_("Measured on the page “{page}”").format(page=pages[file]),
            icon=":material/arrow_forward:",
        )


def say(said: Sequence[str]) -> None:
    """Sentences, a paragraph each."""
    kept = [sentence for sentence in said if sentence]
    if kept:
        st.markdown("\n\n".join(kept))


def arms(shown: Mapping[str, object]) -> dict[str, str]:
    """The names of the arms that a chart shows."""
    return {arm: names.named(names.arm_names(), arm) for arm in shown}


def as_interval(estimate: Summary | Difference) -> Interval:
    """A mean with its interval, as charts take it."""
    return Interval(estimate.mean, estimate.low, estimate.high)


def as_points(lines: Mapping[str, Line]) -> dict[str, tuple[Sequence[float], list[Interval]]]:
    """Lines as charts take them."""
    return {
        arm: (places, list(map(as_interval, estimates)))
        for arm, (places, estimates) in lines.items()
    }
