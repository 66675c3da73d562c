"""What trained networks answer: files, changes, probabilities, the dial, and their steps."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.answer import (
    ARMS_SHOWN,
    KNOWN,
    OUTSIDE,
    AnswerCurve,
    Change,
    UnfitNetworkError,
    answer,
    answer_curve,
    answers,
    as_seen,
    dialled,
    kind_of,
    network_files,
    open_stage,
    places,
    program_of,
    read_fit_network,
    stages,
    test_pictures,
)
from hybridpool.answer.places import class_activation
from hybridpool.answer.program import folded, layers, stored
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity import Perturbation
from hybridpool.training.arms import blends
from hybridpool.training.data import CIFAR10_CLASSES, DataUnavailable
from hybridpool.training.evaluate import prepare
from hybridpool.training.network_files import NetworkFileError
from tests.draws import photo
from tests.made_up_networks import a_file, a_folder, a_network

test_pictures.__test__ = False  # type: ignore[attr-defined]


def test_files_come_by_pooling_in_the_fixed_order_and_by_seed(tmp_path: Path) -> None:
    a_folder(tmp_path, ("blur", "max", "hybrid"), seeds=2)
    for name in ("notes.safetensors", "air8-gated-seed0.safetensors", "air8-max-seedx.safetensors"):
        (tmp_path / name).write_bytes(b"")
    found = [path.stem for path in network_files(tmp_path)]
    assert found == [f"air8-{arm}-seed{s}" for arm in ("max", "hybrid", "blur") for s in (0, 1)]


def test_a_network_is_named_by_its_content(tmp_path: Path) -> None:
    place = a_file(tmp_path / "a", a_network("max", 1))
    one, again = read_fit_network(place), read_fit_network(place)
    other = read_fit_network(a_file(tmp_path / "c", a_network("max", 1), accuracy=0.9))
    assert one.key == again.key != other.key


def test_what_is_no_network_for_a_row_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(NetworkFileError, match=r"mine\.safetensors holds no network"):
        read_fit_network(tmp_path / "x.safetensors", "mine.safetensors")
    larger = a_file(tmp_path, a_network("max"), side=64)
    with pytest.raises(
        UnfitNetworkError, match="for pictures of 64 × 64: choose one of small, air"
    ):
        read_fit_network(larger)


def test_the_picture_is_the_middle_square_in_8_bit() -> None:
    wide = torch.zeros(3, 40, 100)
    wide[:, :, 30:70] = 1  # the middle square
    assert bool((as_seen(wide) == 1).all())
    seen = as_seen(torch.rand(3, 90, 64, generator=torch.Generator()))
    assert seen.shape == (3, 32, 32)
    assert torch.equal((seen * 255).round() / 255, seen)
    exact = photo(32, 32)
    assert torch.equal(as_seen(exact), exact)


def test_what_is_known_of_the_gallery_is_a_class() -> None:
    assert set(KNOWN.values()) <= set(CIFAR10_CLASSES)
    assert {*KNOWN, *OUTSIDE} == set(GALLERY)


def test_no_copy_of_the_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable, match=r"There is no test\.parquet"):
        test_pictures(tmp_path)


def test_test_pictures_are_the_first_of_each_class(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import io

    from PIL import Image
    from pyarrow import parquet

    files, labels = [], [(7 * place) % 10 for place in range(50)]
    for place in range(50):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), (5 * place, 0, 0)).save(file, "JPEG", quality=100)
        files.append(file.getvalue())
    table = pa.table({"jpeg": files, "label": labels})
    parquet.write_table(table, tmp_path / "test.parquet")
    pictures, found, places = test_pictures(tmp_path)
    assert pictures.shape == (30, 3, 32, 32)
    assert found == tuple(label for label in range(10) for _ in range(3))
    assert [labels[place] for place in places] == list(found)
    for picture, place in zip(pictures, places, strict=True):
        assert picture[0].mean().item() == pytest.approx(5 * place / 255, abs=0.02)


# ---- what is done ------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", NOISES)
def test_noise_is_that_of_the_other_pages(noise: str) -> None:
    done = Perturbation(noise=noise, level=NOISES[noise].default, draw=3)
    assert torch.equal(Change("noise", done).apply(photo()), done.apply(photo()))


def test_a_shift_brings_back_what_leaves() -> None:
    image = photo()
    shifted = Change("shift", rows=-2, columns=3).apply(image)
    for y, x in ((0, 0), (5, 31), (31, 1)):
        assert torch.equal(shifted[:, y, x], image[:, (y + 2) % 32, (x - 3) % 32])


def test_only_what_matters_tells_two_changes_apart() -> None:
    loud = Perturbation(level=0.4, draw=7)
    assert Change("shift", loud).canonical() == Change("shift").canonical()
    assert Change("noise", loud, rows=4).canonical() == Change("noise", loud).canonical()
    assert Change("noise", loud).canonical() != Change("noise").canonical()
    covered = Perturbation(kind="occlusion")
    assert Change("occlusion", covered).canonical() != Change("noise").canonical()


@pytest.mark.parametrize(
    ("change", "nothing"),
    [
        (Change("shift", columns=0), True),
        (Change("shift"), False),
        (Change("noise", Perturbation(level=0)), True),
        (Change("noise"), False),
        (Change("occlusion", Perturbation(kind="occlusion")), False),
    ],
)
def test_a_change_knows_that_it_is_none(change: Change, nothing: bool) -> None:
    assert change.nothing == nothing
    assert torch.equal(change.apply(photo()), photo()) == nothing


def test_any_change_is_clamped_to_one_that_can_be_done() -> None:
    wild = Change("fly", Perturbation(noise="fog", level=math.nan), rows=-99, columns=99).clamped()
    assert (wild.action, wild.done.noise, wild.rows, wild.columns) == ("noise", "gaussian", -8, 8)
    assert Change("occlusion").clamped().done.kind == "occlusion"
    assert Change("shift", Perturbation(kind="occlusion")).clamped().done.kind == "noise"


# ---- what the networks say ---------------------------------------------------------------------


@pytest.mark.parametrize("arm", ARMS_SHOWN)
def test_probabilities_are_those_of_the_experiment_s_own_way(arm: str) -> None:
    network = a_network(arm)
    pictures = torch.stack([photo(seed=seed) for seed in range(3)])
    with torch.no_grad():
        wanted = network.model(prepare((pictures * 255).round().to(torch.uint8))).softmax(1)
    torch.testing.assert_close(answers(network, pictures), wanted, atol=1e-6, rtol=0)


def test_an_answer_names_the_first_of_equals_and_says_whether_it_is_the_same() -> None:
    network = a_network("max")
    found = answer(network, photo(), 1 - photo())
    assert sum(found.clean) == pytest.approx(1)
    assert found.said == max(range(10), key=lambda at: found.clean[at])
    assert found.same == (found.said == found.says)
    assert answer(network, photo(), photo()).same


@pytest.mark.parametrize("arm", ["fixed", "hybrid", "channel", "attention", "gated"])
@pytest.mark.parametrize(("weight", "pooling"), [(1.0, F.max_pool2d), (0.0, F.avg_pool2d)])
def test_at_its_ends_the_dial_is_max_or_average_pooling(
    arm: str, weight: float, pooling: object
) -> None:
    network = a_network(arm)
    turned = dialled(network, weight)
    assert turned.key != network.key
    plain = a_network("max" if weight else "average", kind="air")
    plain.model.load_state_dict(network.model.state_dict(), strict=False)
    torch.testing.assert_close(
        answers(turned, photo()[None]), answers(plain, photo()[None]), atol=1e-5, rtol=0
    )


def test_the_dial_leaves_the_network_as_it_was() -> None:
    network = a_network("hybrid")
    before = [layer.blend_weight.item() for layer in blends(network.model).values()]
    dialled(network, 0.25)
    assert [layer.blend_weight.item() for layer in blends(network.model).values()] == before
    assert dialled(network, None) is network
    assert dialled(a_network("max"), 0.25).key == a_network("max").key


# ---- curves ------------------------------------------------------------------------------------


def test_a_curve_holds_what_each_network_says_at_each_level() -> None:
    networks = {"max": [a_network("max", 0), a_network("max", 1)], "blur": [a_network("blur")]}
    change = Change("noise", Perturbation(noise="salt", level=0.3, draw=9))
    parts = list(answer_curve(networks, photo(), kind_of(change), draws=3))
    assert [len(part.levels) for part in parts] == list(range(1, 9))
    assert [part.done for part in parts] == [False] * 7 + [True]
    curve = parts[-1]
    for place, level in enumerate(curve.levels):
        pictures = torch.stack(
            [Perturbation(noise="salt", level=level, draw=draw).apply(photo()) for draw in range(3)]
        )
        sure, same = [], []
        for network in networks["max"]:
            said = answers(network, photo()[None])[0].argmax()
            found = answers(network, pictures)
            sure += found[:, said].tolist()
            same += (found.argmax(1) == said).tolist()
        assert curve.sure["max"][place] == pytest.approx(sure, abs=1e-5)
        assert curve.same["max"][place] == pytest.approx(sum(same) / 6)
    assert curve.same["max"][0] == 1, "nothing is done at level 0"


def test_a_curve_depends_on_the_kind_and_not_on_the_level_or_the_seed() -> None:
    noise = [
        Change("noise", Perturbation(level=level, draw=draw))
        for level, draw in ((0.1, 0), (0.4, 7))
    ]
    assert kind_of(noise[0]) == kind_of(noise[1])
    assert kind_of(noise[0]) != kind_of(Change("noise", Perturbation(noise="salt")))
    small, large = (
        Change(
            "occlusion",
            Perturbation(
                "occlusion", top=500 - half, left=500 - half, height=2 * half, width=2 * half
            ),
        )
        for half in (100, 300)
    )
    assert kind_of(small) == kind_of(large)
    assert kind_of(Change("shift", columns=2)) == kind_of(Change("shift", columns=-5))
    assert kind_of(Change("shift", rows=3)) != kind_of(Change("shift", columns=3))


def test_the_occluders_of_a_curve_lie_around_the_middle_of_the_chosen_one() -> None:
    chosen = Perturbation("occlusion", top=250, left=500, height=250, width=250, fill="black")
    white = torch.ones(3, 32, 32)
    for side, changes in kind_of(Change("occlusion", chosen)).curve(3):
        covered = [each.apply(white)[0] == 0 for each in changes]
        assert all(int(each.sum()) == side**2 for each in covered)
        if 0 < side <= 16:
            rows, columns = covered[0].nonzero().float().mean(0).tolist()
            assert (rows, columns) == pytest.approx((11.5, 19.5), abs=0.6)


def test_the_answer_flips_where_fewer_than_half_keep_it_on_either_side() -> None:
    levels = (-2.0, -1.0, 0.0, 1.0, 2.0)
    same = {"max": (0.2, 0.4, 1.0, 0.5, 0.1), "blur": (0.9, 0.9, 1.0, 0.9, 0.9)}
    curve = AnswerCurve(levels, 5, {}, same, harmless=0.0)
    assert curve.flips("max") == [-1.0, 2.0]
    assert curve.flips("blur") == []


# ---- where the answer lives --------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["max", "attention", "blur"])
def test_each_place_holds_what_is_said_with_a_patch_there(arm: str) -> None:
    network, image = a_network(arm), photo()
    found = places(network, image)
    assert found.said == int(answers(network, image[None]).argmax())
    for row, column in ((0, 0), (3, 5), (8, 8)):
        top, left = found.starts[row], found.starts[column]
        covered = image.clone()
        covered[:, top : top + 8, left : left + 8] = 0.5
        wanted = answers(network, covered[None])[0]
        assert found.sure[row, column].item() == pytest.approx(wanted[found.said].item(), abs=1e-5)
        assert int(found.says[row, column]) == int(wanted.argmax())


@pytest.mark.parametrize("kind", ["small", "air"])
def test_what_the_cells_add_is_the_score_of_the_class(kind: str) -> None:
    network, image = a_network("hybrid", kind=kind), photo()
    prepared = prepare((image[None] * 255).round().to(torch.uint8))
    head = network.model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        scores = network.model(prepared)[0]
    for target in (0, 7):
        added = class_activation(network, image, target).sum() + head.bias[target]
        assert added.item() == pytest.approx(scores[target].item(), abs=1e-4)


# ---- layer by layer ----------------------------------------------------------------------------


def louder(
    kept: list[Tensor], channel: int, factor: float, _pool: nn.Module, _given: object, out: Tensor
) -> Tensor:
    """A hook that keeps one channel of a map and hands it on larger."""
    kept.append(out[0, channel].clone())
    out = out.clone()
    out[:, channel] *= factor
    return out


@pytest.mark.parametrize("arm", ["max", "channel", "attention"])
def test_what_a_channel_speaks_is_how_the_score_follows_it(arm: str) -> None:
    network, image = a_network(arm), photo()
    found = stages(network, image)
    prepared = prepare((image[None] * 255).round().to(torch.uint8))
    pools = [layer for name, layer in layers(network.model) if name == "pool"]
    with torch.no_grad():
        scores = network.model(prepared)[0]
    for stage, pool in zip(found, pools, strict=True):
        assert stage.speaks.tolist() == sorted(stage.speaks.tolist(), reverse=True)
        channel, step = stage.channels[0], 1e-3
        kept: list[Tensor] = []
        hook = pool.register_forward_hook(partial(louder, kept, channel, 1 + step))
        with torch.no_grad():
            changed = network.model(prepared)[0]
        hook.remove()
        said = int(scores.argmax())
        slope = (changed[said] - scores[said]).item() / step
        assert slope == pytest.approx(stage.speaks[0].item(), rel=0.05, abs=0.05)
        torch.testing.assert_close(stage.maps[0], kept[0], atol=1e-4, rtol=1e-4)
        assert (stage.weights is None) == (arm == "max")


def test_the_blend_weights_of_a_stage_are_those_of_its_layer() -> None:
    network = a_network("channel")
    for stage, layer in zip(stages(network, photo()), blends(network.model).values(), strict=True):
        assert torch.equal(stage.weights, layer.blend_weight)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("arm", [*ARMS_SHOWN, "gated", "hybrid_blur", "strided"])
def test_an_opened_pooling_holds_what_the_layer_gets_and_hands_on(arm: str, number: int) -> None:
    network, image = a_network(arm), photo()
    kept: list[tuple[Tensor, Tensor]] = []
    pool = [layer for name, layer in layers(network.model) if name == "pool"][number]
    hook = pool.register_forward_hook(lambda _pool, given, out: kept.append((given[0], out)))
    with torch.no_grad():
        network.model(prepare((image[None] * 255).round().to(torch.uint8)))
    hook.remove()
    ((given, out),) = kept
    found = open_stage(network, image, number)
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(found.feature_map, given[0], **close)
    torch.testing.assert_close(found.pooled, out[0], **close)
    windows = F.unfold(given, 2, stride=2).view(*given.shape[1:2], 4, *out.shape[2:])
    torch.testing.assert_close(found.maximum, windows.amax(1), **close)
    torch.testing.assert_close(found.average, windows.mean(1), **close)
    assert (found.blend is None) == (arm in ("blur", "gated", "hybrid_blur", "strided"))
    if found.blend is not None:
        weight = found.blend.view(-1, 1, 1)
        blended = weight * found.maximum + (1 - weight) * found.average
        torch.testing.assert_close(found.pooled, blended, **close)
    first = stages(network, image)[number]
    assert torch.equal(found.speaks[list(first.channels)], first.speaks)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    ("kind", "arm"), [("air", "average"), ("air", "hybrid_blur"), ("air", "strided")]
)
def test_an_opened_pooling_knows_which_pixels_its_cells_see(
    kind: str, arm: str, number: int
) -> None:
    network = a_network(arm, kind=kind)
    image = photo().requires_grad_()
    maps = ((image - 0.5) / 0.25)[None]
    before = 0
    for name, layer in layers(network.model):
        if name == "pool" and before == number:
            break
        before += name == "pool"
        maps = layer(maps)
    kernel, stride, padding = open_stage(network, photo(), number).receptive_field
    row = maps.shape[-2] // 2
    maps[0, :, row, row].sum().backward()
    assert image.grad is not None
    seen = (image.grad[0] != 0).any(1).nonzero().flatten().tolist()
    start = row * stride - padding
    assert seen == list(range(max(start, 0), min(start + kernel, 32)))


# ---- the steps ---------------------------------------------------------------------------------


def test_folded_normalisation_is_that_of_pytorch() -> None:
    norm = nn.BatchNorm2d(4)
    draw = torch.Generator().manual_seed(0)
    for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        assert values is not None
        values.copy_(torch.rand(4, generator=draw) + 0.1)
    given = torch.randn(1, 4, 3, 3, generator=draw)
    factor, bias = folded(norm)
    found = given * factor.view(-1, 1, 1) + bias.view(-1, 1, 1)
    torch.testing.assert_close(found, norm.eval()(given))


def test_weights_travel_in_half_precision_where_nothing_is_lost() -> None:
    program = program_of(a_network("attention").model)
    kept = [program.arrays[step["weight"]] for step in program.steps if step["op"] == "convolve"]
    assert {values.dtype for values in kept} == {torch.float16}
    lost: Tensor = torch.tensor([1 / 3])
    assert torch.equal(stored(lost), lost)


def test_a_network_that_goes_another_way_has_no_steps() -> None:
    with pytest.raises(TypeError, match="SmallResNet18 does not go straight"):
        program_of(a_network("max", kind="resnet18").model)
