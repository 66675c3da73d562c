"""What is chosen on the page "Cost", frozen, and the link that restores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import streamlit as st

from hybridpool.cost import CostSettings, NetworkSettings
from hybridpool.ui import words

#: What a person chooses from; a link may ask for other turns.
TURNS = (5, 15, 31, 61)
#: Name in the link -> the field of `CostSettings` that is a number.
_NUMBERS = {
    "batch": "batch",
    "kernel": "kernel_size",
    "stride": "stride",
    "padding": "padding",
    "turns": "turns",
}
_LAYOUTS = {"channels_last": "channels_last", "nchw": "contiguous"}
_MAP = ("channels", "height", "width")


@dataclass(frozen=True)
class Chosen:
    """What is measured.

    Args:
        map: The feature map, the window, and how it is measured.
        side: Side of the pictures that the networks see.
        pictures: How many of them are a batch.
    """

    map: CostSettings = field(default_factory=CostSettings)
    side: int = NetworkSettings.side
    pictures: int = NetworkSettings.batch

    def clamped(self) -> Chosen:
        """The nearest one that can be measured here.

        Example:
            >>> Chosen(CostSettings(kernel_size=99), side=200, pictures=99).clamped().pictures
            8
        """
        network = replace(self.network, side=self.side, batch=self.pictures).clamped()
        return Chosen(self.map.clamped(), network.side, network.batch)

    @property
    def network(self) -> NetworkSettings:
        """The networks, measured in the way of the map."""
        return NetworkSettings(
            self.side,
            self.pictures,
            self.map.memory_format,
            self.map.dtype,
            self.map.device,
            self.map.training,
        )


def chosen() -> Chosen:
    """What is chosen in this session, at first what the link says."""
    if "cost" not in st.session_state:
        st.session_state["cost"] = chosen_from(st.query_params.to_dict())
    found: Chosen = st.session_state["cost"]
    return found


def choose(**values: object) -> None:
    """Choose something else: `side`, `pictures`, or a field of `CostSettings`."""
    now = chosen()
    own = {name: values.pop(name) for name in list(values) if name in ("side", "pictures")}
    of_map = replace(now.map, **values)  # type: ignore[arg-type]
    st.session_state["cost"] = replace(now, map=of_map, **own).clamped()  # type: ignore[arg-type]


def mirror_in_link() -> None:
    """Write what is chosen into the address bar, so that the link restores it."""
    wanted = query(chosen()) | {"lang": words.language()}
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def query(found: Chosen) -> dict[str, str]:
    """It as the parameters of a link.

    Example:
        >>> query(Chosen())["map"]
        '64x32x32'
    """
    settings = found.map
    numbers = {name: str(getattr(settings, field)) for name, field in _NUMBERS.items()}
    layouts = {value: name for name, value in _LAYOUTS.items()}
    return numbers | {
        "map": "x".join(str(getattr(settings, name)) for name in _MAP),
        "layout": layouts[settings.memory_format],
        "type": settings.dtype,
        "pass": "training" if settings.training else "inference",
        "device": settings.device,
        "compiled": str(int(settings.compiled)),
        "pictures": f"{found.pictures}x{found.side}",
    }


def chosen_from(parameters: Mapping[str, str]) -> Chosen:
    """What a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> chosen_from({"map": "8x16x24", "kernel": "three", "pass": "inference"}).map.width
        24
    """
    plain = {each.name: each.default for each in fields(CostSettings)}
    values: dict[str, object] = {}
    for name, of_map in _NUMBERS.items():
        values[of_map] = _whole(parameters.get(name, ""), plain[of_map])
    sizes = [_whole(text, None) for text in parameters.get("map", "").split("x")]
    if len(sizes) == len(_MAP) and None not in sizes:
        values |= dict(zip(_MAP, sizes, strict=True))
    if parameters.get("layout") in _LAYOUTS:
        values["memory_format"] = _LAYOUTS[parameters["layout"]]
    for name, of_map in (("type", "dtype"), ("device", "device")):
        values[of_map] = parameters.get(name, plain[of_map])
    values["training"] = parameters.get("pass") != "inference"
    values["compiled"] = parameters.get("compiled") == "1"
    pictures, _, side = parameters.get("pictures", "").partition("x")
    return Chosen(
        CostSettings(**values),  # type: ignore[arg-type]
        _whole(side, Chosen.side),  # type: ignore[arg-type]
        _whole(pictures, Chosen.pictures),  # type: ignore[arg-type]
    ).clamped()


def _whole(text: str, otherwise: object) -> object:
    try:
        return min(max(int(text[:9]), 0), 10**6)
    except ValueError:
        return otherwise
