"""Noise and occlusion: what each pooling makes of a picture that has been changed."""

import streamlit as st

from hybridpool.ui import compute, noise_state
from hybridpool.ui.compare import show_compare
from hybridpool.ui.frame import open_page
from hybridpool.ui.inspector import resolved_view
from hybridpool.ui.noise_curves import show_curves
from hybridpool.ui.noise_effects import dial_weight, sentences
from hybridpool.ui.noise_panels import show_controls
from hybridpool.ui.occlusion_panels import show_occlusion_map
from hybridpool.ui.results import current_trace
from hybridpool.ui.words import _


# No fragment: a fragment's rerun waits until the running script has ended, and the curves are to
# stop as soon as something else is asked for.
def study(trace, picture):
    done, seen = show_controls(), resolved_view(trace)
    compared = compute.compared(trace, picture, done)
    show_compare(compared, seen, picture, done)
    st.markdown(sentences(compared, seen, done))
    noise_state.mirror_in_link()
    weight = dial_weight(compared, seen)
    if done.kind == "noise":
        show_curves(compared, picture, done, weight)
    else:
        show_occlusion_map(trace, picture, done, weight)


open_page(
    _("Noise and occlusion"),
    _(
        "Hybrid pooling is said to be more robust to noise and to partial occlusion. Change the "
        "picture and see what each pooling makes of it: the same picture, the same filters, the "
        "same noise in every row."
    ),
)
study(*current_trace())
