"""What several runs say together, as the lines of a chart: one line for each arm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from hybridpool.training.records import Run
from hybridpool.training.selection import by_arm
from hybridpool.training.summary import Summary, summarise_seeds
from hybridpool.training.values import Value

Line = tuple[tuple[float, ...], tuple[Summary, ...]]
"""Places along the axis, and the mean over seeds at each of them."""


def values_by_arm(runs: Iterable[Run], value: Value) -> dict[str, dict[int, float]]:
    """For each arm, the value of every seed whose value is known.

    Example:
        >>> from hybridpool.training.records import _example
        >>> values_by_arm([_example("max", 3, 0.7)], lambda run: run.measures.clean)
        {'max': {3: 0.7}}
    """
    values = {}
    for arm, ones in by_arm(runs).items():
        known = {run.settings.seed: number for run in ones if (number := value(run)) is not None}
        if known:
            values[arm] = known
    return values


def corruption_lines(runs: Iterable[Run], names: Sequence[str]) -> dict[str, Line]:
    """Accuracy against severity, the mean over some corruptions; severity 0 is the same pictures
    unchanged.

    Example:
        >>> corruption_lines([], ["shot_noise"])
        {}
    """

    def line(run: Run) -> dict[float, float]:
        accuracies = [run.measures.corruptions.get(name, ()) for name in names]
        steps = min(map(len, accuracies), default=0)
        if not steps:
            return {}
        by_severity = {0.0: run.measures.clean_of_these}
        for step in range(steps):
            by_severity[step + 1.0] = fmean(values[step] for values in accuracies)
        return by_severity

    return _lines(runs, line)


def occlusion_lines(runs: Iterable[Run], names: Sequence[str]) -> dict[str, Line]:
    """Accuracy against the side of the square, the mean over some occluders; 0 is no occluder.

    Args:
        runs: Any runs.
        names: Occluders as "shape fill"; those of one run have the same sides.

    Example:
        >>> occlusion_lines([], ["block grey"])
        {}
    """

    def line(run: Run) -> dict[float, float]:
        known = {
            f"{occlusion.shape} {occlusion.fill}": occlusion
            for occlusion in run.measures.occlusions
        }
        occlusions = [known[name] for name in names if name in known]
        if len(occlusions) < len(names) or len({occlusion.sides for occlusion in occlusions}) != 1:
            return {}
        covered: dict[float, float] = {0.0: run.measures.clean_of_these}
        for step, side in enumerate(occlusions[0].sides):
            covered[float(side)] = fmean(occlusion.test[step] for occlusion in occlusions)
        return covered

    return _lines(runs, line)


def frequency_lines(runs: Iterable[Run], side: str) -> dict[str, Line]:
    """Accuracy against the radius, with only the frequencies on one side of it, low or high.

    Example:
        >>> frequency_lines([], "low")
        {}
    """

    def line(run: Run) -> dict[float, float]:
        parts = [
            (name.partition(" "), accuracy) for name, accuracy in run.measures.frequencies.items()
        ]
        known = {float(radius): accuracy for (of, _, radius), accuracy in parts if of == side}
        return dict(sorted(known.items()))

    return _lines(runs, line)


def size_lines(groups: Mapping[int, Sequence[Run]], value: Value) -> dict[str, Line]:
    """A value against the number of training pictures.

    Example:
        >>> from hybridpool.training.records import _example
        >>> lines = size_lines({500: [_example("max", 0, 0.7)]}, lambda run: run.measures.clean)
        >>> lines["max"][0], lines["max"][1][0].mean
        ((500,), 0.7)
    """
    lines: dict[str, dict[float, Summary]] = {}
    for size, runs in groups.items():
        for arm, values in values_by_arm(runs, value).items():
            lines.setdefault(arm, {})[size] = summarise_seeds(list(values.values()))
    order = by_arm(run for runs in groups.values() for run in runs)
    return {arm: _line(lines[arm]) for arm in order if arm in lines}


@dataclass(frozen=True)
class WeightPath:
    """How the blend weights of one pooling layer moved.

    Attributes:
        steps: The steps at which they were noted.
        runs: For each seed, the mean over the layer's weights at each of these steps.
        low: The lowest weight of any channel and seed at each step.
        high: The highest.
    """

    steps: tuple[int, ...]
    runs: tuple[tuple[float, ...], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean over seeds at each step."""
        return tuple(map(fmean, zip(*self.runs, strict=True)))


def weight_paths(runs: Iterable[Run], arm: str) -> dict[str, WeightPath]:
    """How the blend weights of each pooling layer of an arm moved, over runs with equal steps.

    Example:
        >>> weight_paths([], "hybrid")
        {}
    """
    noted = [run for run in runs if run.settings.arm == arm and run.weights and run.weight_steps]
    if not noted:
        return {}
    steps, layers = noted[0].weight_steps, list(noted[0].weights)
    alike = [run for run in noted if run.weight_steps == steps and list(run.weights) == layers]
    moved = {}
    for layer in layers:
        paths = [run.weights[layer] for run in alike]
        together = [
            [weight for path in paths for weight in path[step]] for step in range(len(steps))
        ]
        moved[layer] = WeightPath(
            steps,
            tuple(tuple(map(fmean, path)) for path in paths),
            tuple(map(min, together)),
            tuple(map(max, together)),
        )
    return moved


def _lines(runs: Iterable[Run], line: Callable[[Run], dict[float, float]]) -> dict[str, Line]:
    """For each arm, the mean line of its runs at the places that all of them have."""
    means = {}
    for arm, ones in by_arm(runs).items():
        lines = [values for run in ones if (values := line(run))]
        places = (
            [place for place in lines[0] if all(place in values for values in lines)]
            if lines
            else []
        )
        if places:
            means[arm] = _line(
                {place: summarise_seeds([one[place] for one in lines]) for place in places}
            )
    return means


def _line(values: Mapping[float, Summary]) -> Line:
    return tuple(values), tuple(values.values())
