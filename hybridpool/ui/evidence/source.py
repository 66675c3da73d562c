"""Whose results: the choice in the sidebar, files of one's own, and what cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hybridpool.training.claims import BLENDS, Evidence
from hybridpool.training.results import ResultsError
from hybridpool.training.selection import by_arm
from hybridpool.training.summary import told_apart
from hybridpool.ui import compute
from hybridpool.ui.browser.files import take_files
from hybridpool.ui.evidence import state
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.numbers import low
from hybridpool.ui.evidence.state import STATE, Group
from hybridpool.ui.phrases import joined, told_plainly
from hybridpool.ui.words import _

_MOST_NAMED = 5


def current_evidence() -> tuple[Evidence, Group] | None:
    """What is judged, chosen in the sidebar; None where there are no results at all."""
    ours = compute.results(state.RESULTS)
    arm = STATE.chosen().arm
    with st.sidebar:
        groups = [*state.groups(ours.runs), *state.groups(state.own_runs(), own=True)]
        chosen = _chosen(groups, arm)
        if chosen is not None:
            blends = _blends_of(chosen)
            arm = arm if arm in blends else blends[0]
            _show_choices(groups, chosen, arm)
        _show_uploader()
    if ours.problems:
        st.warning(told(ours.problems), icon=":material/description:")
    if chosen is None:
        return None
    if chosen.own:
        return Evidence(chosen.runs, state.evidence_of(state.own_runs()), arm), chosen
    fresh = Evidence(chosen.runs, state.evidence_of(ours.runs), arm)
    return ours.judged.setdefault((chosen.key, arm), fresh), chosen


def told(problems: Sequence[ResultsError]) -> str:
    """What is wrong with some files, each in its sentence, and how many more there are."""
    said = [told_plainly(problem) for problem in problems[:_MOST_NAMED]]
    if (rest := len(problems) - len(said)) > 0:
        said.append(_("More files that cannot be used: {count}.").format(count=rest))
    return "\n\n".join(said)


def _chosen(groups: list[Group], arm: str) -> Group | None:
    """The group that was chosen, else the first that was run with this hybrid pooling."""
    wanted = STATE.chosen().group
    for group in groups:
        if group.key == wanted:
            return group
    if wanted.startswith("own-"):
        st.info(
            _(
                "This link was made with somebody's own results, which a link cannot carry: load "
                "the files again to see them."
            ),
            icon=":material/link_off:",
        )
    if not groups:
        return None
    first = next((group for group in groups if arm in by_arm(group.runs)), groups[0])
    if first is not groups[0] and not wanted:
        # It stays when another hybrid pooling of it is chosen.
        STATE.choose(group=first.key)
    return first


def _blends_of(group: Group) -> list[str]:
    """The hybrid poolings that a group was run with; all of them where it was run with none."""
    return [arm for arm in BLENDS if arm in by_arm(group.runs)] or list(BLENDS)


def _show_choices(groups: list[Group], chosen: Group, arm: str) -> None:
    apart = told_apart([group.runs[0].settings.group for group in groups])
    several = len({group.runs[0].data["name"] for group in groups}) > 1
    labels = {
        group.key: _label(group, further, several)
        for group, further in zip(groups, apart, strict=True)
    }
    st.header(_("Results"))
    STATE.control(
        st.selectbox,
        "group",
        _("Which networks"),
        shown=chosen.key,
        options=labels,
        help=_("Only runs that differ in nothing but pooling and seed are compared."),
    )
    blends, offered = names.blend_names(), _blends_of(chosen)
    STATE.pick(
        "arm",
        _("Hybrid pooling with"),
        {blend: blends[blend] for blend in offered},
        shown=arm,
        help=_(
            "Which of the article's poolings is judged. The plan of the experiment names one "
            "weight a layer; the others are exploratory."
        ),
    )
    if missing := [low(name) for blend, name in blends.items() if blend not in offered]:
        st.caption(_("Not run with these networks: {list}.").format(list=joined(missing)))


def _label(group: Group, further: str, with_data: bool) -> str:
    settings = group.runs[0].settings
    label = _("{network}, {pictures} pictures, {epochs} epochs ({count} runs)").format(
        network=names.network_name(settings.network, settings.width),
        pictures=f"{settings.train_pictures:,}",
        epochs=settings.epochs,
        count=len(group.runs),
    )
    data = names.named(names.data_names(), group.runs[0].data["name"]) if with_data else ""
    label = " ".join(filter(None, (label, data, further)))
    return _("Yours: {label}").format(label=label) if group.own else label


def _show_uploader() -> None:
    st.header(_("Your own results"))
    take_files(
        _("JSON files of your runs"),
        "own_files",
        lambda files: state.accept_own([(file.name, file.getvalue()) for file in files]),
        drop=_("or drop it here: JSON, up to {count} files of {size} MB").format(
            count=state.MAX_FILES, size=state.MAX_BYTES // 1_000_000
        ),
        accept_multiple_files=True,
        help=_(
            "The files that python -m hybridpool.training train writes. They are judged by the "
            "same rules as ours, and stay on the machine that runs this page."
        ),
    )
    if problems := state.own_problems():
        st.error(told(problems), icon=":material/error:")
    if count := len(state.own_runs()):
        st.caption(_("Loaded: {count} runs of your own.").format(count=count))
        st.button(_("Forget them"), key="forget_own", on_click=state.forget_own)
