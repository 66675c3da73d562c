"""What poolings cost: counts against slow ones, memory against known cases, and fair turns."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from hybridpool import HybridPooling
from hybridpool.cost import (
    COMPILED,
    CONTESTANTS,
    IN_NETWORKS,
    NETWORKS,
    CannotCompileError,
    CostSettings,
    Counts,
    NetworkSettings,
    Turns,
    count_cost,
    count_networks,
    measure_networks,
    measure_poolings,
    timing,
)
from hybridpool.cost.networks import SeparableNetwork
from hybridpool.cost.settings import MAX_VALUES, ArticleFormula
from hybridpool.cost.timing import kept_for_backward, take_turns
from hybridpool.layers import POOLINGS

TINY = CostSettings(batch=1, channels=4, height=8, width=8, turns=3)
WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 1, 0), (3, 3, 1), (1, 2, 0), (4, 3, 2)]


class Tally:
    """A number that counts the operations on it."""

    count = 0

    def __init__(self, value: float) -> None:
        self.value = value

    def _next(self, value: float) -> Tally:
        Tally.count += 1
        return Tally(value)

    def __add__(self, other: Tally) -> Tally:
        return self._next(self.value + other.value)

    def __sub__(self, other: Tally) -> Tally:
        return self._next(self.value - other.value)

    def __mul__(self, other: Tally) -> Tally:
        return self._next(self.value * other.value)

    def __truediv__(self, number: int) -> Tally:
        return self._next(self.value / number)

    def sigmoid(self) -> Tally:
        return self._next(1 / (1 + math.exp(-self.value)))

    def larger(self, other: Tally) -> Tally:
        return self._next(max(self.value, other.value))


def windows(grid: list[list[Tally]], kernel: int, stride: int, padding: int) -> list[list[Tally]]:
    """The cells of each window that lie on the grid."""
    rows, columns = len(grid), len(grid[0])
    return [
        [
            grid[row][column]
            for row in range(top, top + kernel)
            for column in range(left, left + kernel)
            if 0 <= row < rows and 0 <= column < columns
        ]
        for top in range(-padding, rows + padding - kernel + 1, stride)
        for left in range(-padding, columns + padding - kernel + 1, stride)
    ]


def largest(cells: list[Tally]) -> Tally:
    best = cells[0]
    for cell in cells[1:]:
        best = best.larger(cell)
    return best


def total(cells: list[Tally]) -> Tally:
    found = cells[0]
    for cell in cells[1:]:
        found = found + cell
    return found


def mean(cells: list[Tally]) -> Tally:
    return total(cells) / len(cells)


def pool(name: str, maps: list[list[list[Tally]]], window: tuple[int, int, int]) -> list[float]:
    """One sample, channel by channel, one number at a time."""
    one, logits = Tally(1), [Tally(0.3 * c) for c in range(len(maps))]
    if name == "hybrid":
        weight = logits[0].sigmoid()
        rest = one - weight
        pairs = [(weight, rest)] * len(maps)
    elif name == "article":
        weight, rest = logits[0].sigmoid(), one - logits[0].sigmoid()
        pairs = [(weight, rest)] * len(maps)
    elif name == "hybrid_channel":
        weights = [logit.sigmoid() for logit in logits]
        pairs = [(weight, one - weight) for weight in weights]
    elif name == "attention":
        means = [mean(list(itertools.chain(*grid))) for grid in maps]
        hidden = [
            dense(means, bias=Tally(0)).larger(Tally(0)) for _ in range(max(1, len(maps) // 4))
        ]
        weights = [dense(hidden, bias=Tally(0)).sigmoid() for _ in maps]
        pairs = [(weight, one - weight) for weight in weights]
    else:
        pairs = [(None, None)] * len(maps)
    found = []
    for grid, (weight, rest) in zip(maps, pairs, strict=True):
        for cells in windows(grid, *window):
            if name == "max":
                found.append(largest(cells).value)
            elif name == "average":
                found.append(mean(cells).value)
            else:
                found.append((weight * largest(cells) + rest * mean(cells)).value)
    return found


def dense(values: list[Tally], bias: Tally) -> Tally:
    return total([Tally(0.5) * value for value in values]) + bias


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "name", ["max", "average", "article", "hybrid", "hybrid_channel", "attention"]
)
def test_the_operations_are_those_of_a_slow_pooling_that_counts_them(
    name: str, window: tuple[int, int, int]
) -> None:
    settings = CostSettings(2, 4, 7, 6, *window)
    values = torch.rand(2, 4, 7, 6, generator=torch.Generator().manual_seed(0))
    counted = outputs = 0
    for sample in values.tolist():
        maps = [[[Tally(cell) for cell in row] for row in grid] for grid in sample]
        Tally.count = 0
        outputs += len(pool(name, maps, window))
        counted += Tally.count
    # A layer's own weights are made once for the batch, attention's for each sample.
    once = {"article": 3, "hybrid": 2, "hybrid_channel": 8}.get(name, 0)
    found = count_cost(name, settings)
    assert (found.operations, found.outputs) == (counted - once, outputs)


@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 1), (3, 1, 0)])
def test_the_operations_of_the_blur_are_comparisons_and_taps(window: tuple[int, int, int]) -> None:
    kernel, stride, padding = window
    grid = [[Tally(row * 7.0 + column) for column in range(6)] for row in range(7)]
    Tally.count = 0
    maxima = [largest(cells) for cells in windows(grid, kernel, 1, padding)]
    outputs = len(windows(grid, kernel, stride, padding))
    for _ in range(outputs):
        total([Tally(1 / 9) * cell for cell in [*maxima, *maxima][:9]])
    assert count_cost("blur", CostSettings(1, 1, 7, 6, *window)).operations == Tally.count


@pytest.mark.parametrize("name", CONTESTANTS)
def test_parameters_and_outputs_are_those_of_the_module(name: str) -> None:
    settings = CostSettings(2, 12, 9, 10, kernel_size=3, stride=2, padding=1)
    module, found = settings.module(name), count_cost(name, settings)
    assert found.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert found.outputs == module(settings.feature_map()).numel()


def test_bytes_follow_the_steps_of_the_formula() -> None:
    settings = CostSettings(1, 1, 4, 4)
    wanted = {
        # 16 cells come in, 4 values go out, 4 bytes each.
        "copy": (16 + 16, 16 + 16),
        "max": (16 + 4, 16 + 4),
        "average": (16 + 4, 16 + 4),
        # Max, average, two products and a sum, and the weight with its sigmoid.
        "hybrid": (16 + 4 + 1, (16 + 4) * 2 + 2 * (4 + 4) + (8 + 4) + 2),
        # Maxima at 3 x 3 places are written and read.
        "blur": (16 + 4, 16 + 9 + 9 + 4),
    }
    for name, (fused, stepwise) in wanted.items():
        found = count_cost(name, settings)
        assert (found.bytes_fused, found.bytes_stepwise) == (4 * fused, 4 * stepwise), name
    half = count_cost("max", replace(settings, dtype="bfloat16"))
    assert half.bytes_fused == 2 * 20


def test_no_pooling_moves_less_step_by_step_than_in_one_pass() -> None:
    for name in CONTESTANTS:
        found = count_cost(name, CostSettings())
        assert found.bytes_stepwise >= found.bytes_fused


def test_an_unknown_pooling_is_named() -> None:
    with pytest.raises(ValueError, match="'mean'"):
        count_cost("mean", TINY)


# ---- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"batch": 0, "channels": -3, "turns": 0}, {"batch": 1, "channels": 1, "turns": 3}),
        ({"kernel_size": 9, "height": 3}, {"kernel_size": 3, "height": 3}),
        ({"kernel_size": 3, "padding": 5}, {"padding": 1}),
        ({"memory_format": "x", "dtype": "y", "device": "z"}, {"memory_format": "channels_last"}),
        ({"device": "mps"}, {"device": "cpu"}),
    ],
)
def test_settings_are_clamped(asked: dict[str, object], wanted: dict[str, object]) -> None:
    found = CostSettings(**asked).clamped()  # type: ignore[arg-type]
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert found.clamped() == found


def test_the_largest_map_is_cut_in_its_batch_first_and_then_in_its_channels() -> None:
    wide = CostSettings(batch=64, channels=512, height=64, width=64).clamped()
    assert (wide.batch, wide.channels) == (4, 512)
    huge = CostSettings(batch=64, channels=512, height=256, width=256).clamped()
    assert math.prod(huge.shape) == MAX_VALUES
    assert huge.batch == 1


def test_the_map_has_the_asked_type_and_format_and_is_the_same_each_time() -> None:
    for layout, dtype in itertools.product(("channels_last", "contiguous"), torch_types()):
        settings = replace(TINY, memory_format=layout, dtype=dtype)
        found = settings.feature_map()
        assert tuple(found.shape) == settings.shape
        assert str(found.dtype) == f"torch.{dtype}"
        assert (found.stride(1) == 1) == (layout == "channels_last")
        assert torch.equal(found, settings.feature_map())
        assert found.min() == 0


def torch_types() -> tuple[str, ...]:
    return "float32", "bfloat16"


def test_the_articles_formula_is_hybrid_pooling() -> None:
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ArticleFormula(3, 2, 1)(x), HybridPooling(3, 2, 1)(x))


# ---- the clock ---------------------------------------------------------------------------------


def test_everybody_has_a_turn_before_anybody_has_the_next() -> None:
    runs = {name: (lambda: None) for name in "abc"}
    grown = [[len(seconds) for seconds in times.values()] for times in take_turns(runs, 4)]
    warm_up, turns = grown[:3], grown[3:]
    assert warm_up == [[0, 0, 0]] * 3
    assert len(turns) == 12
    for done, found in enumerate(turns, 1):
        assert found == [(done + 2) // 3, (done + 1) // 3, done // 3]


def test_what_is_timed_runs_in_that_order() -> None:
    log: list[str] = []
    list(take_turns({"a": lambda: log.append("a"), "b": lambda: log.append("b")}, 2))
    assert [name for name, _ in itertools.groupby(log)] == ["a", "b"] * 3


def test_times_are_seconds() -> None:
    *_, last = take_turns({"sum": lambda: torch.ones(1000).sum()}, 3)
    assert all(0 < seconds < 60 for seconds in last["sum"])


@pytest.mark.parametrize(
    ("seconds", "median", "quartiles"),
    [((2.0,), 2.0, (2.0, 2.0)), ((4.0, 1.0, 2.0, 3.0), 2.5, (1.75, 3.25))],
)
def test_median_and_quartiles(
    seconds: tuple[float, ...], median: float, quartiles: tuple[float, float]
) -> None:
    assert Turns(seconds).median == median
    assert Turns(seconds).quartiles == quartiles


def test_turns_are_compared_with_the_same_turn() -> None:
    fast, slow = Turns((1.0, 5.0, 2.0)), Turns((2.0, 10.0, 8.0))
    assert slow.over(fast).values == (2.0, 2.0, 4.0)
    assert slow.middle == 2
    assert not fast.overlaps(slow)
    assert fast.overlaps(Turns((3.0, 3.0, 3.0)))
    assert not Turns((1.0, 1.0, 1.0)).overlaps(Turns((2.0, 2.0, 2.0)))


@pytest.mark.parametrize(
    ("module", "own_bytes", "keeps_input"),
    [
        (nn.Identity(), 0, False),
        (nn.MaxPool2d(2), 4 * 4 * 8, True),  # 4 places a channel as int64
        (nn.AvgPool2d(2), 0, True),
        (ArticleFormula(2), 4 * 4 * 8 + 2 * 4 * 4 * 4 + 3 * 4, True),  # places, both maps, weights
        (nn.Sequential(nn.MaxPool2d(2), nn.ReLU()), 4 * 4 * 8 + 4 * 4 * 4, True),
    ],
)
def test_memory_kept_is_counted_once_a_storage(
    module: nn.Module, own_bytes: int, keeps_input: bool
) -> None:
    kept = kept_for_backward(module, torch.rand(1, 4, 4, 4))
    assert (kept.bytes, kept.keeps_input) == (own_bytes, keeps_input)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_record_grows_by_turns_and_ends_complete(training: bool, dtype: str) -> None:
    settings = replace(TINY, training=training, dtype=dtype)
    records = list(measure_poolings(settings))
    assert [record.turns for record in records] == [0, 1, 2, 3]
    for record in records:
        assert [cost.name for cost in record.costs] == list(CONTESTANTS)
        for cost in record.costs:
            assert len(cost.forward.values) == record.turns
            assert len(cost.step.values) == (record.turns if training else 0)
            assert (cost.kept is not None) == training
            assert cost.peak is None
    assert records[1].cost("max").forward.values == records[3].cost("max").forward.values[:1]
    assert records[-1].machine.threads == torch.get_num_threads()
    assert records[-1].machine.processor


def test_measuring_leaves_no_gradients_and_no_seed_behind() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    list(measure_poolings(replace(TINY, turns=1)))
    next(itertools.islice(measure_networks(NetworkSettings(batch=1, turns=1)), 1, None))
    assert torch.equal(torch.rand(3), wanted)
    assert torch.is_grad_enabled()


def test_where_nothing_compiles_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("No working C++ compiler found\nand more")

    monkeypatch.setattr(timing.torch, "compile", refuse)
    records = measure_poolings(replace(TINY, compiled=True))
    assert next(records).compiling == COMPILED[0]
    with pytest.raises(CannotCompileError, match=r"^No working C\+\+ compiler found$"):
        next(records)


def test_compiled_poolings_stand_beside_the_eager_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a compiler is there or not: the compiled ones are made by the same call."""
    asked: list[str] = []
    monkeypatch.setattr(timing, "check_compiler", lambda: None)
    monkeypatch.setattr(
        nn.Module, "compile", lambda self, **options: asked.append(type(self).__name__)
    )
    records = list(measure_poolings(replace(TINY, compiled=True)))
    assert [record.compiling for record in records if record.compiling] == [COMPILED[0], *COMPILED]
    assert len(asked) == len(COMPILED)
    last = records[-1]
    assert [(c.name, c.compiled) for c in last.costs] == [
        *((name, False) for name in CONTESTANTS),
        *((name, True) for name in COMPILED),
    ]
    assert len(last.cost("hybrid", compiled=True).step.values) == 3


