"""What is chosen on the page "Evidence", frozen, the link that restores it, and own results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import streamlit as st

from hybridpool.training.claims import (
    ARTICLE_NETWORK,
    BLENDS,
    CLAIMS,
    MIN_SEEDS,
    SINGLE,
)
from hybridpool.training.curves import by_arm
from hybridpool.training.results import ResultsError, Run, comparable, read_run
from hybridpool.ui import page_state
from hybridpool.ui.settings import SHARED

#: Where the results of the project lie; the variable names another folder.
RESULTS = Path(
    os.environ.get("HYBRIDPOOL_RESULTS", Path(__file__).resolve().parents[2] / "assets" / "results")
)
MAX_FILES = 200
MAX_BYTES = 2_000_000
MAX_BYTES_TOGETHER = 40_000_000


@dataclass(frozen=True)
class Choice:
    """What the page shows.

    Args:
        group: Key of a `Group`; "" is the most telling one.
        arm: The hybrid pooling that is judged, one of `BLENDS`.
        claim: The claim whose charts are shown, one of `CLAIMS`.
        change: The corruption or occluder that is shown; "" is all of the claim together.
    """

    group: str = ""
    arm: str = "hybrid"
    claim: str = "accuracy"
    change: str = ""

    def clamped(self) -> Choice:
        """The nearest one that can be shown; a link may ask for anything.

        Example:
            >>> Choice(arm="max", claim="price").clamped()
            Choice(group='', arm='hybrid', claim='accuracy', change='')
        """
        return replace(
            self,
            arm=self.arm if self.arm in BLENDS else BLENDS[0],
            claim=self.claim if self.claim in CLAIMS else CLAIMS[0],
        )


@dataclass(frozen=True)
class Group:
    """Runs that differ in arm and seed only.

    Attributes:
        key: What names it in a link.
        own: Whether a person loaded it.
        runs: Its runs, by settings.
    """

    key: str
    own: bool
    runs: tuple[Run, ...]

    @property
    def complete(self) -> bool:
        """Whether hybrid and both single poolings have seeds enough to be judged."""
        found = by_arm(self.runs)
        return all(len(found.get(arm, ())) >= MIN_SEEDS for arm in (*SINGLE, BLENDS[0]))


def choice() -> Choice:
    """What is chosen in this session, at first what the link says."""
    if "evidence" not in st.session_state:
        st.session_state["evidence"] = choice_from(st.query_params.to_dict())
    found: Choice = st.session_state["evidence"]
    return found


def choose(**values: str) -> None:
    """Choose something else; another claim shows all its conditions together."""
    if "claim" in values:
        values.setdefault("change", "")
    st.session_state["evidence"] = replace(choice(), **values).clamped()


def choice_from(parameters: Mapping[str, str]) -> Choice:
    """What a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> choice_from({"claim": "noise", "blend": "nobody"}).claim
        'noise'
    """
    plain = Choice()
    return Choice(
        group=parameters.get("results", plain.group),
        arm=parameters.get("blend", plain.arm),
        claim=parameters.get("claim", plain.claim),
        change=parameters.get("under", plain.change).replace("-", " "),
    ).clamped()


def query(chosen: Choice) -> dict[str, str]:
    """It as the parameters of a link.

    Example:
        >>> query(Choice())
        {'blend': 'hybrid', 'claim': 'accuracy'}
    """
    parameters = {"blend": chosen.arm, "claim": chosen.claim}
    if chosen.group:
        parameters["results"] = chosen.group
    if chosen.change:
        parameters["under"] = chosen.change.replace(" ", "-")
    return parameters


def mirror_in_link() -> None:
    """Write the whole state into the address bar, so that the link restores it."""
    page_state.mirror_in_link(SHARED.query(), query(choice()))


def groups(runs: Iterable[Run], *, own: bool = False) -> list[Group]:
    """Runs by what can be compared, the most telling first.

    The article's network comes first where it can be judged, then most pictures, then most runs.
    """
    found = []
    for (name, settings), alike in comparable(runs).items():
        digest = sha256(f"{name} {settings}".encode()).hexdigest()[:6]
        start = "own-" if own else ""
        key = f"{start}{settings.network}-{settings.train_pictures}-{digest}"
        found.append(Group(key, own, tuple(sorted(alike, key=lambda run: run.settings.name))))
    return sorted(found, key=_rank)


def _rank(group: Group) -> tuple[bool, bool, int, int, str]:
    settings = group.runs[0].settings
    article = settings.network == ARTICLE_NETWORK and group.complete
    return (
        not article,
        not group.complete,
        -settings.train_pictures,
        -len(group.runs),
        group.key,
    )


def own_runs() -> tuple[Run, ...]:
    """The runs that this session loaded."""
    found: tuple[Run, ...] = st.session_state.get("own_results", ())
    return found


def forget_own() -> None:
    """Leave the loaded runs."""
    st.session_state.pop("own_results", None)
    st.session_state.pop("own_results_problem", None)
    choose(group="")


def accept_own(files: Sequence[tuple[str, bytes]]) -> None:
    """Show results of a person's own beside those that are there, all of them or none.

    A run with the settings of an earlier one takes its place.
    """
    try:
        runs = read_own(files)
    except ResultsError as problem:
        st.session_state["own_results_problem"] = problem
        return
    st.session_state.pop("own_results_problem", None)
    together = {_identity(run): run for run in (*own_runs(), *runs)}
    st.session_state["own_results"] = tuple(together.values())
    newest = groups(runs, own=True)[0].key
    choose(group=newest)


def read_own(files: Sequence[tuple[str, bytes]]) -> list[Run]:
    """Runs from the bytes of files with their names.

    Raises:
        ResultsError: In one sentence, if they are too many, too large, or no results.
    """
    if len(files) > MAX_FILES:
        raise ResultsError(
            "These are {count} files: choose {most} at most.", count=len(files), most=MAX_FILES
        )
    for name, data in files:
        if len(data) > MAX_BYTES:
            raise ResultsError(
                "{file} is larger than {size} MB, so it cannot be one run's results.",
                file=name,
                size=MAX_BYTES // 1_000_000,
            )
    if sum(len(data) for _, data in files) > MAX_BYTES_TOGETHER:
        raise ResultsError(
            "These files are larger than {size} MB together: choose fewer.",
            size=MAX_BYTES_TOGETHER // 1_000_000,
        )
    return [read_run(data, name) for name, data in files]


def _identity(run: Run) -> tuple[object, ...]:
    return run.data["name"], run.settings
