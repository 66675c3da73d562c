"""Evidence: the article's claims against trained networks, one verdict each, by a written rule."""

from hybridpool.ui.evidence.cards import cards
from hybridpool.ui.evidence.details import show_claim
from hybridpool.ui.evidence.source import current_evidence
from hybridpool.ui.evidence.state import STATE
from hybridpool.ui.evidence.summary import (
    show_nothing,
    show_published,
    show_summary,
    show_what_was_run,
)
from hybridpool.ui.frame import open_page
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.settings import SHARED
from hybridpool.ui.words import _

open_page(
    _("Evidence"),
    _(
        "What the article claims about hybrid pooling, held against networks that were trained "
        "for it: the same network, data and seeds, and only the pooling changes. The verdicts "
        "follow from the numbers by rules written beforehand, even where hybrid pooling does "
        "not win."
    ),
    shared_controls=False,
    state=STATE,
    cards=cards(),
)
found = current_evidence()
if found is None:
    show_nothing()
else:
    evidence, group = found
    show_summary(evidence, group)
    show_claim(evidence)
    show_what_was_run(group)
show_published()
mirror_in_link(SHARED.query(), STATE.query())
