"""ResNet-18 with its max pooling blended, against torchvision's network and against surgery."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights

from hybridpool import replace_pooling
from hybridpool.answer import (
    IMAGENET_SIDE,
    ImageNetNetwork,
    as_seen,
    imagenet_answers,
    imagenet_network,
    middle_square,
)
from hybridpool.pictures.gallery import gallery_image
from hybridpool.stem import StemUnavailable
from hybridpool.stem import files as stem_files
from tests.draws import photo
from tests.made_up_networks import a_resnet18_file

CPU = torch.device("cpu")
WEIGHTS = (1.0, 0.6, 0.0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """Weights that nothing has trained, where torch.hub keeps torchvision's."""
    return a_resnet18_file(tmp_path_factory.mktemp("hub") / "checkpoints")


@pytest.fixture
def network(kept: tuple[Path, nn.Module], monkeypatch: pytest.MonkeyPatch) -> ImageNetNetwork:
    path, _theirs = kept
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(path.parent.parent))
    monkeypatch.setattr(stem_files, "resnet18_url", lambda: f"http://127.0.0.1:9/{path.name}")
    return imagenet_network()


def pictures(count: int = 2, side: int = 96) -> Tensor:
    return torch.stack([photo(side, side, seed=each) for each in range(count)])


def normalised(batch: Tensor) -> Tensor:
    transforms = ResNet18_Weights.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (transforms.mean, transforms.std))
    return (batch - mean) / std


def test_with_max_it_says_what_torchvision_s_network_says(
    network: ImageNetNetwork, kept: tuple[Path, nn.Module]
) -> None:
    found = imagenet_answers(network, pictures(), [1.0], CPU)
    with torch.no_grad():
        wanted = kept[1](normalised(pictures())).softmax(1)
    torch.testing.assert_close(found[0], wanted, atol=1e-4, rtol=0)
    assert not torch.allclose(wanted[0], wanted[1], atol=0.01), "its answer depends on the picture"


@pytest.mark.parametrize("weight", WEIGHTS)
def test_with_a_blend_it_says_what_the_network_says_whose_pooling_was_replaced(
    network: ImageNetNetwork, kept: tuple[Path, nn.Module], weight: float
) -> None:
    replaced = replace_pooling(kept[1], which="max", blend_weight=weight, inplace=False)
    place = WEIGHTS.index(weight)
    found = imagenet_answers(network, pictures(), WEIGHTS, CPU)[place]
    with torch.no_grad():
        wanted = replaced.eval()(normalised(pictures())).softmax(1)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_the_blend_changes_what_it_says(network: ImageNetNetwork) -> None:
    first, _, last = imagenet_answers(network, pictures(), WEIGHTS, CPU)
    assert (first - last).abs().max() > 0.01


def test_it_has_torchvision_s_classes_and_draws_nothing(network: ImageNetNetwork) -> None:
    before = torch.get_rng_state()
    again = imagenet_network()
    assert torch.equal(torch.get_rng_state(), before)
    assert again.classes == network.classes
    assert (len(again.classes), again.classes[281]) == (1000, "tabby")
    assert not any(each.requires_grad for each in again.model.parameters())


def test_weights_that_cannot_be_had_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(StemUnavailable, match="connect it to the internet, or go on without them"):
        imagenet_network()


def test_it_sees_the_square_that_the_small_networks_see() -> None:
    image = gallery_image("horse")
    large = middle_square(image, IMAGENET_SIDE)
    assert large.shape == (3, IMAGENET_SIDE, IMAGENET_SIDE)
    small = torch.nn.functional.avg_pool2d(large, IMAGENET_SIDE // 32)
    assert (small - as_seen(image)).abs().mean() < 0.03
