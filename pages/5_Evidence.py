"""Evidence: the article's claims against trained networks, one verdict each, by a written rule."""

from hybridpool.ui import evidence_state
from hybridpool.ui.evidence_details import show_claim
from hybridpool.ui.evidence_panels import (
    current_evidence,
    show_nothing,
    show_published,
    show_summary,
    show_what_was_run,
)
from hybridpool.ui.frame import open_page
from hybridpool.ui.words import _

open_page(
    _("Evidence"),
    _(
        "What the article claims about hybrid pooling, held against networks that were trained "
        "for it: the same network, data and seeds, and only the pooling changes. The verdicts "
        "follow from the numbers by one rule, also where hybrid pooling does not win."
    ),
    shared_controls=False,
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
evidence_state.mirror_in_link()
