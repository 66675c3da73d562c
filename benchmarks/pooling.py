"""How fast hybrid pooling is, and what it keeps for the backward pass.

``python -m benchmarks.pooling`` lets six contestants take turns, so that a busy moment meets all of
them alike: the article's formula, ours in eager mode, ours compiled, max pooling alone, average
pooling alone, and a plain copy of the input, which no pooling that reads its input can beat by
much. Times are medians, with the ratio to the article's formula behind them: below 1 is faster.
Ratios travel from machine to machine, milliseconds do not.

What is kept for the backward pass is counted once for each storage. The input is named apart: it
costs nothing where the layer before keeps it too, as a ReLU does.
"""

import argparse
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from hybridpool import HybridPooling

SHAPES = [(32, 64, 32, 32), (4, 64, 112, 112), (8, 512, 14, 14)]
WINDOWS = {"k2s2": (2, 2, 0), "k3s2p1": (3, 2, 1)}
FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
MODES = ("inference", "training, forward", "forward + backward")
YARDSTICK = "article's formula"


class ArticleFormula(nn.Module):
    """What the article computes, with padding and with the average that ours takes."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.max_pool = nn.MaxPool2d(kernel_size, stride, padding)
        self.avg_pool = nn.AvgPool2d(kernel_size, stride, padding, count_include_pad=False)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Two poolings, two sigmoids, two products and a sum."""
        max_out = self.max_pool(x)
        avg_out = self.avg_pool(x)
        return self.weight.sigmoid() * max_out + (1 - self.weight.sigmoid()) * avg_out


class Copy(nn.Module):
    """Reads and writes the whole input once."""

    def forward(self, x: Tensor) -> Tensor:
        """Copy."""
        return x.clone()


@dataclass(frozen=True)
class Result:
    """What one contestant did with one input, in the order of `MODES`."""

    seconds: tuple[float, ...]
    kept: int
    keeps_input: bool

    def line(self, name: str, yardstick: "Result") -> str:
        """One row of the table."""
        times = "".join(
            f"{1e3 * own:11.3f} ms {own / other:5.2f}"
            for own, other in zip(self.seconds, yardstick.seconds, strict=True)
        )
        kept = f"{self.kept / 1e6:8.2f} MB{' + input' if self.keeps_input else ''}"
        return f"  {name:18}{times}{kept}"


def contestants(window: tuple[int, int, int], compiled: bool) -> dict[str, nn.Module]:
    """The six, the article's formula first."""
    article, ours = ArticleFormula(*window), HybridPooling(*window)
    found: dict[str, nn.Module] = {YARDSTICK: article, "ours, eager": ours}
    if compiled:
        module = HybridPooling(*window)
        module.compile(fullgraph=True, dynamic=False)
        found["ours, compiled"] = module
    found |= {"max alone": article.max_pool, "average alone": article.avg_pool}
    return {**found, "plain copy": Copy()}


def runs(module: nn.Module, x: Tensor, grad: Tensor) -> list[Callable[[], None]]:
    """The modes, ready to be timed."""
    leaf = x.detach().requires_grad_()

    def inference() -> None:
        with torch.no_grad():
            module(x)

    def forward() -> None:
        module(leaf)

    def forward_and_backward() -> None:
        leaf.grad = None
        output = module(leaf)
        output.backward(grad if output.shape == grad.shape else x)

    return [inference, forward, forward_and_backward]


def take_turns(
    everyone: dict[str, list[Callable[[], None]]], rounds: int
) -> dict[str, tuple[float, ...]]:
    """Median seconds of each contestant in each mode."""
    threads = torch.get_num_threads()
    timers = {
        (name, mode): Timer("run()", globals={"run": run}, num_threads=threads)
        for name, modes in everyone.items()
        for mode, run in enumerate(modes)
    }
    for timer in timers.values():
        timer.timeit(1)
    # Small inputs are run several times a turn, so that the clock is fine enough.
    numbers = {turn: max(1, round(0.002 / timer.timeit(1).mean)) for turn, timer in timers.items()}
    times: dict[tuple[str, int], list[float]] = {turn: [] for turn in timers}
    for _ in range(rounds):
        for turn, timer in timers.items():
            times[turn].append(timer.timeit(numbers[turn]).mean)
    return {
        name: tuple(statistics.median(times[name, mode]) for mode in range(len(modes)))
        for name, modes in everyone.items()
    }


def kept_for_backward(module: nn.Module, x: Tensor) -> tuple[int, bool]:
    """Bytes that a training step holds between forward and backward, and whether the input too."""
    leaf = x.detach().requires_grad_()
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = module(leaf)
    own = storages.pop(x.untyped_storage().data_ptr(), None)
    kept = sum(storages.values())
    del output
    return kept, own is not None


def compare(
    x: Tensor, window: tuple[int, int, int], rounds: int, compiled: bool
) -> dict[str, Result]:
    """All contestants on one input."""
    torch.compiler.reset()
    modules = {name: module.to(x.device) for name, module in contestants(window, compiled).items()}
    with torch.no_grad():
        grad = torch.randn_like(modules[YARDSTICK](x))
    kept = {name: kept_for_backward(module, x) for name, module in modules.items()}
    everyone = {name: runs(module, x, grad) for name, module in modules.items()}
    seconds = take_turns(everyone, rounds)
    return {name: Result(seconds[name], *kept[name]) for name in modules}


def can_compile() -> bool:
    """Whether there is what `torch.compile` needs; if not, say why."""
    try:
        torch.compile(torch.sin, fullgraph=True)(torch.zeros(8))
    except Exception as error:
        print(f"not compiled here: {str(error).splitlines()[0]}")
        return False
    return True


def main() -> None:
    """Measure everything and print one table for each input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one shape and fewer rounds")
    parser.add_argument("--threads", type=int, help="how many threads PyTorch uses")
    parser.add_argument("--device", default="cpu", help="where to measure, for example cuda")
    parser.add_argument("--no-compile", action="store_true", help="leave out ours, compiled")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    shapes, rounds = (SHAPES[:1], 7) if options.quick else (SHAPES, 25)
    machine = "CPU" if options.device == "cpu" else torch.cuda.get_device_name(options.device)
    print(
        f"torch {torch.__version__}, Python {platform.python_version()}, {machine}, "
        f"{torch.get_num_threads()} threads, float32; medians of {rounds} rounds in turns; "
        f"ratios to the {YARDSTICK}, below 1 is faster"
    )
    compiled = not options.no_compile and can_compile()
    generator = torch.Generator().manual_seed(0)
    for shape in shapes:
        image = torch.randn(shape, generator=generator).relu().to(options.device)
        for layout, memory_format in FORMATS.items():
            for name, window in WINDOWS.items():
                x = image.contiguous(memory_format=memory_format)
                results = compare(x, window, rounds, compiled)
                print(f"\n{' × '.join(map(str, shape))}, {layout}, {name}")
                print(" " * 20 + "".join(f"{mode:>20}" for mode in MODES) + "   kept for backward")
                for contestant, result in results.items():
                    print(result.line(contestant, results[YARDSTICK]), flush=True)


if __name__ == "__main__":
    main()
