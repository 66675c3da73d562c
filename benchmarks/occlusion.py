"""How fast an occlusion map is beside whole passes and Captum: ``python -m benchmarks.occlusion``.

All do the same work on one picture of 224 x 224 pixels: a grey patch of 32 x 32 at 625 places, 8
pixels apart, and at each place the relative change of the max, average, hybrid and attention map
over all channels of the readable filters. They differ in what they compute again for a place:

- ``occlusion_map``: the cells that see the patch.
- whole passes: `run_stem` and `run_poolings` on the covered picture, and `relative_change` of each
  map, place by place.
- Captum's ``Occlusion``: makes the covered pictures itself and sends them, one or several at a
  time, through a function that runs the stem and the four layers and compares each map with the
  clean one in float32. What it adds up for each pixel is left aside; the values of the function
  are compared.

Captum comes with ``make bench`` and is left out where it is missing. CPU time says more than time
on the clock where other programs are busy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from hybridpool.layers import POOLINGS
from hybridpool.measure import relative_change
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.pictures.perturb import occlude
from hybridpool.sensitivity import occlusion_map
from hybridpool.stem import ConvStem, load_stem
from hybridpool.trace import Settings, pooling_layers, run_poolings, run_stem

SIDE, PATCH, STEP = 224, 32, 8
PLACES = range(0, SIDE - PATCH + 1, STEP)
CPU = torch.device("cpu")
SETTINGS = Settings(device="cpu")
TARGET = 20  # times as fast as Captum, however many places it takes at once

Grids = dict[str, Tensor]


@dataclass(frozen=True)
class Measured:
    """One way to make the map: its seconds on the clock and on the CPU, and the map."""

    name: str
    seconds: float
    cpu_seconds: float
    grids: Grids


def ours(image: Tensor, stem: ConvStem) -> Grids:
    """The map from `occlusion_map`."""
    *_, whole = occlusion_map(image, stem, SETTINGS, size=PATCH, stride=STEP)
    return {name: whole.relative_change(name) for name in POOLINGS}


def whole_passes(image: Tensor, stem: ConvStem) -> Grids:
    """The map from a whole pass for each place."""
    clean = run_poolings(run_stem(image, stem, CPU), SETTINGS).pooled
    grids = {name: torch.empty(len(PLACES), len(PLACES)).double() for name in POOLINGS}
    for row, top in enumerate(PLACES):
        for column, left in enumerate(PLACES):
            covered = occlude(image, top, left, PATCH, PATCH)
            pooled = run_poolings(run_stem(covered, stem, CPU), SETTINGS).pooled
            for name, grid in grids.items():
                grid[row, column] = relative_change(clean[name], pooled[name])
    return grids


def with_captum(image: Tensor, stem: ConvStem, at_once: int) -> Grids:
    """The map from Captum's `Occlusion`, several places in one batch."""
    from captum.attr import Occlusion

    layers = pooling_layers(stem.channels, SETTINGS, stem.pooling_state)

    def pool(images: Tensor) -> Grids:
        feature_map = stem(images.contiguous(memory_format=torch.channels_last))
        return {name: layer(feature_map) for name, layer in layers.items()}

    clean = pool(image[None])
    sizes = {name: torch.linalg.vector_norm(pooled) for name, pooled in clean.items()}
    seen: list[Tensor] = []

    def changes(images: Tensor) -> Tensor:
        pooled = pool(images)
        moved = [
            torch.linalg.vector_norm(pooled[name] - clean[name], dim=(1, 2, 3)) / sizes[name]
            for name in POOLINGS
        ]
        seen.append(torch.stack(moved, -1))
        return moved[0]

    with torch.no_grad():
        Occlusion(changes).attribute(
            image[None],
            sliding_window_shapes=(3, PATCH, PATCH),
            strides=(3, STEP, STEP),
            baselines=0.5,
            perturbations_per_eval=at_once,
        )
    # The picture itself comes first, then the patch goes down before it goes to the right.
    values = torch.cat(seen)[1:].reshape(len(PLACES), len(PLACES), len(POOLINGS)).double()
    return {name: values[..., at].T for at, name in enumerate(POOLINGS)}


def measured(name: str, make: Callable[[], Grids], repeats: int) -> Measured:
    """The fastest of some runs."""
    clock, cpu = [], []
    for _ in range(repeats):
        started, on_cpu = time.perf_counter(), time.process_time()
        grids = make()
        clock.append(time.perf_counter() - started)
        cpu.append(time.process_time() - on_cpu)
    return Measured(name, min(clock), min(cpu), grids)


def main() -> None:
    """Measure every way and print one line for each."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    arguments.add_argument("--repeats", type=int, default=3, help="runs, the fastest counts (3)")
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    image, stem = fit_image(gallery_image("astronaut"), SIDE), load_stem("filters")
    assert image.shape == (3, SIDE, SIDE)
    ways: dict[str, Callable[[], Grids]] = {
        "occlusion_map": partial(ours, image, stem),
        "whole passes": partial(whole_passes, image, stem),
    }
    try:
        import captum
    except ImportError as problem:
        print(f"Captum is left out, it cannot be imported ({problem}): see requirements-bench.txt")
    else:
        for at_once in (1, 5, 25):
            name = f"Captum {captum.__version__}, {at_once} at once"
            ways[name] = partial(with_captum, image, stem, at_once)
    print(
        f"{len(PLACES) ** 2} places of a {PATCH} x {PATCH} patch on {SIDE} x {SIDE} pixels, "
        f"{stem.channels} channels, {len(POOLINGS)} poolings, torch {torch.__version__}, "
        f"{chosen.threads} thread(s), fastest of {chosen.repeats}"
    )
    found = [measured(name, make, chosen.repeats) for name, make in ways.items()]
    reference = found[0]
    print(f"{'':26}{'seconds':>9}{'ratio':>8}{'CPU s':>9}{'ratio':>8}  largest difference")
    for each in found:
        apart = max(
            (each.grids[name] - reference.grids[name]).abs().max().item() for name in POOLINGS
        )
        print(
            f"{each.name:26}{each.seconds:9.2f}{each.seconds / reference.seconds:8.1f}"
            f"{each.cpu_seconds:9.2f}{each.cpu_seconds / reference.cpu_seconds:8.1f}  {apart:.1e}"
        )
    if beside := [each for each in found if each.name.startswith("Captum")]:
        times = min(each.seconds for each in beside) / reference.seconds
        verdict = "met" if times >= TARGET else "MISSED"
        print(f"{times:.1f} times as fast as Captum at its best  >= {TARGET}  {verdict}")


if __name__ == "__main__":
    main()
