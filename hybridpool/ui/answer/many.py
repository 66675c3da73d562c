"""How one picture's result sits in the experiment, with the way to Evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from hybridpool.answer import Change, measured
from hybridpool.answer.many import Measured
from hybridpool.training.records import Run
from hybridpool.ui import compute
from hybridpool.ui.answer import state
from hybridpool.ui.answer.rows import Row, dial_start, names_of
from hybridpool.ui.phrases import joined, paragraph, percent
from hybridpool.ui.words import _


def show_many(rows: Sequence[Row], change: Change, weight: float | None) -> None:
    """One sentence from the results of these very networks; nothing where there are none.

    Args:
        rows: The networks.
        change: What is done to the picture.
        weight: Where the dial stands, None where it is not turned.
    """
    known = {run.settings.name: run for run in compute.results(state.RESULTS).runs}
    runs = runs_of(rows, known)
    found = measured({arm: ones for arm, ones in runs.items() if ones}, change)
    if found is None:
        return
    st.header(_("From one picture to many"))
    turned = weight is not None and dial_start(list(rows), 0) is not None
    st.markdown(sentence(found, names_of(rows), turned=turned))
    st.page_link("pages/5_Evidence.py", label=_("Evidence: what all networks say together"))


def runs_of(rows: Sequence[Row], known: Mapping[str, Run]) -> dict[str, list[Run]]:
    """For each pooling the runs that left its networks behind; two files of one run are one run.

    Args:
        rows: The networks.
        known: The runs of the experiment by name.
    """
    names = {
        row.key: dict.fromkeys(each.info.name for each in row.networks)
        for row in rows
        if not row.own
    }
    return {key: [known[name] for name in some if name in known] for key, some in names.items()}


def sentence(found: Measured, names: dict[str, str], *, turned: bool = False) -> str:
    """What the experiment measured, with intervals where there are several networks.

    Args:
        found: The measure that is nearest to the change.
        names: What each pooling is called.
        turned: Whether the dial puts another blend weight in the place of theirs.
    """
    under = {
        "gaussian_noise": _("under Gaussian noise of σ = {at}"),
        "speckle_noise": _("under speckle noise of σ = {at}"),
        "shot_noise": _("under shot noise of {at} photons"),
        "impulse_noise": _("with {at} of the values set to 0 or 1"),
        "block grey": _("behind a grey square of {at} pixels a side"),
        "block noise": _("behind a square of random colours of {at} pixels a side"),
        "shift": _("under two random shifts of up to three pixels"),
    }[found.what].format(at=f"{found.at:g}" if found.at is not None else "")
    one = _("**{name}** {share}")
    several = _("**{name}** {share} ({low} to {high})")
    listed = [
        (several if each.count > 1 else one).format(
            name=names[arm],
            share=percent(each.mean, least=1),
            low=percent(max(each.low, 0), least=1),
            high=percent(min(each.high, 1), least=1),
        )
        for arm, each in found.shares.items()
    ]
    if found.what == "shift":
        whole = _(
            "Of {pictures} test pictures, {under}, these networks keep their answer on: {list}."
        )
    else:
        whole = _("Of {pictures} test pictures, {under}, these networks are right on: {list}.")
    said = [whole.format(pictures=f"{found.pictures:,}", under=under, list=joined(listed))]
    if any(each.count > 1 for each in found.shares.values()):
        said.append(_("In brackets the 95 % interval over networks, where there are several."))
    if any(each.count == 1 for each in found.shares.values()):
        said.append(_("A share without an interval comes from one network alone."))
    said.append(_("It is the setting of the experiment that is nearest to the one shown above."))
    if turned:
        said.append(
            _("There the networks have the blend weights of their training, not that of the dial.")
        )
    return paragraph(said)
