"""The generated tasks: what is drawn, from what, and that it is what it is said to be."""

import pytest
import torch
import torch.nn.functional as F

from hybridpool.race.tasks import MOST_PICTURES, SIDE, TASKS, TEST_PICTURES, draw_data


@pytest.mark.parametrize("task", TASKS)
def test_pictures_are_grey_values_with_labels_of_their_classes(task: str) -> None:
    data = draw_data(task, 100, seed=3)
    for images, labels, count in (
        (data.train_images, data.train_labels, 100),
        (data.test_images, data.test_labels, TEST_PICTURES),
    ):
        assert images.shape == (count, 1, SIDE, SIDE)
        assert images.min() >= 0
        assert images.max() <= 1
        assert set(labels.tolist()) == set(range(len(TASKS[task].classes)))


@pytest.mark.parametrize("task", TASKS)
def test_one_seed_draws_the_same_again_and_another_something_else(task: str) -> None:
    state = torch.random.get_rng_state()
    first, again, other = (draw_data(task, 50, seed) for seed in (1, 1, 2))
    assert torch.equal(first.train_images, again.train_images)
    assert torch.equal(first.test_labels, again.test_labels)
    assert not torch.equal(first.train_images, other.train_images)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_no_picture_of_the_test_set_is_learned_from() -> None:
    data = draw_data("spot", MOST_PICTURES, seed=0)
    seen = {image.numpy().tobytes() for image in data.train_images}
    assert not seen & {image.numpy().tobytes() for image in data.test_images}


def test_fewer_pictures_are_the_first_of_the_many_and_the_test_set_stays() -> None:
    few, many = draw_data("marks", 20, seed=5), draw_data("marks", 500, seed=5)
    assert torch.equal(few.train_images, many.train_images[:20])
    assert torch.equal(few.test_images, many.test_images)


def separation(values: torch.Tensor, labels: torch.Tensor) -> float:
    """The best accuracy that one threshold on a number can have."""
    order = labels[values.argsort()]
    below = torch.cat([torch.zeros(1, dtype=torch.long), (1 - order).cumsum(0)])
    above = order.sum() - torch.cat([torch.zeros(1, dtype=torch.long), order.cumsum(0)])
    share = (below + above) / len(labels)
    return max(share.max().item(), 1 - share.min().item())


def test_the_spot_shows_in_the_largest_value_and_hardly_in_the_mean() -> None:
    data = draw_data("spot", MOST_PICTURES, seed=0)
    images, labels = data.train_images, data.train_labels
    blurred = F.avg_pool2d(images, 3, 1)
    local = blurred - images.mean((-2, -1), keepdim=True)
    assert separation(local.amax((1, 2, 3)), labels) > 0.95
    assert separation(images.mean((1, 2, 3)), labels) < 0.6


def test_the_tone_shows_in_the_mean_and_hardly_in_the_largest_value() -> None:
    data = draw_data("tone", MOST_PICTURES, seed=0)
    images, labels = data.train_images, data.train_labels
    assert separation(images.mean((1, 2, 3)), labels) > 0.95
    assert separation(images.amax((1, 2, 3)), labels) < 0.65


def test_both_needs_the_largest_value_for_one_half_and_the_mean_for_the_other() -> None:
    data = draw_data("both", MOST_PICTURES, seed=0)
    images, labels = data.train_images, data.train_labels
    mean, largest = images.mean((1, 2, 3)), F.avg_pool2d(images, 3, 1).amax((1, 2, 3))
    assert separation(mean, labels // 2) > 0.95
    assert separation(largest - mean, labels % 2) > 0.95
    assert separation(mean, labels % 2) < 0.65


def test_marks_differ_neither_in_the_mean_nor_in_the_largest_value() -> None:
    data = draw_data("marks", MOST_PICTURES, seed=0)
    images, labels = data.train_images, data.train_labels
    assert separation(images.mean((1, 2, 3)), labels) < 0.6
    assert separation(images.amax((1, 2, 3)), labels) < 0.6


def test_marks_are_told_apart_by_the_filter_of_the_mark() -> None:
    data = draw_data("marks", MOST_PICTURES, seed=0)
    turned = torch.tensor([[1.0, -1, 1], [-1, 0, -1], [1, -1, 1]])[None, None]
    found = F.conv2d(data.train_images, turned).amax((1, 2, 3))
    assert separation(found, data.train_labels) > 0.95


@pytest.mark.parametrize(("task", "pictures"), [("chess", 20), ("spot", 0), ("spot", 1001)])
def test_what_cannot_be_drawn_is_refused_in_words(task: str, pictures: int) -> None:
    with pytest.raises(ValueError, match="task must be one of" if task == "chess" else "pictures"):
        draw_data(task, pictures, seed=0)
