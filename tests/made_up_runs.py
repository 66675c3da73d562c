"""Runs that no network made: for tests alone, clear-cut in whichever way a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybridpool.training.records import Costs, Epoch, Measures, Occlusion, Run, RunSettings
from hybridpool.training.results import write_run

ARMS = ("max", "average", "fixed", "hybrid", "frozen", "channel", "attention", "blur")
SEEDS = range(5)
NOISES = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise")
OTHERS = ("brightness", "contrast", "jpeg_compression", "pixelate")
SIDES = (4, 8, 12, 16)


def wobble(seed: int, salt: int) -> float:
    """A small number that looks like chance, the same every time."""
    return ((seed * 7919 + salt * 104729 + seed * salt * 31) % 1000 / 1000 - 0.5) / 500


def numbers(run: Run) -> dict[str, Any]:
    """All that a run learned and measured, without the time it took."""
    return {
        "history": [replace(epoch, seconds=0.0) for epoch in run.history],
        "weights": run.weights,
        "weight_steps": run.weight_steps,
        "measures": run.measures,
    }


def a_run(
    arm: str,
    seed: int,
    clean: float = 0.7,
    *,
    network: str = "small",
    width: int = 16,
    start: float | None = 0.5,
    pictures: int = 50_000,
    noisy: Callable[[str], float] = lambda name: 0.5,
    covered: Callable[[str], float] = lambda name: 0.5,
    kept: Callable[[str], float] = lambda side: 0.4,
    shifted: float = 0.8,
    spread: float = 0.0,
    gap: float = 0.02,
    seconds: float = 0.05,
    parameters: int = 24_000,
    measured: int = 2000,
) -> Run:
    """One made-up run; accuracies get what the seed adds, the same for every arm, and a wobble.

    `spread` adds up to so much more or less, for every seed and arm something else.
    """
    chance = seed / 5000 + wobble(seed, sum(map(ord, arm)))
    chance += 1000 * spread * wobble(seed, 3 * sum(map(ord, arm)))
    salt = len(arm)
    weighted = {"hybrid": 1, "channel": 4, "attention": 4}.get(arm, 0)
    names = (*NOISES, *OTHERS) if measured else ()
    places = [
        (shape, fill) for shape in ("block", "pixels") for fill in ("grey", "noise", "picture")
    ]
    return Run(
        settings=RunSettings(
            network=network,
            width=width,
            arm=arm,
            seed=seed,
            epochs=6,
            train_pictures=pictures,
            blend_start=start,
        ),
        data={"name": "CIFAR-10 (JPEG copy)", "train": pictures, "test": 10_000},
        environment={
            "python": "3.11.7",
            "torch": "2.14.1",
            "device": "cpu",
            "finished": f"2027-01-01T00:0{seed}:00+00:00",
        },
        command=f"python -m hybridpool.training train --arm {arm} --seed {seed}",
        history=tuple(
            Epoch(epoch, 2 / epoch, clean - 0.3 / epoch, None, 30.0 * epoch)
            for epoch in range(1, 7)
        ),
        weight_steps=(0, 100, 200, 300) if weighted else (),
        weights={
            f"pooling {layer}": tuple(
                tuple(
                    0.5 + step * (0.1 * (layer - 2) + 0.01 * channel + wobble(seed, channel))
                    for channel in range(weighted)
                )
                for step in range(4)
            )
            for layer in (1, 2, 3)
        }
        if weighted
        else {},
        measures=Measures(
            clean=clean + chance,
            train=clean + chance + gap + wobble(seed, salt + 1),
            pictures=measured,
            clean_of_these=clean + chance,
            train_of_these=clean + chance + gap,
            corruptions={
                name: tuple(
                    noisy(name) + chance + wobble(seed, salt + at) - 0.02 * at for at in range(5)
                )
                for name in names
            },
            occlusions=tuple(
                Occlusion(
                    shape,
                    fill,
                    SIDES,
                    tuple(
                        covered(f"{shape} {fill}") + chance + wobble(seed, salt + at) - 0.03 * at
                        for at in range(4)
                    ),
                    (0.6, 0.5, 0.4, 0.3),
                    (0.5, 0.6, 0.7, None),
                )
                for shape, fill in places
            )
            if measured
            else (),
            shift_consistency=shifted + wobble(seed, salt),
            frequencies={
                f"{side} {radius}": kept(side) + wobble(seed, salt + radius)
                for side in ("low", "high")
                for radius in (4, 8)
            }
            if measured
            else {},
            right={},
        ),
        costs=Costs(
            parameters,
            3 * weighted,
            5_000_000,
            seconds * (1 + wobble(seed, salt)),
            30_000_000,
        ),
        classes=("cat", "dog"),
    )


def a_field(**by_arm: float) -> list[Run]:
    """Five seeds of every arm, at the accuracies given, 0.70 where none is."""
    return [a_run(arm, seed, by_arm.get(arm, 0.70)) for arm in ARMS for seed in SEEDS]


def a_folder(folder: Path, runs: Iterable[Run]) -> Path:
    """The runs as files."""
    for run in runs:
        write_run(run, folder / run.settings.network)
    return folder


def a_full_house() -> list[Run]:
    """Everything that the page can show: five seeds of every arm, smaller sizes, other starts."""
    level = {"max": 0.702, "average": 0.69, "fixed": 0.71, "hybrid": 0.715, "blur": 0.72}
    found = [
        a_run(
            arm,
            seed,
            level.get(arm, 0.712),
            noisy=lambda name, arm=arm: (
                0.55
                - (0.1 if arm == "max" else 0)
                - (0.05 if name == "impulse_noise" and arm == "average" else 0)
            ),
            covered=lambda name, arm=arm: 0.5 + (0.02 if arm == "max" else 0),
            kept=lambda side, arm=arm: (
                0.4 + (0.05 if side == "high" and arm in ("max", "hybrid") else 0)
            ),
            shifted=0.84 if arm == "average" else 0.8,
            parameters=24_000 + (3 if arm == "hybrid" else 0),
            seconds=0.05 + (0.004 if arm == "hybrid" else 0),
        )
        for arm in ARMS
        for seed in SEEDS
    ]
    found += [
        a_run(
            arm,
            seed,
            0.3 + size / 20_000 - (0.02 if arm in ("channel", "attention") else 0),
            pictures=size,
            gap=(0.5 if arm in ("channel", "attention") else 0.4) - size / 20_000,
            measured=0,
        )
        for size in (500, 2000, 5000)
        for arm in ARMS
        for seed in range(3)
    ]
    found += [
        a_run("hybrid", seed, 0.715 - behind, start=start)
        for start, behind in ((0.02, 0.05), (0.98, 0.04), (None, 0.0))
        for seed in SEEDS
    ]
    return found
