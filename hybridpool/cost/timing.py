"""The time that each pooling takes, and the memory that it keeps for the backward pass."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from hybridpool.cost.settings import COMPILED, CONTESTANTS, CostSettings, Machine, this_machine

_K = TypeVar("_K", bound=Hashable)
#: A turn lasts at least so many seconds, so that the clock is fine enough.
_SHORTEST_TURN = 0.002


@dataclass(frozen=True)
class Turns:
    """The times of one thing, turn by turn: seconds, or multiples of the times of another.

    Example:
        >>> turns = Turns((3.0, 1.0, 2.0, 5.0, 4.0))
        >>> turns.median, turns.quartiles
        (3.0, (2.0, 4.0))
    """

    values: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The median time."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high

    @property
    def middle(self) -> int:
        """The index of the turn with the median time; of two such turns, the shorter one.

        Example:
            >>> Turns((3.0, 1.0, 2.0)).middle
            2
        """
        return self.values.index(statistics.median_low(self.values))

    def overlaps(self, other: Turns) -> bool:
        """Whether the interquartile ranges of both overlap, so that the two cannot be told apart.

        Example:
            >>> Turns((1.0, 2.0, 3.0)).overlaps(Turns((2.0, 3.0, 4.0)))
            True
        """
        (low, high), (other_low, other_high) = self.quartiles, other.quartiles
        return low <= other_high and other_low <= high

    def over(self, other: Turns) -> Turns:
        """Each turn as a multiple of the same turn of another thing.

        A busy moment slows both within one turn, so it cancels in their ratio.
        """
        return Turns(tuple(a / b for a, b in zip(self.values, other.values, strict=False)))


NOT_TIMED = Turns()


@dataclass(frozen=True)
class Kept:
    """Memory that autograd holds between the forward and the backward pass.

    Attributes:
        bytes: Bytes besides the input, each storage counted once.
        keeps_input: Whether the input is held too; it costs nothing where the layer before holds
            it anyway, as a ReLU does.
    """

    bytes: int
    keeps_input: bool


@dataclass(frozen=True)
class PoolingCost:
    """What one pooling cost.

    Attributes:
        name: A key of `CONTESTANTS`.
        compiled: Whether it was compiled.
        forward: The forward pass, without gradients in inference.
        step: Forward and backward pass; nothing in inference.
        kept: Memory kept for the backward pass; None in inference.
        peak: Bytes that a step needed at most beyond what was there before, on CUDA.
    """

    name: str
    compiled: bool
    forward: Turns = NOT_TIMED
    step: Turns = NOT_TIMED
    kept: Kept | None = None
    peak: int | None = None

    @property
    def whole(self) -> Turns:
        """The step in training, the forward pass in inference."""
        return self.step if self.step.values else self.forward


@dataclass(frozen=True)
class PoolingCosts:
    """What is known so far of the cost of every pooling.

    Attributes:
        settings: What was asked for.
        machine: Where it was measured.
        costs: One entry for each pooling, in the order of `CONTESTANTS`, the compiled ones last.
        turns: How often each was measured; 0 during preparation.
        compiling: The pooling that is compiled next during preparation.
    """

    settings: CostSettings
    machine: Machine
    costs: tuple[PoolingCost, ...]
    turns: int
    compiling: str | None = None

    def cost(self, name: str, *, compiled: bool = False) -> PoolingCost:
        """The cost of one pooling."""
        return next(cost for cost in self.costs if (cost.name, cost.compiled) == (name, compiled))


class CannotCompileError(RuntimeError):
    """`torch.compile` does not work here; the message says why in one line.

    Example:
        >>> str(CannotCompileError("No working C++ compiler found"))
        'No working C++ compiler found'
    """


def take_turns(
    runs: Mapping[_K, Callable[[], object]], turns: int
) -> Iterator[dict[_K, tuple[float, ...]]]:
    """Time several things in turns, so that a slower moment of the machine affects all of them.

    Each turn runs all of them one after another, short ones several times in a row. The runs before
    the first turn, which warm up and show how long each takes, are not counted.

    Args:
        runs: What is timed.
        turns: How often each is timed.

    Returns:
        An iterator with the seconds so far: after each warm-up, and after each run of each turn.

    Example:
        >>> log = []
        >>> *_, last = take_turns({"a": lambda: log.append("a"), "b": lambda: log.append("b")}, 3)
        >>> {name: len(seconds) for name, seconds in last.items()}
        {'a': 3, 'b': 3}
    """
    # Not at the top: when imported it looks for a compiler and for CUDA, and prints what it finds.
    from torch.utils.benchmark import Timer

    threads = torch.get_num_threads()
    timers = {
        name: Timer("run()", globals={"run": run}, num_threads=threads)
        for name, run in runs.items()
    }
    times: dict[_K, tuple[float, ...]] = dict.fromkeys(runs, ())
    numbers = {}
    for name, timer in timers.items():
        first = timer.timeit(1).mean
        # The first run of something short says little about the others.
        usual = first if first > 10 * _SHORTEST_TURN else timer.timeit(1).mean
        numbers[name] = max(1, round(_SHORTEST_TURN / usual))
        yield dict(times)
    for _ in range(turns):
        for name, timer in timers.items():
            times[name] += (timer.timeit(numbers[name]).mean,)
            yield dict(times)


def kept_for_backward(module: nn.Module, input: Tensor) -> Kept:
    """Count the memory that a training step holds between forward and backward pass.

    Args:
        module: The pooling.
        input: Its input; the module's parameters are not counted.

    Example:
        >>> kept_for_backward(nn.MaxPool2d(2), torch.zeros(1, 1, 4, 4))  # 4 places, int64
        Kept(bytes=32, keeps_input=True)
    """
    leaf = input.detach().requires_grad_()
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept):
        output = module(leaf)
    for parameter in module.parameters():
        storages.pop(parameter.untyped_storage().data_ptr(), None)
    own = storages.pop(input.untyped_storage().data_ptr(), None)
    kept = Kept(sum(storages.values()), own is not None)
    del output
    return kept


def measure_poolings(settings: CostSettings) -> Iterator[PoolingCosts]:
    """Measure every pooling in turns.

    Args:
        settings: What is measured; use `CostSettings.clamped` on what a person typed.

    Returns:
        An iterator with one record before each pooling is compiled, one when all is prepared, and
        one after each turn; each record holds all turns so far.

    Raises:
        CannotCompileError: If compiled poolings are asked for, and there is no compiler.

    Example:
        >>> small = CostSettings(batch=1, channels=4, height=8, width=8, turns=3)
        >>> [record.turns for record in measure_poolings(small)]
        [0, 1, 2, 3]
    """
    machine = this_machine(settings.device)
    if settings.compiled:
        yield PoolingCosts(settings, machine, (), 0, COMPILED[0])
        check_compiler()
    input = settings.feature_map()
    costs: list[PoolingCost] = []
    runs: dict[tuple[str, bool, str], Callable[[], object]] = {}
    for name, compiled in _entries(settings):
        if compiled:
            yield PoolingCosts(settings, machine, tuple(costs), 0, name)
        module = settings.module(name)
        cost = PoolingCost(name, compiled)
        if compiled:
            module.compile(fullgraph=True, dynamic=False, options={"compile_threads": 1})
        modes = runs_of(module, input, training=settings.training)
        if settings.training:
            cost = replace(
                cost, kept=kept_for_backward(module, input), peak=_peak(modes["step"], input)
            )
        for run in modes.values():
            run()
        costs.append(cost)
        runs |= {(name, compiled, mode): run for mode, run in modes.items()}
    yield PoolingCosts(settings, machine, tuple(costs), 0)
    turn = 0
    for times in take_turns(runs, settings.turns):
        if min(map(len, times.values())) > turn:
            turn += 1
            measured = tuple(_with_times(cost, times) for cost in costs)
            yield PoolingCosts(settings, machine, measured, turn)


def runs_of(
    module: nn.Module, input: Tensor, *, training: bool, to_input: bool = True
) -> dict[str, Callable[[], object]]:
    """The forward pass, and in training the whole step, ready to be timed.

    Args:
        module: What runs.
        input: What it gets.
        training: Whether gradients are asked for.
        to_input: Whether the input needs a gradient too, as in the middle of a network.

    Example:
        >>> runs_of(nn.AvgPool2d(2), torch.ones(1, 1, 2, 2), training=False)["forward"]()
        tensor([[[[1.]]]])
    """
    leaf = input.detach().requires_grad_(training and to_input)

    def forward() -> Tensor:
        with torch.set_grad_enabled(training):
            output: Tensor = module(leaf)
            return output

    if not training:
        return {"forward": forward}
    grad = torch.ones_like(forward().detach())

    def step() -> None:
        torch.autograd.backward(forward(), grad)
        leaf.grad = None
        module.zero_grad()

    return {"forward": forward, "step": step}


def check_compiler() -> None:
    """Compile something small.

    Raises:
        CannotCompileError: If it does not work here.

    Example:
        >>> check_compiler()  # doctest: +SKIP
    """
    # torch gives up beyond a limit, against which the programs of other settings count too.
    torch.compiler.reset()
    try:
        torch.compile(torch.sin, fullgraph=True, options={"compile_threads": 1})(torch.zeros(8))
    except Exception as error:
        raise CannotCompileError(str(error).strip().splitlines()[0]) from error


def _entries(settings: CostSettings) -> list[tuple[str, bool]]:
    compiled = [(name, True) for name in COMPILED] if settings.compiled else []
    return [(name, False) for name in CONTESTANTS] + compiled


def _peak(step: Callable[[], object], input: Tensor) -> int | None:
    if not input.is_cuda:
        return None
    step()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _with_times(cost: PoolingCost, times: Mapping[Any, tuple[float, ...]]) -> PoolingCost:
    key = cost.name, cost.compiled
    return replace(
        cost,
        forward=Turns(times[(*key, "forward")]),
        step=Turns(times.get((*key, "step"), ())),
    )
