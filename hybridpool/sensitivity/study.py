"""What is studied about shifts, frequencies and gradients, as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hybridpool.more_poolings import MORE_POOLINGS, StochasticPooling
from hybridpool.pictures.perturb import band_pass
from hybridpool.sensitivity.shifts import AXES, MODES, REACH
from hybridpool.trace import MAX_SEED, Settings

#: Where bands of frequencies begin and end, as shares of the Nyquist frequency.
BANDS: dict[str, tuple[float, float | None]] = {
    "all": (0.0, None),
    "low": (0.0, 1 / 3),
    "middle": (1 / 3, 2 / 3),
    "high": (2 / 3, None),
}
GRADIENTS_OF = ("cell", "all")
SHOWN_ON = ("feature_map", "picture")


@dataclass(frozen=True)
class Study:
    """What is studied: a shift, a band of frequencies, further poolings, a gradient.

    Args:
        rows: Pixels that the picture moves down.
        columns: Pixels that it moves to the right.
        mode: ``"crop"`` or ``"circular"``.
        axis: Along which axis the curve runs.
        more: Keys of `MORE_POOLINGS` that are shown too, in the order of that table.
        draw: Seed of stochastic pooling.
        band: Which frequencies of the picture are used, a key of `BANDS`.
        gradient_of: Whose gradient is shown, that of one pooled ``"cell"`` or of ``"all"``.
        row: Row of that cell; None is the example cell.
        column: Its column.
        shown_on: Where the gradient is shown, on the ``"feature_map"`` or the ``"picture"``.
    """

    rows: int = 0
    columns: int = 1
    mode: str = "crop"
    axis: str = "columns"
    more: tuple[str, ...] = ()
    draw: int = 0
    band: str = "all"
    gradient_of: str = "cell"
    row: int | None = None
    column: int | None = None
    shown_on: str = "feature_map"

    def clamped(self) -> Study:
        """The nearest one that can be done; a link may ask for anything.

        Example:
            >>> Study(rows=99, mode="fly", more=("soft", "blur", "soft")).clamped().more
            ('blur', 'soft')
        """
        both = self.row is not None and self.column is not None
        return replace(
            self,
            rows=_clamp(self.rows, -REACH, REACH),
            columns=_clamp(self.columns, -REACH, REACH),
            mode=_one_of(self.mode, MODES),
            axis=_one_of(self.axis, AXES),
            more=tuple(name for name in MORE_POOLINGS if name in self.more),
            draw=_clamp(self.draw, 0, MAX_SEED),
            band=_one_of(self.band, tuple(BANDS)),
            gradient_of=_one_of(self.gradient_of, GRADIENTS_OF),
            row=max(self.row or 0, 0) if both else None,
            column=max(self.column or 0, 0) if both else None,
            shown_on=_one_of(self.shown_on, SHOWN_ON),
        )

    def canonical(self) -> Study:
        """The same with everything reset that does not matter for the maps: the key of caches.

        Example:
            >>> Study(axis="rows", draw=7).canonical() == Study().canonical()
            True
        """
        drawn = self.draw if "stochastic" in self.more else 0
        return Study(self.rows, self.columns, self.mode, more=self.more, draw=drawn, band=self.band)

    def filtered(self, image: Tensor) -> Tensor:
        """The picture with the chosen frequencies alone, and its mean."""
        return image if self.band == "all" else band_pass(image, *BANDS[self.band])

    def layers(self, settings: Settings, *, dense: bool = False) -> dict[str, nn.Module]:
        """The further poolings that are shown; `dense` ones step by one cell.

        Stochastic pooling draws here as it does in training, from the seed that is chosen; each
        layer made here draws the same.
        """
        window = settings.window | ({"stride": 1, "ceil_mode": False} if dense else {})
        layers = {}
        for name in self.more:
            layer = MORE_POOLINGS[name](channels=1, **window)
            if isinstance(layer, StochasticPooling):
                layer.generator = torch.Generator().manual_seed(self.draw)
            layers[name] = layer
        return layers


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    return value if value in choices else choices[0]
