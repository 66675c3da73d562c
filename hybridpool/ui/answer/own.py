"""Networks of a person's own beside the others: read as safetensors, and nothing in them is run."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hybridpool.answer import Network, read_fit_network
from hybridpool.pictures.image import image_digest
from hybridpool.training.network_files import NetworkFileError
from hybridpool.ui.answer.state import own_networks
from hybridpool.ui.browser.files import take_files
from hybridpool.ui.phrases import told_plainly
from hybridpool.ui.words import _, ngettext

#: How many networks of their own a person may bring.
MOST = 3


def show_own_networks() -> None:
    """The uploader in the sidebar, what it holds, and what was wrong with the last file."""
    with st.sidebar:
        st.header(_("Your own network"))
        take_files(
            _("A network that you trained"),
            "own_network",
            _uploaded,
            drop=_("or drop it here: .safetensors"),
            help=_(
                "A file that python -m hybridpool.training networks writes: small or air, 32 × 32 "
                "pixels, any pooling. It stays on the machine that runs this page."
            ),
        )
        if problem := st.session_state.get("own_network_problem"):
            st.error(told_plainly(problem), icon=":material/error:")
        if count := len(own_networks()):
            said = ngettext(
                "{count} network of your own is shown.",
                "{count} networks of your own are shown.",
                count,
            )
            st.caption(said.format(count=count))
            st.button(_("Forget them"), key="forget_networks", on_click=_forget)


def accept(name: str, data: bytes) -> None:
    """Show a network of the person's own, the latest ones if there are too many.

    Raises:
        NetworkFileError: If it is no network that can be shown.
    """
    network = read(name, data)
    others = [each for each in own_networks() if each.key != network.key]
    st.session_state["own_networks"] = (*others, network)[-MOST:]


def read(name: str, data: bytes) -> Network:
    """A network from the bytes of its file, named after the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        path.write_bytes(data)
        network = read_fit_network(path, name)
    return replace(network, key=f"{Path(name).stem}-{image_digest(data)}")


def _uploaded(files: list[UploadedFile]) -> None:
    for file in files:
        st.session_state.pop("own_network_problem", None)
        try:
            accept(file.name, file.getvalue())
        except NetworkFileError as problem:
            st.session_state["own_network_problem"] = problem.alone()


def _forget() -> None:
    st.session_state.pop("own_networks", None)
