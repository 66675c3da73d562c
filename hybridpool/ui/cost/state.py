"""What is chosen on the page "Cost", frozen, and the link that restores it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hybridpool.cost import CostSettings, NetworkSettings
from hybridpool.ui.page_state import PageState, Parameter, wholes

#: What a person chooses from; a link may ask for other rounds.
TURNS = (5, 15, 31, 61)
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


def _write_map(chosen: Chosen) -> str:
    return "x".join(str(getattr(chosen.map, name)) for name in _MAP)


def _read_layout(text: str) -> str:
    if text not in _LAYOUTS:
        raise ValueError(text)
    return _LAYOUTS[text]


STATE = PageState(
    "cost",
    Chosen(),
    (
        Parameter("batch", "batch"),
        Parameter(
            "map",
            values=wholes(r"(?P<channels>-?\d+)x(?P<height>-?\d+)x(?P<width>-?\d+)"),
            write=_write_map,
        ),
        Parameter("map-kernel", "kernel_size", old="kernel"),
        Parameter("map-stride", "stride", old="stride"),
        Parameter("map-padding", "padding", old="padding"),
        Parameter(
            "layout",
            "memory_format",
            read=_read_layout,
            write=lambda chosen: (
                "nchw" if chosen.map.memory_format == "contiguous" else "channels_last"
            ),
        ),
        Parameter("type", "dtype"),
        Parameter(
            "pass",
            "training",
            read=lambda text: text != "inference",
            write=lambda chosen: "training" if chosen.map.training else "inference",
        ),
        Parameter("rounds", "turns", old="turns"),
        Parameter("compiled", "compiled"),
        Parameter("clock-device", "device", old="device"),
        Parameter(
            "networks",
            old="pictures",
            values=wholes(r"(?P<pictures>-?\d+)x(?P<side>-?\d+)"),
            write=lambda chosen: f"{chosen.pictures}x{chosen.side}",
        ),
    ),
)
