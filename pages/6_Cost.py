"""Cost: parameters, operations, memory and time of each pooling, alone and inside a network."""

import streamlit as st

from hybridpool.ui.cost import network as cost_network
from hybridpool.ui.cost.cards import cards
from hybridpool.ui.cost.controls import show_controls
from hybridpool.ui.cost.counts import show_counts
from hybridpool.ui.cost.state import STATE
from hybridpool.ui.cost.times import show_times
from hybridpool.ui.frame import open_page
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.words import _

open_page(
    _("Cost"),
    _(
        "Hybrid pooling is said to cost little. This page counts its cost and measures it on the "
        "machine that runs the page, at the size you choose: against max pooling alone, against a "
        "plain copy of the map, and inside whole networks."
    ),
    shared_controls=False,
    state=STATE,
    cards=cards(),
)
with st.sidebar:
    show_controls()
chosen = STATE.chosen()
mirror_in_link(STATE.query())
by_clock, by_count, in_networks = st.container(), st.container(), st.container()
# What is counted stands on the page before the first clock starts.
with by_count:
    show_counts(chosen.map)
with in_networks:
    networks = cost_network.prepare(chosen.network)
with by_clock:
    show_times(chosen.map)
with in_networks:
    cost_network.show(networks)
