"""The page "Evidence": whose results, the table of claims, the rules, and what was run."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from hybridpool.training.claims import (
    ARTICLE_NETWORK,
    CLAIMS,
    MIN_SEEDS,
    SMALL_COST,
    SMALL_DATA,
)
from hybridpool.training.curves import by_arm
from hybridpool.training.results import Run
from hybridpool.ui import compute, evidence_findings, evidence_state
from hybridpool.ui import evidence_words as names
from hybridpool.ui.evidence_findings import Evidence
from hybridpool.ui.evidence_published import SOURCES, published
from hybridpool.ui.evidence_state import Group
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _, fill

_STYLE = """
.claims { border-collapse: collapse; width: 100%; font-size: 1.05rem; line-height: 1.4; }
.claims :is(th, td) { text-align: left; vertical-align: top; padding: 0.55rem 0.9rem 0.55rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.claims thead th { font-weight: 600; opacity: 0.75; font-size: 0.95rem; }
.claims .claim { width: 34%; font-weight: 400; }
.claims .claim b { display: block; }
.claims .claim q { opacity: 0.8; font-size: 0.95rem; quotes: none; }
.claims .mark { white-space: nowrap; display: inline-flex; gap: 0.45em; align-items: center;
  padding: 0.1rem 0.65rem; border-radius: 1rem; font-weight: 600;
  border: 2px solid var(--mark); background: color-mix(in srgb, var(--mark) 16%, transparent); }
.claims .confirmed { --mark: #009E73; } .claims .depends { --mark: #E69F00; }
.claims .not_confirmed { --mark: #D55E00; } .claims .elsewhere { --mark: #0072B2; }
.claims .open { --mark: #808080; }
@media (max-width: 700px) {
  .claims thead { display: none; }
  .claims :is(tbody, tr, th, td) { display: block; width: auto; border: 0; padding: 0.15rem 0; }
  .claims tr { padding: 0.6rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  .claims .claim { width: auto; }
}
"""


def current_evidence() -> tuple[Evidence, Group] | None:
    """What is judged, chosen in the sidebar; None where there are no results at all."""
    ours, problem = compute.results(evidence_state.RESULTS)
    with st.sidebar:
        groups = [
            *evidence_state.groups(ours),
            *evidence_state.groups(evidence_state.own_runs(), own=True),
        ]
        chosen = _chosen(groups)
        if chosen is not None:
            _show_choices(groups, chosen)
        _show_uploader()
    if problem is not None:
        st.warning(fill(problem), icon=":material/description:")
    if chosen is None:
        return None
    source = evidence_state.own_runs() if chosen.own else ours
    return Evidence(chosen.runs, source, evidence_state.choice().arm), chosen


def show_nothing() -> None:
    """What to do where there are no results."""
    st.info(
        _("No results are here yet. This command makes them, or load your own in the sidebar:"),
        icon=":material/science:",
    )
    st.code(names.COMMAND, language="bash")


def show_summary(evidence: Evidence, group: Group) -> None:
    """What was trained, and the table of claims."""
    st.markdown(trained(group))
    if group.runs[0].settings.network != ARTICLE_NETWORK:
        st.markdown(
            _(
                "The article speaks of **ResNet18**, which was not run here: these verdicts are "
                "about the network above, and none of them proves or refutes a number of the "
                "article's."
            )
        )
    st.html(f"<style>{_STYLE}</style>")
    st.html(table(evidence))
    with st.expander(_("How a verdict is reached"), icon=":material/gavel:"):
        rules = names.rule_words(MIN_SEEDS, SMALL_COST, SMALL_DATA)
        st.markdown("\n".join(f"- {rule}" for rule in rules))


def table(evidence: Evidence) -> str:
    """The claims as a table of HTML: claim, verdict, what was measured."""
    titles, quotes, verdicts = names.claim_titles(), names.claim_quotes(), names.verdict_names()
    rows = []
    for claim in CLAIMS:
        found = evidence.finding(claim)
        mark, verdict = verdicts[found.verdict]
        said = evidence_findings.in_one_line(found, evidence)
        rows.append(
            f'<tr><th scope="row" class="claim"><b>{_text(titles[claim])}</b>'
            f"<q>{_text(quotes[claim])}</q></th>"
            f'<td><span class="mark {found.verdict}"><span aria-hidden="true">{mark}</span>'
            f"{_text(verdict)}</span></td><td>{_text(said)}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{_text(word)}</th>'
        for word in (_("The article's claim"), _("Verdict"), _("What we measured"))
    )
    body = "".join(rows)
    return f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def trained(group: Group) -> str:
    """What was trained, on what, how often and where, in two sentences."""
    runs, settings = group.runs, group.runs[0].settings
    arms = by_arm(runs)
    seeds = sorted({run.settings.seed for run in runs})
    hours = sum(run.history[-1].seconds for run in runs) / 3600
    devices = {str(run.environment.get("device", "?")) for run in runs}
    return _(
        "**{network}** with {parameters} parameters or more, trained on **{data}**: {pictures} "
        "training pictures, {epochs} epochs, {arms} poolings, seeds {seeds}. {count} runs took "
        "{hours:.1f} h of training on {devices}."
    ).format(
        network=names.named(names.network_names(), settings.network),
        parameters=f"{min(run.costs.parameters for run in runs):,}",
        data=_plain(names.named(names.data_names(), runs[0].data["name"])),
        pictures=f"{settings.train_pictures:,}",
        epochs=settings.epochs,
        arms=len(arms),
        seeds=joined([str(seed) for seed in seeds]),
        count=len(runs),
        hours=hours,
        devices=joined(sorted(_plain(names.named(names.device_names(), at)) for at in devices)),
    )


def show_published() -> None:
    """What others found."""
    st.subheader(_("What others have published"))
    rows = [
        (
            f"[{one.source}]({link})" if (link := SOURCES[one.source]) else one.source,
            one.setting,
            one.result,
        )
        for one in published()
    ]
    show_table([_("Source"), _("Setting"), _("Result")], rows)
    st.caption(
        _(
            "Figures as their authors give them, mostly of single runs: a difference of a few "
            "tenths of a point is within what another seed changes."
        )
    )


def show_what_was_run(group: Group) -> None:
    """Settings, versions and the command, to do it again."""
    with st.expander(_("What was run"), icon=":material/terminal:"):
        first = group.runs[0]
        arms = by_arm(group.runs)
        st.markdown(
            _("{arms}: as many runs as there are seeds, each in a file of its own.").format(
                arms=joined(
                    [
                        f"{names.named(names.arm_names(), arm)} ({len(ones)})"
                        for arm, ones in arms.items()
                    ]
                )
            )
        )
        st.markdown(_("The command of the first run, its settings, and where it ran:"))
        st.code(first.command or "-", language="bash")
        st.code(_details(group.runs), language="json")
        if first.settings.network != ARTICLE_NETWORK:
            st.markdown(
                _(
                    "On a GPU this trains the article's network. Loaded here, its results are "
                    "judged by the same rule:"
                )
            )
            st.code(names.ARTICLE_COMMAND, language="bash")


def _details(runs: tuple[Run, ...]) -> str:
    environments = sorted(
        {
            json.dumps({k: v for k, v in run.environment.items() if k != "finished"}, default=str)
            for run in runs
        }
    )
    settings = {
        name: value for name, value in vars(runs[0].settings).items() if name not in ("arm", "seed")
    }
    found = {
        "data": dict(runs[0].data),
        "settings": settings,
        "environments": [json.loads(text) for text in environments],
    }
    return json.dumps(found, indent=1, ensure_ascii=False)


def _chosen(groups: list[Group]) -> Group | None:
    wanted = evidence_state.choice().group
    for group in groups:
        if group.key == wanted:
            return group
    if wanted.startswith("own-"):
        st.info(
            _("This link was made with somebody's own results, which a link cannot carry."),
            icon=":material/link_off:",
        )
    return groups[0] if groups else None


def _show_choices(groups: list[Group], chosen: Group) -> None:
    labels = {group.key: _label(group) for group in groups}
    st.subheader(_("Results"))
    control(
        st.selectbox,
        "group",
        chosen.key,
        _("Which networks"),
        options=list(labels),
        format_func=labels.__getitem__,
        help=_("Only runs that differ in nothing but pooling and seed are compared."),
    )
    blends = names.blend_names()
    control(
        st.segmented_control,
        "arm",
        evidence_state.choice().arm,
        _("Hybrid pooling with"),
        options=list(blends),
        format_func=blends.__getitem__,
        help=_("Which of the article's poolings is judged against max and average."),
        required=True,
    )


def _label(group: Group) -> str:
    settings = group.runs[0].settings
    label = _("{network}, {pictures} pictures, {epochs} epochs ({count} runs)").format(
        network=names.named(names.network_names(), settings.network),
        pictures=f"{settings.train_pictures:,}",
        epochs=settings.epochs,
        count=len(group.runs),
    )
    return _("Yours: {label}").format(label=label) if group.own else label


def _show_uploader() -> None:
    st.subheader(_("Your own results"))
    words = json.dumps(
        _("or drop it here: JSON, up to {count} files of {size} MB").format(
            count=evidence_state.MAX_FILES, size=evidence_state.MAX_BYTES // 1_000_000
        ),
        ensure_ascii=False,
    )
    place = '[class*="st-key-own_files"] [data-testid="stFileUploaderDropzoneInstructions"]'
    st.html(f"<style>{place} span::after {{ content: {words} !important; }}</style>")
    # A new key after each upload empties the widget: what it held is in the session.
    key = f"own_files_{st.session_state.get('own_files_taken', 0)}"
    st.file_uploader(
        _("JSON files of your runs"),
        accept_multiple_files=True,
        key=key,
        on_change=_uploaded,
        args=(key,),
        help=_(
            "Those that python -m hybridpool.training train writes. They are judged like ours, "
            "beside them, and stay on the machine that runs this page."
        ),
    )
    if problem := st.session_state.get("own_results_problem"):
        st.error(fill(problem), icon=":material/error:")
    if count := len(evidence_state.own_runs()):
        st.caption(_("Loaded: {count} runs of your own.").format(count=count))
        st.button(_("Forget them"), key="forget_own", on_click=evidence_state.forget_own)


def _uploaded(key: str) -> None:
    files = st.session_state.get(key) or []
    if files:
        evidence_state.accept_own([(file.name, file.getvalue()) for file in files])
        st.session_state["own_files_taken"] = st.session_state.get("own_files_taken", 0) + 1


def control(
    widget: Callable[..., Any], field: str, value: object, label: str, **options: Any
) -> None:
    """A widget that shows and changes a field of the choice."""
    key = f"evidence_{field}"
    st.session_state[key] = value
    widget(label, key=key, on_change=_moved, args=(field, key), **options)


def _moved(field: str, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        evidence_state.choose(**{field: value})


def show_table(head: list[str], rows: Sequence[tuple[str, ...]]) -> None:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _text(words: str) -> str:
    """Words for HTML; what is between double asterisks becomes bold, as in Markdown."""
    parts = html.escape(words).split("**")
    return "".join(f"<b>{part}</b>" if odd % 2 else part for odd, part in enumerate(parts))


def _plain(words: str) -> str:
    """Words from a file that are to be read as they are, not as Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>$~|:#" else letter for letter in words)
