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
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybridpool import HybridPooling
from hybridpool.cost import CannotCompileError, Turns
from hybridpool.cost.settings import ArticleFormula, Copy
from hybridpool.cost.timing import check_compiler, kept_for_backward, runs_of, take_turns

SHAPES = [(32, 64, 32, 32), (4, 64, 112, 112), (8, 512, 14, 14)]
WINDOWS = {"k2s2": (2, 2, 0), "k3s2p1": (3, 2, 1)}
FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
MODES = ("inference", "training, forward", "forward + backward")
YARDSTICK = "article's formula"


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


def runs(module: nn.Module, x: Tensor) -> tuple[Callable[[], object], ...]:
    """The modes, ready to be timed."""
    training = runs_of(module, x, training=True)
    return runs_of(module, x, training=False)["forward"], training["forward"], training["step"]


def compare(
    x: Tensor, window: tuple[int, int, int], rounds: int, compiled: bool
) -> dict[str, Result]:
    """All contestants on one input."""
    torch.compiler.reset()
    modules = {name: module.to(x.device) for name, module in contestants(window, compiled).items()}
    kept = {name: kept_for_backward(module, x) for name, module in modules.items()}
    everyone = {
        (name, mode): run
        for name, module in modules.items()
        for mode, run in zip(MODES, runs(module, x), strict=True)
    }
    *_, times = take_turns(everyone, rounds)
    return {
        name: Result(
            tuple(Turns(times[name, mode]).median for mode in MODES),
            kept[name].bytes,
            kept[name].keeps_input,
        )
        for name in modules
    }


def can_compile() -> bool:
    """Whether there is what `torch.compile` needs; if not, say why."""
    try:
        check_compiler()
    except CannotCompileError as problem:
        print(f"not compiled here: {problem}")
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
