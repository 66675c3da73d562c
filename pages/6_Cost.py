"""Cost: parameters, operations, memory and time of each pooling, alone and inside a network."""

import streamlit as st

from hybridpool.ui import cost_network, cost_panels, cost_state
from hybridpool.ui.frame import open_page
from hybridpool.ui.words import _

open_page(
    _("Cost"),
    _(
        "Hybrid pooling is said to add little. Here its price is counted, and measured on the "
        "machine that runs this page, at the size you choose: against max pooling alone, against "
        "a plain copy of the map, and inside whole networks."
    ),
    shared_controls=False,
)
with st.sidebar:
    cost_panels.show_controls()
chosen = cost_state.chosen()
cost_state.mirror_in_link()
by_clock, by_count, in_networks = st.container(), st.container(), st.container()
# What is counted stands on the page before the first clock starts.
with by_count:
    cost_panels.show_counts(chosen.map)
with in_networks:
    networks = cost_network.prepare(chosen.network)
with by_clock:
    cost_panels.show_times(chosen.map)
with in_networks:
    cost_network.show(networks)