# ---- networks ----------------------------------------------------------------------------------


def macs(model: nn.Module, pictures: torch.Tensor) -> int:
    """Products and additions of all convolutions and linear layers, from their shapes."""
    found = 0

    def note(module: nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal found
        if isinstance(module, nn.Conv2d):
            taps = module.in_channels // module.groups * math.prod(module.kernel_size)
            found += 2 * taps * output.numel()
        elif isinstance(module, nn.Linear):
            found += 2 * module.in_features * output.numel()

    for module in model.modules():
        module.register_forward_hook(note)
    model(pictures)
    return found


def test_the_operations_of_the_small_network_are_those_of_its_layers() -> None:
    model = SeparableNetwork(POOLINGS["max"])
    wanted = macs(model, torch.zeros(3, 3, 32, 32))
    costs = count_networks(NetworkSettings(batch=3))
    of_small = [cost for cost in costs if cost.network == "separable"]
    assert {cost.operations for cost in of_small} == {wanted}
    hybrid = next(cost for cost in of_small if cost.pooling == "hybrid")
    sizes = [(32, 32), (64, 16), (128, 8)]
    assert hybrid.pooling_operations == sum(
        count_cost("hybrid", CostSettings(3, channels, side, side)).operations
        for channels, side in sizes
    )
    assert hybrid.operations_share == pytest.approx(
        hybrid.pooling_operations / (wanted + hybrid.pooling_operations)
    )


@pytest.mark.parametrize(("side", "layers"), [(32, 3), (224, 4)])
def test_the_resnet_has_its_poolings_where_pictures_of_that_size_need_them(
    side: int, layers: int
) -> None:
    costs = {
        cost.pooling: cost
        for cost in count_networks(NetworkSettings(side=side))
        if cost.network == "resnet18"
    }
    assert list(costs) == list(IN_NETWORKS)
    assert costs["hybrid"].pooling_parameters == layers
    assert costs["hybrid"].parameters == costs["max"].parameters + layers
    assert costs["max"].pooling_parameters == 0


def test_networks_are_measured_in_turns_and_end_complete() -> None:
    records = list(measure_networks(NetworkSettings(batch=1, training=False, turns=2)))
    assert [record.done for record in records] == sorted(record.done for record in records)
    assert (records[0].done, records[-1].done) == (0, 1)
    last = records[-1]
    assert last.turns == 2
    assert [(cost.network, cost.pooling) for cost in last.costs] == [
        (network, pooling) for network in NETWORKS for pooling in IN_NETWORKS
    ]
    for cost in last.costs:
        assert len(cost.step.values) == len(cost.alone.values) == 2
        step, alone, share = cost.typical
        assert share == alone / step == min(cost.shares.values)  # of two turns the one below


def test_network_settings_are_clamped() -> None:
    found = NetworkSettings(100, 0, "x", "y", "z", turns=99).clamped()
    assert (found.side, found.batch, found.turns) == (32, 1, 31)
    assert (found.memory_format, found.dtype, found.device) == ("channels_last", "float32", "cpu")


def test_counts_are_plain_numbers() -> None:
    assert Counts(1, 12, 4, 8, 9).operations_per_output == 3
