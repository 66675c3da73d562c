"""The article's examples: its printed results, its checkpoints, and the faults that are mended."""

import io
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from hybridpool import (
    HybridPooling,
    HybridPoolingWithAttention,
    HybridResNetBlock,
    hybrid_pool2d,
)
from tests import oracle

GRID = torch.arange(1.0, 17.0).view(1, 1, 4, 4)


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Layers draw their weights with the global generator: the same ones, and none used up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def through_a_file(module: nn.Module) -> dict[str, torch.Tensor]:
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


# What the article prints.


def test_example_1_max_pooling():
    assert hybrid_pool2d(GRID, 1.0, 2, 2).tolist() == [[[[6, 8], [14, 16]]]]


def test_example_1_average_pooling():
    assert hybrid_pool2d(GRID, 0.0, 2, 2).tolist() == [[[[3.5, 5.5], [11.5, 13.5]]]]


def test_example_2_lies_halfway_between_the_two_from_the_start():
    assert HybridPooling()(GRID).tolist() == [[[[4.75, 6.75], [12.75, 14.75]]]]


# What the article saves.


def test_a_checkpoint_of_example_2_pools_the_same():
    theirs, ours = oracle.ArticleHybridPooling(), HybridPooling()
    ours.load_state_dict(through_a_file(theirs), strict=True)
    assert ours.weight.shape == (1,)
    torch.testing.assert_close(ours(GRID), theirs(GRID))
    assert not torch.equal(ours(GRID), HybridPooling()(GRID))


def test_a_checkpoint_of_example_3_pools_the_same():
    image = draw(2, 8, 6, 6)
    theirs = oracle.ArticleHybridPoolingWithAttention(8)
    ours = HybridPoolingWithAttention(8)
    ours.load_state_dict(through_a_file(theirs), strict=True)
    torch.testing.assert_close(ours(image), theirs(image))
    assert set(ours.state_dict()) == {"fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_a_checkpoint_of_example_4_computes_the_same(training):
    image = draw(2, 8, 6, 6)
    theirs = oracle.ArticleHybridResNetBlock(8, 8)
    theirs(draw(4, 8, 6, 6, seed=1))
    ours = HybridResNetBlock(8, 8)
    ours.load_state_dict(through_a_file(theirs), strict=True)
    theirs.train(training)
    ours.train(training)
    torch.testing.assert_close(ours(image), theirs(image))


def test_a_checkpoint_of_ours_loads_into_the_article_s_classes():
    for ours, theirs in (
        (HybridPooling(blend_weight=0.2), oracle.ArticleHybridPooling()),
        (HybridPoolingWithAttention(8), oracle.ArticleHybridPoolingWithAttention(8)),
        (HybridResNetBlock(8, 8), oracle.ArticleHybridResNetBlock(8, 8)),
    ):
        theirs.load_state_dict(through_a_file(ours), strict=True)
        image = draw(2, 8, 6, 6)
        torch.testing.assert_close(theirs(image), ours(image))


# Where the article's code goes wrong: each fault is first shown in its own classes.


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_attention_looks_at_the_input_with_fewer_than_four_channels(channels):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")
        theirs = oracle.ArticleHybridPoolingWithAttention(channels)
    ours = HybridPoolingWithAttention(channels)
    for module in (theirs, ours):
        for weight in module.parameters():
            nn.init.ones_(weight)
    dark, bright = torch.zeros(1, channels, 4, 4), torch.ones(1, channels, 4, 4)
    blind = [theirs.fc(image.mean((2, 3))) for image in (dark, bright)]
    assert torch.equal(*blind)
    assert (ours.attention(bright) > ours.attention(dark)).all()


def test_one_channel_is_projected_and_not_copied_to_all():
    image = draw(2, 1, 8, 8)
    theirs = oracle.ArticleHybridResNetBlock(1, 16)
    theirs.hybrid_pool = nn.Identity()
    ours = HybridResNetBlock(1, 16, pooling=None)
    for block in (theirs, ours):
        nn.init.zeros_(block.bn2.weight)
    # Only the shortcut is left.
    copies = theirs(image)
    assert copies.shape == (2, 16, 8, 8)
    assert torch.equal(copies, copies[:, :1].expand_as(copies))
    projected = ours(image)
    assert projected.shape == (2, 16, 8, 8)
    assert not any(torch.equal(projected[:, 0], projected[:, c]) for c in range(1, 16))


@pytest.mark.parametrize("channels", [(16, 32), (32, 16)], ids=str)
def test_the_numbers_of_channels_may_differ(channels):
    image = draw(2, channels[0], 8, 8)
    with pytest.raises(RuntimeError, match="must match"):
        oracle.ArticleHybridResNetBlock(*channels)(image)
    assert HybridResNetBlock(*channels)(image).shape == (2, channels[1], 4, 4)


def test_a_block_may_step_over_cells():
    assert HybridResNetBlock(4, 4, stride=2)(draw(2, 4, 8, 8)).shape == (2, 4, 2, 2)


def test_attention_pools_an_unbatched_map_like_a_batch_of_one():
    image = draw(8, 6, 6)
    theirs = oracle.ArticleHybridPoolingWithAttention(8)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        theirs(image)
    ours = HybridPoolingWithAttention(8)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(image), theirs(image[None])[0])
    assert ours.attention(image).shape == (8,)


def test_a_blend_weight_does_not_lift_autocast_maps_to_float32():
    image = draw(1, 3, 8, 8)
    for pool, dtype in (
        (oracle.ArticleHybridPooling(), torch.float32),
        (HybridPooling(), torch.bfloat16),
        (HybridPooling(channels=8), torch.bfloat16),
        (HybridPoolingWithAttention(8), torch.bfloat16),
    ):
        model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), pool)
        with torch.autocast("cpu", torch.bfloat16):
            assert model(image).dtype == dtype, pool


def test_integers_are_refused_and_not_averaged_without_their_fractions():
    image = torch.tensor([[[[1, 2], [5, 6]]]])
    theirs = oracle.ArticleHybridPooling()
    nn.init.zeros_(theirs.weight)
    assert theirs(image).item() == 4.5  # the average is 3.5, not 3
    with pytest.raises(TypeError, match=r"int64.*float\(\)"):
        HybridPooling()(image)


def test_attention_refuses_integers_in_the_same_sentence():
    image = torch.tensor([[[[1, 2], [5, 6]]]])
    with pytest.raises(TypeError, match=r"int64.*float\(\)"):
        HybridPoolingWithAttention(1)(image)


def test_a_blend_weight_of_one_half_is_one_half():
    theirs = oracle.ArticleHybridPooling()
    nn.init.constant_(theirs.weight, 0.5)
    assert theirs.weight.sigmoid().item() == pytest.approx(0.6225, abs=1e-4)
    ours = HybridPooling(blend_weight=0.5)
    assert ours.blend_weight.item() == 0.5
    assert ours.weight.item() == 0


@pytest.mark.parametrize("blend_weight", [0.0, 0.1, 0.622, 0.9, 1.0])
def test_the_blend_weight_that_is_asked_for_is_the_one_that_pools(blend_weight):
    pool = HybridPooling(blend_weight=blend_weight)
    assert pool.blend_weight.item() == pytest.approx(blend_weight, rel=1e-6)
    torch.testing.assert_close(pool(GRID), hybrid_pool2d(GRID, blend_weight, 2))
