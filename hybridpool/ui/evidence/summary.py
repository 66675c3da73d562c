"""What was trained, what it means for a practitioner, and the claims as a table."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from hybridpool.training.claims import ARTICLE_NETWORK, CLAIMS, Evidence
from hybridpool.training.records import Run, is_cifar10
from hybridpool.training.selection import SMALL_DATA, by_arm, network_of, older_than_the_plan
from hybridpool.training.summary import data_of
from hybridpool.ui.charts import show_table
from hybridpool.ui.evidence import opening, sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.bars import bars
from hybridpool.ui.evidence.parts import say
from hybridpool.ui.evidence.published import SOURCES, published
from hybridpool.ui.evidence.state import Group
from hybridpool.ui.phrases import joined, plain
from hybridpool.ui.words import _, markup

_STYLE = Path(__file__).resolve().parents[3] / "assets" / "evidence" / "table.css"


def show_nothing() -> None:
    """Say what to do when there are no results."""
    st.info(
        _("No results are here yet. This command makes them, or load your own in the sidebar:"),
        icon=":material/science:",
    )
    st.code(names.COMMAND, language="bash")


def show_summary(evidence: Evidence, group: Group) -> None:
    """Two sentences for a practitioner, the table of claims, and what was trained."""
    say([opening.gains(evidence), opening.price(evidence)])
    st.html(_STYLE)
    st.html(table(evidence))
    st.caption(
        _(
            "Bars are 95 % intervals around the mean, each row on a scale of its own. Red line: no "
            "difference. Grey band: differences that count as none. A filled dot marks a "
            "difference that is significant after Holm's correction."
        )
    )
    st.markdown(trained(group))
    say([_about_the_plan(group), _about_the_article(group)])
    with st.expander(_("How a verdict is reached"), icon=":material/gavel:"):
        st.markdown("\n".join(f"- {rule}" for rule in names.rule_words()))


def _about_the_plan(group: Group) -> str:
    if not older_than_the_plan(group.runs):
        return ""
    return _(
        "These runs are older than the rules, which were written with their numbers known: their "
        "verdicts are exploratory, and take no part in those of other networks."
    )


def _about_the_article(group: Group) -> str:
    """Whether this is what the article speaks of."""
    settings = group.runs[0].settings
    network, width = network_of(group.runs[0])
    name = data_of(group.runs[0]).name
    if not is_cifar10(name) or settings.train_pictures <= SMALL_DATA:
        return _(
            "The article's number is about all of CIFAR-10, and these networks learned from other "
            "or from fewer pictures. None of these verdicts proves or refutes it."
        )
    if (network, width) == ARTICLE_NETWORK:
        return ""
    if network == ARTICLE_NETWORK[0]:
        return _(
            "The article speaks of **ResNet18**, whose first stage has {full} channels; here it "
            "has {width}. None of these verdicts proves or refutes a number of the article's."
        ).format(full=ARTICLE_NETWORK[1], width=width)
    return _(
        "The article speaks of **ResNet18**, which is another network: these verdicts are about "
        "the network above or the one that a row names, and none of them proves or refutes a "
        "number of the article's."
    )


def table(evidence: Evidence) -> str:
    """The claims as a table of HTML: claim, verdict, what was measured."""
    titles, quotes, verdicts = names.claim_titles(), names.claim_quotes(), names.verdict_names()
    rows = []
    for claim in CLAIMS:
        finding = evidence.finding(claim)
        mark, verdict = verdicts[finding.verdict]
        said = markup(sentences.in_one_line(finding, evidence))
        rows.append(
            f'<tr><th scope="row" class="claim"><b>{markup(titles[claim])}</b>'
            f"<q>{markup(quotes[claim])}</q></th>"
            f'<td><span class="mark {finding.verdict}"><span aria-hidden="true">{mark}</span>'
            f'{markup(verdict)}</span></td><td><span class="said">{said}</span>'
            f"{bars(finding.comparisons)}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{markup(word)}</th>'
        for word in (_("The article's claim"), _("Verdict"), _("What we measured"))
    )
    body = "".join(rows)
    return f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def trained(group: Group) -> str:
    """What was trained, on what, how often and where, in two sentences."""
    runs, settings = group.runs, group.runs[0].settings
    seeds = sorted({run.settings.seed for run in runs})
    hours = sum(run.history[-1].seconds for run in runs) / 3600
    devices = {str(run.environment.get("device", "?")) for run in runs}
    return _(
        "**{network}** with {parameters} parameters or more, trained on **{data}**: {pictures} "
        "training pictures, {epochs} epochs, {arms} poolings, seeds {seeds}. {count} runs took "
        "{hours:.1f} h of training on {devices}."
    ).format(
        network=names.network_name(settings.network, settings.width),
        parameters=f"{min(run.costs.parameters for run in runs):,}",
        data=plain(names.named(names.data_names(), runs[0].data["name"])),
        pictures=f"{settings.train_pictures:,}",
        epochs=settings.epochs,
        arms=len(by_arm(runs)),
        seeds=joined([str(seed) for seed in seeds]),
        count=len(runs),
        hours=hours,
        devices=joined(
            sorted(plain(names.named(names.device_names(), device)) for device in devices)
        ),
    )


def show_published() -> None:
    """What others have published."""
    st.header(_("What others have published"))
    rows = [
        (
            f"[{one.source}]({link})" if (link := SOURCES[one.source]) else one.source,
            one.setting,
            one.result,
        )
        for one in published()
    ]
    show_table([_("Source"), _("Setting"), _("Result")], rows, numbers=False)
    st.caption(
        _(
            "These are the authors' own figures, mostly of single runs: another seed alone may "
            "change them by a few tenths of a point."
        )
    )


def show_what_was_run(group: Group) -> None:
    """Settings, versions and the command that repeats the runs."""
    with st.expander(_("What was run"), icon=":material/terminal:"):
        first = group.runs[0]
        st.markdown(
            _("{arms}: one run for each seed, each in a file of its own.").format(
                arms=joined(
                    [
                        f"{names.named(names.arm_names(), arm)} ({len(ones)})"
                        for arm, ones in by_arm(group.runs).items()
                    ]
                )
            )
        )
        st.markdown(_("The command of the first run, its settings, and where it ran:"))
        st.code(first.command or "-", language="bash")
        st.code(_details(group.runs), language="json")
        if network_of(first) != ARTICLE_NETWORK:
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
    facts = {
        "data": dict(runs[0].data),
        "settings": vars(runs[0].settings.group),
        "environments": [json.loads(text) for text in environments],
    }
    return json.dumps(facts, indent=1, ensure_ascii=False)
