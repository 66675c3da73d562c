"""How fast the hybrid pooling is, and what it keeps for the backward pass.

``python -m benchmarks.pooling`` compares, in one run and in turns, the article's formula, ours in
eager mode, ours compiled, max alone, average alone and a plain copy, and prints ratios to the
article's formula: below 1 is faster. Absolute times belong to the machine, ratios travel.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool import HybridPooling

SHAPES = {"32×64×32×32": (32, 64, 32, 32), "4×64×112×112": (4, 64, 112, 112)}
WINDOWS = {"k2s2": (2, 2, 0), "k3s2p1": (3, 2, 1)}
FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


class ArticleFormula(nn.Module):
    """What the article computes: two poolings, two sigmoids, two products and a sum."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.max_pool = nn.MaxPool2d(kernel_size, stride, padding)
        self.avg_pool = nn.AvgPool2d(kernel_size, stride, padding, count_include_pad=False)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.sigmoid()
        return weight * self.max_pool(x) + (1 - self.weight.sigmoid()) * self.avg_pool(x)


def contestants(window: tuple[int, int, int]) -> dict[str, Callable[[Tensor], Tensor]]:
    """The ways that are compared, the article's first."""
    ours = HybridPooling(*window)
    found: dict[str, Callable[[Tensor], Tensor]] = {
        "article": ArticleFormula(*window),
        "ours": ours,
        "compiled": torch.compile(HybridPooling(*window), fullgraph=True),
        "max alone": lambda x: F.max_pool2d(x, *window),
        "average alone": lambda x: F.avg_pool2d(x, *window, count_include_pad=False),
        "plain copy": torch.clone,
    }
    return found


def step(function: Callable[[Tensor], Tensor], x: Tensor, backward: bool) -> None:
    """One forward pass, or forward and backward."""
    if not backward:
        with torch.no_grad():
            function(x)
        return
    x.grad = None
    output = function(x)
    output.backward(torch.ones_like(output))


def kept_for_backward(function: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """Bytes of the storages that a training step keeps between forward and backward."""
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        # The input itself is there in any case: a ReLU before the pooling keeps it.
        if storage.data_ptr() != x.untyped_storage().data_ptr():
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = function(x)
    del output
    return sum(storages.values())


def compare(
    ways: dict[str, Callable[[Tensor], Tensor]], x: Tensor, backward: bool, rounds: int
) -> dict[str, float]:
    """Median seconds of each way, measured in turns so that a busy moment meets all alike."""
    for function in ways.values():
        for _ in range(3):
            step(function, x, backward)
    times: dict[str, list[float]] = {name: [] for name in ways}
    order = random.Random(0)
    for _ in range(rounds):
        # Whoever follows a large allocation pays for it: let it be another one each round.
        for name, function in order.sample(list(ways.items()), len(ways)):
            started = time.perf_counter()
            step(function, x, backward)
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure everything and print one table for each memory format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, one shape")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch; 0 leaves them")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    rounds = 15 if options.quick else 60
    shapes = dict(list(SHAPES.items())[: 1 if options.quick else None])
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, CPU, float32")
    print(f"median of {rounds} rounds in turns; time as a ratio to the article's formula")
    for format_name, memory_format in FORMATS.items():
        for shape_name, shape in shapes.items():
            for window_name, window in WINDOWS.items():
                for backward in (False, True):
                    torch.compiler.reset()
                    x = torch.randn(shape).relu().contiguous(memory_format=memory_format)
                    x.requires_grad_(backward)
                    ways = contestants(window)
                    seconds = compare(ways, x, backward, rounds)
                    print(f"\n{format_name} {shape_name} {window_name} ", end="")
                    print("forward + backward" if backward else "forward")
                    for name, value in seconds.items():
                        line = (
                            f"  {name:14} {value * 1000:8.3f} ms {value / seconds['article']:6.2f}"
                        )
                        if backward and name != "plain copy":
                            line += f"   keeps {kept_for_backward(ways[name], x) / 1e6:6.2f} MB"
                        print(line, flush=True)


if __name__ == "__main__":
    main()
