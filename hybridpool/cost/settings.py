"""What is measured: frozen settings, and the machine on which the times were taken."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from hybridpool.layers import POOLINGS, HybridPooling
from hybridpool.more_poolings import MORE_POOLINGS
from hybridpool.trace import MAX_KERNEL, available_devices
from hybridpool.window import Window, check_window

MEMORY_FORMATS = {
    "channels_last": torch.channels_last,
    "contiguous": torch.contiguous_format,
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MAX_BATCH, MAX_CHANNELS, MAX_SIDE, MAX_TURNS = 64, 512, 256, 101
#: Values of one feature map, 32 MB in float32: what a laptop measures in a minute.
MAX_VALUES = 2**23


class Copy(nn.Module):
    """A plain copy: reads and writes the whole input once.

    Example:
        >>> Copy()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Copy."""
        return torch.clone(input)


class ArticleFormula(nn.Module):
    """The article's computation, with our padding and our average.

    Example:
        >>> image = torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]])
        >>> ArticleFormula(kernel_size=2)(image).item()
        4.75
    """

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0) -> None:
        super().__init__()
        self.max_pool = nn.MaxPool2d(kernel_size, stride, padding)
        self.avg_pool = nn.AvgPool2d(kernel_size, stride, padding, count_include_pad=False)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, input: Tensor) -> Tensor:
        """Two poolings, two sigmoids, two products and a sum."""
        max_out = self.max_pool(input)
        avg_out = self.avg_pool(input)
        blended: Tensor = self.weight.sigmoid() * max_out + (1 - self.weight.sigmoid()) * avg_out
        return blended


def _copy(*, channels: int, **window: int) -> nn.Module:
    return Copy()


def _article(*, channels: int, **window: int) -> nn.Module:
    return ArticleFormula(**window)


#: Every pooling whose cost is measured, called as the entries of `POOLINGS` are; a plain copy
#: first, which no pooling that reads its input can beat by much.
CONTESTANTS: Mapping[str, Callable[..., nn.Module]] = {
    "copy": _copy,
    "max": POOLINGS["max"],
    "average": POOLINGS["average"],
    "article": _article,
    "hybrid": POOLINGS["hybrid"],
    "hybrid_channel": HybridPooling,
    "attention": POOLINGS["attention"],
    "blur": MORE_POOLINGS["blur"],
}
#: Those that are also compiled. A copy has nothing to fuse, the article's formula compiles to what
#: hybrid pooling does, and the compiled backward pass of the blur's border (replicate padding)
#: stops with an error in channels_last (PyTorch 2.14).
COMPILED = ("max", "average", "hybrid", "hybrid_channel", "attention")


@dataclass(frozen=True)
class CostSettings:
    """The feature map, the window and how they are measured.

    Args:
        batch: Maps in a batch.
        channels: Channels of a map.
        height: Rows of a map.
        width: Columns of a map.
        kernel_size: Side of the window.
        stride: Step of the window.
        padding: Cells added on every side.
        memory_format: A key of `MEMORY_FORMATS`.
        dtype: A key of `DTYPES`.
        device: ``"cpu"`` or ``"cuda"``.
        training: Whether to measure a backward pass too, or inference alone.
        compiled: Whether to measure the compiled poolings as well.
        turns: How often every pooling is measured.
    """

    batch: int = 8
    channels: int = 64
    height: int = 32
    width: int = 32
    kernel_size: int = 2
    stride: int = 2
    padding: int = 0
    memory_format: str = "channels_last"
    dtype: str = "float32"
    device: str = "cpu"
    training: bool = True
    compiled: bool = False
    turns: int = 31

    def clamped(self) -> CostSettings:
        """The nearest settings that can be measured here; a link may ask for anything.

        The batch shrinks until the map has at most `MAX_VALUES` values, then the channels do; the
        window shrinks until it fits the map.

        Example:
            >>> CostSettings(batch=64, channels=64, height=224, width=224).clamped().batch
            2
        """
        height, width = _clamp(self.height, 2, MAX_SIDE), _clamp(self.width, 2, MAX_SIDE)
        channels = _clamp(self.channels, 1, min(MAX_CHANNELS, MAX_VALUES // (height * width)))
        batch = min(MAX_BATCH, MAX_VALUES // (height * width * channels))
        kernel_size = _clamp(self.kernel_size, 1, min(MAX_KERNEL, height, width))
        return replace(
            self,
            batch=_clamp(self.batch, 1, batch),
            channels=channels,
            height=height,
            width=width,
            kernel_size=kernel_size,
            stride=_clamp(self.stride, 1, MAX_KERNEL),
            padding=_clamp(self.padding, 0, kernel_size // 2),
            memory_format=_one_of(self.memory_format, tuple(MEMORY_FORMATS)),
            dtype=_one_of(self.dtype, tuple(DTYPES)),
            device=_one_of(self.device, measured_devices()),
            turns=_clamp(self.turns, 3, MAX_TURNS),
        )

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Batch, channels, height and width."""
        return self.batch, self.channels, self.height, self.width

    @property
    def window(self) -> Window:
        """Where the windows lie."""
        return check_window(self.kernel_size, self.stride, self.padding)

    def module(self, name: str) -> nn.Module:
        """A pooling of `CONTESTANTS` with this window, on this device, in this mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = CONTESTANTS[name](
                channels=self.channels,
                kernel_size=self.kernel_size,
                stride=self.stride,
                padding=self.padding,
            )
        return module.to(self.device, DTYPES[self.dtype]).train(self.training)

    def feature_map(self, seed: int = 0) -> Tensor:
        """A map as a ReLU leaves it: normal values, the negative ones set to zero."""
        generator = torch.Generator().manual_seed(seed)
        values = torch.randn(self.shape, generator=generator).relu_()
        return values.to(
            self.device, DTYPES[self.dtype], memory_format=MEMORY_FORMATS[self.memory_format]
        )


@dataclass(frozen=True)
class Machine:
    """The machine on which something was measured.

    Attributes:
        processor: Model of the CPU or the GPU, as the system calls it.
        threads: How many threads PyTorch used.
        torch: Version of PyTorch.
    """

    processor: str
    threads: int
    torch: str


def measured_devices() -> tuple[str, ...]:
    """The devices on this machine that can be timed, ``"cpu"`` first.

    Example:
        >>> measured_devices()[0]
        'cpu'
    """
    return tuple(name for name in available_devices() if name != "mps")


def this_machine(device: str = "cpu") -> Machine:
    """The machine at hand, with the threads that PyTorch uses now.

    Example:
        >>> this_machine().torch == torch.__version__
        True
    """
    processor = torch.cuda.get_device_name() if device == "cuda" else _processor()
    return Machine(processor, torch.get_num_threads(), torch.__version__)


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model") and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    return value if value in choices else choices[0]
