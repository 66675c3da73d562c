"""Small generated classification tasks: pictures drawn by seeded code, and their classes.

No picture here is real. Each task is made so that we know beforehand what a network has to take
from a map: its largest value, its mean, or both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Height and width of every picture.
SIDE = 24
#: The largest number of training pictures of a task, and the size of its held-out test set.
MOST_PICTURES = 1000
TEST_PICTURES = 400

_GREY = 0.4
_SPOT = torch.tensor([[0.5, 0.8, 0.5], [0.8, 1.0, 0.8], [0.5, 0.8, 0.5]])
_SPECK = torch.ones(1, 1)
_PLUS = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
_CROSS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
# The marks of a texture stand in a grid of so many rows and columns, each in a cell of its own.
_CELLS = 4
_CELL = SIDE // _CELLS

Drawn = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """Pictures of a kind, and the classes to tell apart.

    Args:
        key: Its name.
        classes: A name for each class, in the order of the labels.
        draw: Takes a count and a generator, and returns so many pictures (n, SIDE, SIDE) and their
            labels (n,).
    """

    key: str
    classes: tuple[str, ...]
    draw: Callable[[int, torch.Generator], Drawn]


@dataclass(frozen=True)
class TaskData:
    """Pictures to learn from and held-out pictures.

    Args:
        train_images: (n, 1, SIDE, SIDE) in [0, 1].
        train_labels: (n,).
        test_images: (TEST_PICTURES, 1, SIDE, SIDE).
        test_labels: (TEST_PICTURES,).
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def draw_data(task: str, pictures: int, seed: int) -> TaskData:
    """Draw the training pictures and the test set of a task.

    A smaller set is the beginning of a larger one, and the test set is always the same, so that
    `pictures` changes nothing but the number of training pictures.

    Args:
        task: Key of `TASKS`.
        pictures: How many training pictures, at most `MOST_PICTURES`.
        seed: The seed of all pictures.

    Raises:
        ValueError: If there is no such task or `pictures` is out of range.

    Example:
        >>> few, many = draw_data("spot", 20, seed=0), draw_data("spot", 50, seed=0)
        >>> few.train_images.shape
        torch.Size([20, 1, 24, 24])
        >>> torch.equal(few.train_images, many.train_images[:20])
        True
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, but got {task!r}.")
    if not 1 <= pictures <= MOST_PICTURES:
        raise ValueError(f"pictures must lie in [1, {MOST_PICTURES}], but got {pictures}.")
    generator = torch.Generator().manual_seed(seed)
    images, labels = TASKS[task].draw(TEST_PICTURES + MOST_PICTURES, generator)
    images = images.clamp(0, 1).unsqueeze(1)
    train = slice(TEST_PICTURES, TEST_PICTURES + pictures)
    test = slice(TEST_PICTURES)
    return TaskData(images[train], labels[train], images[test], labels[test])


def _draw_spot(count: int, generator: torch.Generator) -> Drawn:
    """A faint bright spot anywhere, or none; the overall brightness carries no information."""
    labels = torch.randint(2, (count,), generator=generator)
    images = _noise(count, 0.1, generator)
    images += 0.04 * torch.randn(count, 1, 1, generator=generator)
    return _stamp(images, _SPOT, 0.35 * labels, *_places(_SPOT, count, generator)), labels


def _draw_tone(count: int, generator: torch.Generator) -> Drawn:
    """A slightly darker or lighter tone, under a few specks that carry no information."""
    labels = torch.randint(2, (count,), generator=generator)
    images = _noise(count, 0.06, generator) + _tone(labels, 0.03)
    for _ in range(12):
        strengths = 0.4 * torch.randn(count, generator=generator)
        images = _stamp(images, _SPECK, strengths, *_places(_SPECK, count, generator))
    return images, labels


def _draw_both(count: int, generator: torch.Generator) -> Drawn:
    """Four classes: darker or lighter, each without and with a spot."""
    labels = torch.randint(4, (count,), generator=generator)
    images = _noise(count, 0.1, generator) + _tone(labels // 2, 0.04)
    spots = 0.45 * (labels % 2)
    return _stamp(images, _SPOT, spots, *_places(_SPOT, count, generator)), labels


def _draw_marks(count: int, generator: torch.Generator) -> Drawn:
    """Sixteen small plus signs, one of them turned to a cross in the second class."""
    labels = torch.randint(2, (count,), generator=generator)
    turned = torch.randint(_CELLS**2, (count,), generator=generator)
    images = _noise(count, 0.06, generator)
    images += 0.04 * torch.randn(count, 1, 1, generator=generator)
    jitter = _CELL - len(_PLUS) + 1
    for cell in range(_CELLS**2):
        rows, columns = (torch.randint(jitter, (count,), generator=generator) for _ in range(2))
        rows, columns = rows + cell // _CELLS * _CELL, columns + cell % _CELLS * _CELL
        crossed = (labels * (turned == cell)).float()
        images = _stamp(images, _PLUS, 0.4 * (1 - crossed), rows, columns)
        images = _stamp(images, _CROSS, 0.4 * crossed, rows, columns)
    return images, labels


def _noise(count: int, sigma: float, generator: torch.Generator) -> Tensor:
    return _GREY + sigma * torch.randn(count, SIDE, SIDE, generator=generator)


def _tone(labels: Tensor, difference: float) -> Tensor:
    return difference * (labels - 0.5)[:, None, None]


def _places(mark: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    free = SIDE - len(mark) + 1
    rows, columns = torch.randint(free, (2, count), generator=generator)
    return rows, columns


def _stamp(
    images: Tensor, mark: Tensor, strengths: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """Add a mark to each picture, with its own strength and at its own place."""
    offsets = torch.arange(len(mark))
    places = (
        torch.arange(len(images))[:, None, None],
        rows[:, None, None] + offsets[:, None],
        columns[:, None, None] + offsets,
    )
    return images.index_put(places, strengths[:, None, None] * mark, accumulate=True)


TASKS: dict[str, Task] = {
    task.key: task
    for task in (
        Task("spot", ("no_spot", "spot"), _draw_spot),
        Task("tone", ("darker", "lighter"), _draw_tone),
        Task("both", ("darker", "darker_spot", "lighter", "lighter_spot"), _draw_both),
        Task("marks", ("plus", "cross"), _draw_marks),
    )
}
"""Every task, by name: the spot asks for max pooling, the tone for average pooling."""
