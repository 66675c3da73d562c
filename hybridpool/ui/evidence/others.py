"""Start, cost, size, and tasks that only a person's own pictures can measure."""

from __future__ import annotations

import streamlit as st

from hybridpool.training.claims import Evidence
from hybridpool.training.curves import values_by_arm
from hybridpool.training.selection import by_arm, by_network, by_start
from hybridpool.training.summary import summarise_seeds
from hybridpool.training.values import clean
from hybridpool.ui.charts import show_table
from hybridpool.ui.evidence import numbers, outcomes, sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.parts import link, say, show_paths, show_primary
from hybridpool.ui.words import _


def show_start(evidence: Evidence) -> None:
    """Runs that differ in where the blend weight starts, and how it moves from there."""
    starts = by_start(evidence.runs, evidence.everything)
    rows = []
    for start, runs in sorted(starts.items(), key=lambda item: (item[0] is None, item[0] or 0)):
        summary = summarise_seeds([run.measures.clean for run in runs])
        rows.append(
            (
                names.start_name(str(start)),
                numbers.share(summary.mean),
                str(len(runs)),
                outcomes.ends(runs),
            )
        )
    if rows:
        show_table([_("Start"), _("Test accuracy"), _("Runs"), _("Blend weights at the end")], rows)
        comparisons = evidence.finding("start").comparisons
        show_primary(comparisons, "start_forest")
        say([sentences.networks_of_starts(evidence), outcomes.resolution(comparisons)])
    show_paths(evidence.runs, evidence.arm)
    link("pages/4_Learning.py")


def show_cost(evidence: Evidence) -> None:
    """What every pooling adds, counted; time is measured elsewhere, in turns."""
    rows = []
    for arm, runs in by_arm(evidence.runs).items():
        first = runs[0].costs
        rows.append(
            (
                names.named(names.arm_names(), arm),
                f"{first.parameters:,}",
                f"{first.pooling_parameters:,}",
                f"{max(run.costs.peak_memory for run in runs) / 1e6:,.1f} MB",
            )
        )
    show_table([_("Pooling"), _("Parameters"), _("of which pooling"), _("Memory of a step")], rows)
    st.caption(
        _(
            "These runs shared a machine with other work, so their times are not shown. The page "
            "Cost measures times, layer by layer and inside networks, with the poolings taking "
            "turns."
        )
    )
    link("pages/6_Cost.py")


def show_size(evidence: Evidence) -> None:
    """The same comparison on every network."""
    rows = []
    for (network, width), runs in by_network(evidence.runs, evidence.everything).items():
        values = values_by_arm(runs, clean)
        means = {
            arm: summarise_seeds(list(by_seed.values())).mean for arm, by_seed in values.items()
        }
        # One pooling alone is no best one.
        best = max(means, key=means.__getitem__) if len(means) > 1 else None
        rows.append(
            (
                names.network_name(network, width),
                f"{runs[0].costs.parameters:,}",
                str(len(runs)),
                names.named(names.arm_names(), best) if best else "–",
                numbers.share(means[best]) if best else "–",
            )
        )
    show_table([_("Network"), _("Parameters"), _("Runs"), _("Best mean"), _("Test accuracy")], rows)
    st.caption(
        _(
            "The best of several means is partly luck; the table says which differences are "
            "significant."
        )
    )
    comparisons = evidence.finding("size").comparisons
    show_primary(comparisons, "size_forest")
    say([outcomes.resolution(comparisons)])


def show_own_task() -> None:
    """How to measure on one's own pictures, and bring the results here."""
    st.markdown(
        _(
            "Train on your own pictures: a folder with one folder for each class, or a MedMNIST "
            "file. Then load the results in the sidebar; they are judged by the same rules."
        )
    )
    st.code(names.OWN_COMMAND, language="bash")
