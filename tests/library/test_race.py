"""The race: every arm learns what it would learn alone, and the blend weight what its task asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hybridpool import HybridPooling, HybridPoolingWithAttention
from hybridpool.race import race as racing
from hybridpool.race.gaps import ARMS as COMPARED
from hybridpool.race.gaps import overfitting
from hybridpool.race.race import ARMS, CHANNELS, FIXED, Moment, Race, RaceSettings

QUICK = RaceSettings(steps=100, pictures=50, seed=4)
SEEDS = range(5)


def run(settings: RaceSettings, every: int | None = None) -> Race:
    race = Race(settings, every=every)
    for _ in race.advance(settings.steps):
        pass
    return race


def same(one: Moment, other: Moment) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Moment)]
    return all(
        torch.equal(a.nan_to_num(9e9), b.nan_to_num(9e9))
        if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
        else a is b or a == b
        for a, b in pairs
    )


# ---- what is learned ---------------------------------------------------------------------------


def learned(task: str, seed: int) -> dict[str, float]:
    arms = ("start_low", "start_half")
    race = run(RaceSettings(task, seed, steps=200, arms=arms))
    return dict(zip(arms, race.moments[-1].blend_weight[:, 0].tolist(), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_spot_teaches_the_largest_value(seed: int) -> None:
    assert learned("spot", seed)["start_half"] > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tone_teaches_the_mean(seed: int) -> None:
    ended = learned("tone", seed)
    assert ended["start_half"] < 0.2
    assert ended["start_low"] < 0.1


def test_only_the_pooling_that_the_task_asks_for_can_solve_it() -> None:
    for task, right, wrong in (("spot", "max", "average"), ("tone", "average", "max")):
        last = run(RaceSettings(task, steps=200, arms=(right, wrong))).moments[-1]
        accuracy = dict(zip(last_arms(task, right, wrong), last.test_accuracy, strict=True))
        assert accuracy[right] > 0.95
        assert accuracy[wrong] < accuracy[right] - 0.03


def last_arms(task: str, *arms: str) -> tuple[str, ...]:
    return RaceSettings(task, arms=arms).clamped().arms


# ---- all at once is each alone -----------------------------------------------------------------


def alone(race: Race, arm: str) -> tuple[nn.Module, HybridPooling | HybridPoolingWithAttention]:
    """The network of one arm built from ordinary layers, with what it starts from."""
    network, at = race.network, race.settings.arms.index(arm)
    convolution = nn.Conv2d(1, CHANNELS, 3)
    classes = network.readout.shape[-1]
    linear = nn.Linear(CHANNELS, classes)
    pool = network.pools[arm]
    layer: HybridPooling | HybridPoolingWithAttention
    if arm == "attention":
        layer = HybridPoolingWithAttention(CHANNELS, 22)
    else:
        layer = HybridPooling(22, channels=CHANNELS if arm == "channels" else None)
    layer.load_state_dict(pool.state_dict())
    layer.requires_grad_(arm not in FIXED)
    rows = slice(at * CHANNELS, (at + 1) * CHANNELS)
    with torch.no_grad():
        convolution.weight.copy_(network.filters[rows])
        convolution.bias.copy_(network.filter_bias[rows])  # type: ignore[union-attr]
        linear.weight.copy_(network.readout[at].T)
        linear.bias.copy_(network.readout_bias[at, 0])
    return nn.Sequential(convolution, layer, nn.Flatten(), linear), layer


@pytest.mark.parametrize("optimizer", racing.OPTIMIZERS)
@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_learns_what_it_would_learn_alone(arm: str, optimizer: str) -> None:
    settings = replace(QUICK, optimizer=optimizer, weight_decay=0.03, decay_logits=True)
    race = Race(settings)
    network, layer = alone(race, arm)
    learning = [p for p in network.parameters() if p.requires_grad]
    rate = settings.learning_rate
    steps = {
        "sgd": lambda: torch.optim.SGD(learning, lr=rate, momentum=0.9, weight_decay=0.03),
        "adam": lambda: torch.optim.Adam(learning, lr=rate, weight_decay=0.03),
    }[optimizer]()
    batches = torch.Generator().manual_seed(settings.seed + 2 * (racing.MOST_SEED + 1))
    images, labels = race._train
    at = race.settings.arms.index(arm)
    for moment in [race.moments[0], *race.advance(8)]:
        drawn = torch.randint(len(labels), (racing.BATCH,), generator=batches)
        loss = F.cross_entropy(network(images[drawn]), labels[drawn])
        steps.zero_grad()
        loss.backward()
        torch.testing.assert_close(moment.loss[at], loss.detach())
        if isinstance(layer, HybridPooling):
            torch.testing.assert_close(
                moment.blend_weight[at], layer.blend_weight.detach().expand(CHANNELS)
            )
        if isinstance(layer, HybridPooling) and arm not in FIXED:
            expected = layer.weight.grad
            assert expected is not None
            torch.testing.assert_close(moment.gradient[at], expected.expand(CHANNELS))
        steps.step()


def test_the_gradient_is_the_slope_times_what_the_task_says() -> None:
    """dL/dlogit = s(1 - s) * sum((max - average) * dL/dpooled), by hand from one batch."""
    race = Race(replace(QUICK, arms=("start_low", "start_half", "start_high")))
    moment, network = race.moments[0], race.network
    batches = torch.Generator().manual_seed(race.settings.seed + 2 * (racing.MOST_SEED + 1))
    images, labels = race._train
    drawn = torch.randint(len(labels), (racing.BATCH,), generator=batches)
    with torch.no_grad():
        maps = network.maps(images[drawn]).flatten(2)
    largest, mean = maps.amax(-1), maps.mean(-1)
    for arm in range(3):
        rows = slice(arm * CHANNELS, (arm + 1) * CHANNELS)
        top, middle = largest[:, rows], mean[:, rows]
        s = moment.blend_weight[arm, 0]
        pooled = (s * top + (1 - s) * middle).requires_grad_()
        scores = pooled @ network.readout[arm].detach() + network.readout_bias[arm].detach()
        (g,) = torch.autograd.grad(F.cross_entropy(scores, labels[drawn]), pooled)
        expected = s * (1 - s) * ((top - middle) * g).sum()
        torch.testing.assert_close(moment.gradient[arm, 0], expected, rtol=1e-4, atol=1e-7)
        assert moment.slope[arm, 0] == s * (1 - s)


# ---- the same numbers --------------------------------------------------------------------------


def test_all_arms_begin_equal_but_for_their_pooling() -> None:
    race = Race(QUICK)
    filters = race.network.filters.view(len(ARMS), -1)
    readout = race.network.readout.view(len(ARMS), -1)
    assert torch.equal(filters, filters[:1].expand_as(filters))
    assert torch.equal(readout, readout[:1].expand_as(readout))
    half, channels, fixed = (ARMS.index(arm) for arm in ("start_half", "channels", "fixed_half"))
    loss = race.moments[0].loss
    assert loss[half] == loss[channels] == loss[fixed]
    weights = dict(zip(ARMS, race.moments[0].blend_weight[:, 0].tolist(), strict=True))
    assert weights["max"] == 1
    assert weights["average"] == 0
    assert weights["start_high"] == pytest.approx(0.98)
    # sigmoid of a number drawn from [0, 1), as in the article.
    assert 0.5 <= weights["start_drawn"] < 0.7311


def test_a_race_that_pauses_is_the_race_that_does_not() -> None:
    whole = run(replace(QUICK, dropout=0.3), every=10)
    parts = Race(replace(QUICK, dropout=0.3), every=10)
    other = Race(replace(QUICK, seed=9, task="tone"))
    for steps in (1, 7, 0, 40, 1000):
        list(parts.advance(steps))
        list(other.advance(2))
    assert parts.done
    assert list(parts.advance(1)) == []
    assert len(parts.moments) == len(whole.moments) == QUICK.steps + 1
    assert all(same(a, b) for a, b in zip(parts.moments, whole.moments, strict=True))


def test_a_race_that_two_threads_advance_is_the_race_of_one() -> None:
    alone, shared = Race(RaceSettings(steps=100)), Race(RaceSettings(steps=100))
    list(alone.advance(100))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: list(shared.advance(60)), range(2)))
    assert [moment.step for moment in shared.moments] == list(range(101))
    for one, other in zip(alone.moments, shared.moments, strict=True):
        assert one.blend_weight.equal(other.blend_weight)


def test_no_global_generator_is_touched_and_another_seed_is_another_race() -> None:
    state = torch.random.get_rng_state()
    race = Race(replace(QUICK, dropout=0.5))
    list(race.advance(3))
    assert torch.equal(torch.random.get_rng_state(), state)
    other = Race(replace(QUICK, dropout=0.5, seed=5))
    list(other.advance(3))
    assert not same(race.moments[-1], other.moments[-1])


def test_accuracy_is_measured_every_so_often_and_at_the_end() -> None:
    race = run(replace(QUICK, arms=("max", "attention")), every=30)
    measured = [moment.step for moment in race.moments if moment.test_accuracy is not None]
    assert measured == [0, 30, 60, 90, 100]
    attention = race.moments[-1].attention
    assert attention is not None
    assert attention.shape == (2, CHANNELS)
    assert 0 < attention.min() < attention.max() < 1


def test_fixed_arms_stay_where_they_are() -> None:
    race = run(replace(QUICK, arms=tuple(FIXED), weight_decay=0.1, decay_logits=True))
    assert torch.equal(race.moments[0].blend_weight, race.moments[-1].blend_weight)
    assert race.moments[-1].gradient.isnan().all()


# ---- weight decay, dropout, overfitting --------------------------------------------------------


def test_weight_decay_erases_the_learned_weight_and_the_no_decay_group_keeps_it() -> None:
    settings = RaceSettings(
        "tone", steps=300, weight_decay=0.03, arms=("start_low", "start_half", "start_high")
    )
    kept = run(settings).moments[-1].blend_weight[:, 0]
    erased = run(replace(settings, decay_logits=True)).moments[-1].blend_weight[:, 0]
    assert kept[1] < 0.2
    assert erased[1] > kept[1] + 0.1
    # Wherever they start, all end at the same place, nearer to one half.
    assert erased.max() - erased.min() < 0.05 < kept.max() - kept.min()


def test_dropout_leaves_out_channels_and_keeps_their_mean() -> None:
    race = Race(replace(QUICK, dropout=0.5))
    kept = [race._kept() for _ in range(100)]
    values = torch.stack([mask for mask in kept if mask is not None])
    assert set(values.unique().tolist()) == {0.0, 2.0}
    assert values.mean().item() == pytest.approx(1, abs=0.05)
    assert Race(QUICK)._kept() is None


def test_the_gap_is_large_with_twenty_pictures_and_small_with_a_thousand() -> None:
    settings = RaceSettings("marks", steps=200)
    *first, last = overfitting(settings, pictures=(20, 1000), seeds=(0, 1))
    assert [gaps.runs for gaps in first] == [1, 2, 3]
    assert first[0].gap[0, :, 0].isfinite().all()
    assert first[0].gap[1].isnan().all()
    assert last.gap.shape == (2, len(COMPARED), 2)
    few, many = last.gap.mean((1, 2)).tolist()
    assert few > 0.2
    assert many < 0.1
    assert last.runs == last.total == 4


def test_whatever_a_link_asks_for_can_be_run() -> None:
    wild = RaceSettings(
        "chess", -5, 3, 10**9, -1.0, "newton", 7.0, dropout=2.0, arms=("tortoise",)
    ).clamped()
    assert wild == replace(
        RaceSettings(), pictures=20, steps=1000, learning_rate=0.01, weight_decay=0.1, dropout=0.5
    )
