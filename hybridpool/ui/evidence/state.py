"""What is chosen on the page "Evidence", frozen, the link that restores it, and own results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

from hybridpool.training.claims import BLENDS, CLAIMS, precedence
from hybridpool.training.records import Run
from hybridpool.training.results import ResultsError, read_run
from hybridpool.training.selection import by_arm
from hybridpool.training.summary import comparable, data_of
from hybridpool.ui.page_state import PageState, Parameter, Values

#: Where the results of the project lie; the variable names another folder.
RESULTS = Path(
    os.environ.get("HYBRIDPOOL_RESULTS", Path(__file__).resolve().parents[3] / "assets" / "results")
)
MAX_FILES = 200
MAX_BYTES = 2_000_000
MAX_BYTES_TOGETHER = 40_000_000


@dataclass(frozen=True)
class Choice:
    """What the page shows.

    Args:
        group: Key of a `Group`; "" is the first one.
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


def _along(chosen: Choice, values: Values) -> Values:
    """Another claim shows all its conditions together."""
    return {"change": ""} | values if "claim" in values else values


STATE = PageState(
    "evidence",
    Choice(),
    (
        Parameter("results", "group", write=lambda chosen: chosen.group or None),
        Parameter("blend", "arm"),
        Parameter("claim", "claim"),
        Parameter(
            "under",
            "change",
            read=lambda text: text.replace("-", " "),
            write=lambda chosen: chosen.change.replace(" ", "-") or None,
        ),
    ),
    _along,
)


def evidence_of(runs: Iterable[Run]) -> list[Run]:
    """Runs that count: those that chose a setting, on pictures held out, are no evidence."""
    return [run for run in runs if not run.settings.held_out]


def groups(runs: Iterable[Run], *, own: bool = False) -> list[Group]:
    """Runs by what can be compared, in the order of `precedence`.

    Of ours, runs of a single pooling are no group: other starts are shown with their claim.
    """
    made = []
    for (data, settings), alike in comparable(evidence_of(runs)).items():
        digest = sha256(f"{data.name} {settings}{data.digest}".encode()).hexdigest()[:6]
        start = "own-" if own else ""
        key = f"{start}{settings.network}-{settings.train_pictures}-{digest}"
        made.append(Group(key, own, tuple(sorted(alike, key=lambda run: run.settings.name))))
    several = [group for group in made if own or len(by_arm(group.runs)) > 1]
    return sorted(several or made, key=_rank)


def _rank(group: Group) -> tuple[Any, ...]:
    return (*(-each for each in precedence(group.runs)), group.key)


def own_runs() -> tuple[Run, ...]:
    """The runs that this session loaded."""
    return tuple(run for run, _size in _held().values())


def _held() -> dict[tuple[object, ...], tuple[Run, int]]:
    """The runs that this session loaded and how large their files were, by what they are."""
    held: dict[tuple[object, ...], tuple[Run, int]] = st.session_state.get("own_results", {})
    return held


def forget_own() -> None:
    """Leave the loaded runs."""
    st.session_state.pop("own_results", None)
    st.session_state.pop("own_results_problems", None)
    STATE.choose(group="")


def own_problems() -> tuple[ResultsError, ...]:
    """What was wrong with the files that were loaded last."""
    problems: tuple[ResultsError, ...] = st.session_state.get("own_results_problems", ())
    return problems


def accept_own(files: Sequence[tuple[str, bytes]]) -> None:
    """Show results of a person's own beside those that are there; bad files alone are refused.

    A run with the settings of an earlier one takes its place.
    """
    try:
        runs, problems = read_own(files)
        together = _held() | {_identity(run): (run, size) for run, size in runs}
        if sum(size for _run, size in together.values()) > MAX_BYTES_TOGETHER:
            raise ResultsError(
                "With those that are loaded, these files are larger than {size} MB together: "
                "remove those first.",
                size=MAX_BYTES_TOGETHER // 1_000_000,
            )
    except ResultsError as problem:
        runs, problems = [], [problem]
    st.session_state["own_results_problems"] = tuple(problem.alone() for problem in problems)
    if not runs:
        return
    st.session_state["own_results"] = together
    newest = groups((run for run, _size in runs), own=True)
    if newest:
        STATE.choose(group=newest[0].key)


def read_own(
    files: Sequence[tuple[str, bytes]],
) -> tuple[list[tuple[Run, int]], list[ResultsError]]:
    """Runs from the bytes of files with their names, how many, and what is wrong with the others.

    Raises:
        ResultsError: In one sentence, if they are too many or too large together.
    """
    if len(files) > MAX_FILES:
        raise ResultsError(
            "These are {count} files: choose {most} at most.", count=len(files), most=MAX_FILES
        )
    if sum(len(data) for _, data in files) > MAX_BYTES_TOGETHER:
        raise ResultsError(
            "These files are larger than {size} MB together: choose fewer.",
            size=MAX_BYTES_TOGETHER // 1_000_000,
        )
    runs: list[tuple[Run, int]] = []
    problems: list[ResultsError] = []
    for name, data in files:
        try:
            runs.append((_read_one(name, data), len(data)))
        except ResultsError as problem:
            problems.append(problem)
    return runs, problems


def _read_one(name: str, data: bytes) -> Run:
    if len(data) > MAX_BYTES:
        raise ResultsError(
            "{file} is larger than {size} MB, so it cannot be one run's results.",
            file=name,
            size=MAX_BYTES // 1_000_000,
        )
    run = read_run(data, name)
    if run.settings.held_out:
        raise ResultsError(
            "{file} is a run that chose a setting on pictures held out, which is no evidence.",
            file=name,
        )
    return run


def _identity(run: Run) -> tuple[object, ...]:
    return data_of(run), run.settings
