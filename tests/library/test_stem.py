"""The stem: what each filter answers to, and where weights come from."""

import copy
import functools
import http.server
import math
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import skimage.data
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from hybridpool.stem import (
    STEMS,
    ChannelName,
    ConvStem,
    StemUnavailable,
    load_stem,
    stem_on_disk,
    trained_stems,
)
from hybridpool.stem import files as stem_files
from tests.made_up_networks import a_resnet18_file

# Drawn pictures are 17 pixels wide, so that one cell of the map has its window in the middle.
SIZE = 17
MIDDLE = SIZE // 2
CELL = MIDDLE // 2


def plane() -> tuple[Tensor, Tensor]:
    line = torch.arange(SIZE, dtype=torch.float32) - MIDDLE
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def grey(values: Tensor) -> Tensor:
    return values.float().expand(3, -1, -1)


def edge(degrees: float) -> Tensor:
    """Black, and white towards `degrees`, clockwise from the right."""
    x, y = plane()
    angle = math.radians(degrees)
    along = x * math.cos(angle) + y * math.sin(angle)
    return grey(torch.where(along.abs() < 1e-4, 0.5, (along > 0).float()))


def corner(right: int, down: int) -> Tensor:
    x, y = plane()
    return grey((x * right >= 0) & (y * down >= 0))


def disc(radius: float) -> Tensor:
    x, y = plane()
    return grey(torch.hypot(x, y) <= radius)


def stripes(along: Tensor, wavelength: float) -> Tensor:
    return grey((1 + torch.cos(2 * math.pi * along / wavelength)) / 2)


def patch(inside: tuple[float, ...], outside: tuple[float, ...]) -> Tensor:
    return torch.where(
        disc(2.3) > 0, torch.tensor(inside).view(3, 1, 1), torch.tensor(outside).view(3, 1, 1)
    )


def even(*colour: float) -> Tensor:
    return torch.tensor(colour, dtype=torch.float32).view(3, 1, 1).expand(-1, SIZE, SIZE)


RED, GREEN, BLUE, YELLOW = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0)

MEANT = {
    "Edge, dark left to bright right": edge(0),
    "Edge, dark top to bright bottom": edge(90),
    "Edge, dark top left to bright bottom right": edge(45),
    "Edge, dark bottom left to bright top right": edge(-45),
    "Corner, bright at the bottom right": corner(1, 1),
    "Corner, bright at the top left": corner(-1, -1),
    "Small bright spot": disc(1),
    "Small dark spot": 1 - disc(1),
    "Large bright spot": disc(2.3),
    "Large dark spot": 1 - disc(2.3),
    "Fine vertical stripes": stripes(plane()[0], 4),
    "Fine horizontal stripes": stripes(plane()[1], 4),
    "Red against green": patch(RED, GREEN),
    "Green against red": patch(GREEN, RED),
    "Blue against yellow": patch(BLUE, YELLOW),
    "Brightness": even(1, 1, 1),
}
DISTRACTORS = [
    *(edge(degrees) for degrees in range(135, 315, 45)),
    corner(1, -1),
    corner(-1, 1),
    *(1 - corner(right, down) for right in (-1, 1) for down in (-1, 1)),
    stripes(plane()[0], 12),
    stripes(plane()[1], 12),
    patch(YELLOW, BLUE),
    even(*RED),
    even(*GREEN),
    even(*BLUE),
    even(0.5, 0.5, 0.5),
]
CONTRAST = [name for name in MEANT if "against" not in name and name != "Brightness"]


@pytest.fixture(scope="module")
def filters() -> ConvStem:
    return load_stem("filters")


def channel(stem: ConvStem, name: str) -> int:
    return [str(each) for each in stem.channel_names].index(name)


class TestFilterBank:
    def test_has_sixteen_channels_with_names_of_their_own(self, filters: ConvStem) -> None:
        assert [str(name) for name in filters.channel_names] == list(MEANT)
        assert filters.channels == len(MEANT) == 16

    @pytest.mark.parametrize("name", MEANT)
    def test_answers_most_to_what_its_name_says(self, filters: ConvStem, name: str) -> None:
        others = [picture for other, picture in MEANT.items() if other != name]
        pictures = torch.stack([MEANT[name], *others, *DISTRACTORS])
        own, *rest = filters(pictures)[:, channel(filters, name), CELL, CELL].tolist()
        assert own > 1.1 * max(rest)
        assert own > 0.9

    @pytest.mark.parametrize("name", [name for name in MEANT if name != "Brightness"])
    def test_is_silent_at_the_opposite(self, filters: ConvStem, name: str) -> None:
        negative = 1 - MEANT[name]
        assert filters(negative)[channel(filters, name), CELL, CELL] == 0

    @pytest.mark.parametrize("name", CONTRAST)
    @pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (0.3, 0.3, 0.3), (0.9, 0.2, 0.4)])
    def test_contrast_filters_are_silent_in_an_even_picture_up_to_its_border(
        self, filters: ConvStem, name: str, colour: tuple[float, ...]
    ) -> None:
        assert filters(even(*colour))[channel(filters, name)].count_nonzero() == 0

    def test_colour_filters_are_silent_in_grey_pictures(self, filters: ConvStem) -> None:
        picture = grey(torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(0)))
        numbers = [channel(filters, name) for name in MEANT if "against" in name]
        assert len(numbers) == 3
        assert filters(picture)[numbers].count_nonzero() == 0

    def test_brightness_of_an_even_picture_is_the_mean_of_its_colours(
        self, filters: ConvStem
    ) -> None:
        number = channel(filters, "Brightness")
        expected = torch.full((9, 9), 0.4)
        torch.testing.assert_close(filters(even(0.2, 0.3, 0.7))[number], expected)

    @pytest.mark.parametrize("level", range(0, 255, 16))
    def test_the_threshold_hides_no_step_of_one_grey_level(
        self, filters: ConvStem, level: int
    ) -> None:
        picture = (level + edge(0)) / 255
        assert filters(picture)[channel(filters, "Edge, dark left to bright right"), CELL, CELL] > 0

    @pytest.mark.parametrize("degrees", range(0, 360, 15))
    def test_a_corner_stands_out_from_every_straight_edge(
        self, filters: ConvStem, degrees: int
    ) -> None:
        """Wherever the edge lies under the filter, unlike in the test of all pictures above."""
        for right, down, name in ((1, 1, "bottom right"), (-1, -1, "top left")):
            number = channel(filters, f"Corner, bright at the {name}")
            best = filters(corner(right, down))[number].max()
            shifts = [edge(degrees).roll((dy, dx), (1, 2)) for dx in (0, 1) for dy in (0, 1)]
            inner = slice(3, -3)
            assert best > 1.4 * filters(torch.stack(shifts))[:, number, inner, inner].max()

    @pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "retina"])
    def test_no_channel_is_dead_in_a_coloured_photograph(
        self, filters: ConvStem, name: str
    ) -> None:
        answers = filters(photograph(name)).flatten(1)
        assert (answers > 0).float().mean(dim=1).min() > 0.05
        highest = answers.quantile(0.99, dim=1)
        assert highest.min() > 0.05
        assert highest.max() < 10 * highest.min()

    def test_only_colour_is_silent_in_a_grey_photograph(self, filters: ConvStem) -> None:
        share = (filters(photograph("grass")) > 0).float().mean(dim=(1, 2))
        silent = {str(n) for n, s in zip(filters.channel_names, share, strict=True) if s < 0.3}
        assert silent == {name for name in MEANT if "against" in name}


def photograph(name: str) -> Tensor:
    """One of scikit-image's bundled photographs, 256 pixels high."""
    pixels = torch.from_numpy(getattr(skimage.data, name)())
    pixels = pixels.permute(2, 0, 1) if pixels.ndim == 3 else pixels.expand(3, -1, -1)
    height, width = pixels.shape[1:]
    resized = F.interpolate(
        pixels[None].float() / 255,
        size=(256, round(256 * width / height)),
        mode="bilinear",
        antialias=True,
    )
    return resized[0]


class TestShapes:
    @pytest.mark.parametrize("key", ["filters", "random"])
    @pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 5), (7, 8), (33, 20)])
    def test_halves_both_sides_and_rounds_up(self, key: str, height: int, width: int) -> None:
        expected = (16, math.ceil(height / 2), math.ceil(width / 2))
        assert load_stem(key)(torch.rand(3, height, width)).shape == expected

    def test_receptive_field_says_which_pixels_a_cell_sees(self, filters: ConvStem) -> None:
        kernel, stride, padding = filters.receptive_field
        image = torch.full((3, 21, 21), 0.5, requires_grad=True)
        filters(image)[channel(filters, "Brightness"), 4, 5].backward()
        assert image.grad is not None
        rows, columns = (image.grad.abs().sum(0).sum(dim).nonzero().flatten() for dim in (1, 0))
        assert (rows.min(), rows.max()) == (4 * stride - padding, 4 * stride - padding + kernel - 1)
        assert (columns.min(), columns.max()) == (
            5 * stride - padding,
            5 * stride - padding + kernel - 1,
        )

    def test_one_picture_gives_what_a_batch_gives(self, filters: ConvStem) -> None:
        batch = torch.rand(3, 3, 19, 22, generator=torch.Generator().manual_seed(1))
        together = filters(batch)
        for image, feature_map in zip(batch, together, strict=True):
            torch.testing.assert_close(filters(image), feature_map)

    def test_an_empty_batch_stays_empty(self, filters: ConvStem) -> None:
        assert filters(torch.zeros(0, 3, 8, 8)).shape == (0, 16, 4, 4)

    @pytest.mark.parametrize("key", ["filters", "random"])
    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_output_is_channels_last_with_the_same_values(
        self, key: str, memory_format: torch.memory_format
    ) -> None:
        stem = load_stem(key)
        batch = torch.rand(2, 3, 18, 18, generator=torch.Generator().manual_seed(2))
        feature_map = stem(batch.to(memory_format=memory_format))
        assert feature_map.is_contiguous(memory_format=torch.channels_last)
        single = stem(batch[:1].to(memory_format=memory_format)[0])
        assert single[None].is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(feature_map, stem(batch))

    @pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (8, 8, 3), (2, 4, 8, 8), (3, 0, 8)])
    def test_other_shapes_are_refused_with_what_arrived(
        self, filters: ConvStem, shape: tuple[int, ...]
    ) -> None:
        with pytest.raises(ValueError, match=r"\(3, H, W\)") as caught:
            filters(torch.zeros(shape))
        assert str(shape) in str(caught.value)

    def test_whole_numbers_are_refused_with_the_cure(self, filters: ConvStem) -> None:
        with pytest.raises(TypeError, match=r"uint8.*image\.float\(\) / 255"):
            filters(torch.zeros(3, 8, 8, dtype=torch.uint8))

    def test_double_precision_and_copies_work(self, filters: ConvStem) -> None:
        image = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(3))
        copied = pickle.loads(pickle.dumps(copy.deepcopy(filters)))
        assert torch.equal(copied(image), filters(image))
        assert copied.info == filters.info
        double = copy.deepcopy(filters).double()(image.double())
        torch.testing.assert_close(double.float(), filters(image))


class TestRandom:
    def test_the_seed_decides_and_is_shown(self) -> None:
        same, again, other = (load_stem("random", seed=seed) for seed in (5, 5, 6))
        assert torch.equal(same.conv.weight, again.conv.weight)
        assert not torch.equal(same.conv.weight, other.conv.weight)
        assert (same.info.seed, other.info.seed) == (5, 6)

    def test_weights_have_the_spread_of_kaiming(self) -> None:
        weight = load_stem("random", channels=512).conv.weight
        assert weight.shape == (512, 3, 7, 7)
        assert weight.std().item() == pytest.approx(math.sqrt(2 / (3 * 7 * 7)), rel=0.02)
        assert abs(weight.mean().item()) < 0.002

    def test_names_are_templates_with_a_number(self) -> None:
        names = load_stem("random", channels=64).channel_names
        assert names[6] == ChannelName("Random filter {number}", {"number": 7})
        assert len({str(name) for name in names}) == 64

    def test_no_channels_are_refused(self) -> None:
        with pytest.raises(ValueError, match="at least 1 channel, but got 0"):
            load_stem("random", channels=0)

    @pytest.mark.parametrize("key", ["filters", "random"])
    def test_global_random_state_is_left_alone(self, key: str) -> None:
        before = torch.get_rng_state()
        load_stem(key, seed=9)
        assert torch.equal(torch.get_rng_state(), before)


class TestLoaded:
    @pytest.mark.parametrize("key", ["filters", "random"])
    def test_is_for_use_and_not_for_training(self, key: str) -> None:
        stem = load_stem(key)
        assert not stem.training
        assert not any(parameter.requires_grad for parameter in stem.parameters())
        assert stem.info.key == key
        assert not stem.info.trained
        assert stem.pooling_state == {}
        assert stem_on_disk(key)

    def test_only_the_random_set_has_a_seed(self) -> None:
        assert [key for key, info in STEMS.items() if info.seed is not None] == ["random"]

    def test_an_unknown_key_is_one_sentence(self, tmp_path: Path) -> None:
        for key in ("vgg", "../stems/x", ""):
            assert not stem_on_disk(key, folder=tmp_path)
            with pytest.raises(StemUnavailable) as caught:
                load_stem(key, folder=tmp_path)
            assert str(caught.value) == f"There is no stem called {key}: choose another one."
            assert caught.value.template.format(**caught.value.values) == str(caught.value)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    return a_resnet18_file(tmp_path_factory.mktemp("served"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty torch.hub folder; its checkpoints are where torchvision keeps weights."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    previous = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "hub")
    yield tmp_path / "hub" / "checkpoints"
    torch.hub.set_dir(previous)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has torchvision offer the weights at another address."""

    def at(url: str) -> None:
        monkeypatch.setattr(stem_files, "resnet18_url", lambda: url)

    return at


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(served: tuple[Path, nn.Module]) -> Iterator[str]:
    """The address of a server on this machine that has the file with the weights."""
    handler = functools.partial(QuietHandler, directory=str(served[0].parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture
def offered(server: str, offer: Callable[[str], None]) -> Callable[[Path], None]:
    """Has torchvision offer a file beside the weights of `server`."""
    return lambda path: offer(f"{server}/{path.name}")


class TestResNet18:
    def check(self, network: nn.Module) -> None:
        image = torch.rand(2, 3, 37, 50, generator=torch.Generator().manual_seed(4))
        stem = load_stem("resnet18")
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in torchvision_normalisation())
        with torch.no_grad():
            expected = F.relu(network.bn1(network.conv1((image - mean) / std)))
        torch.testing.assert_close(stem(image), expected, rtol=1e-4, atol=1e-5)
        assert stem.channels == len(stem.channel_names) == 64
        assert stem.info.trained

    def test_equals_the_first_layers_of_torchvision(
        self, hub: Path, served: tuple[Path, nn.Module], offer: Callable[[str], None]
    ) -> None:
        path, network = served
        offer(f"http://127.0.0.1:9/{path.name}")
        assert not stem_on_disk("resnet18")
        hub.mkdir(parents=True)
        (hub / path.name).symlink_to(path)
        assert stem_on_disk("resnet18")
        self.check(network)

    def test_is_downloaded_where_it_is_not_on_disk(
        self, hub: Path, offered: Callable[[Path], None], served: tuple[Path, nn.Module]
    ) -> None:
        path, network = served
        offered(path)
        timeout = socket.getdefaulttimeout()
        self.check(network)
        assert (hub / path.name).read_bytes() == path.read_bytes()
        assert socket.getdefaulttimeout() == timeout

    def test_a_download_with_another_digest_is_refused_and_not_kept(
        self, hub: Path, offered: Callable[[Path], None], served: tuple[Path, nn.Module]
    ) -> None:
        path = served[0].parent / "resnet18-00000000.pth"
        path.write_bytes(b"not the weights")
        offered(path)
        self.check_unavailable("broke off")
        assert not stem_on_disk("resnet18")
        assert list(hub.iterdir()) == []

    def test_no_network_is_one_sentence(self, hub: Path, offer: Callable[[str], None]) -> None:
        offer(f"http://127.0.0.1:{free_port()}/resnet18-00000000.pth")
        self.check_unavailable("not on this machine and cannot be downloaded")
        assert not hub.exists()

    def test_a_server_that_never_answers_is_not_waited_for(
        self, hub: Path, offer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/resnet18-00000000.pth"
            offer(url)
            monkeypatch.setattr(stem_files, "_ANSWER_SECONDS", 0.2)
            self.check_unavailable("not on this machine and cannot be downloaded")

    def test_a_download_that_stalls_is_given_up(
        self, hub: Path, offer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        released = threading.Event()
        outlasted: list[bool] = []

        class Stalling(QuietHandler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"start")
                self.wfile.flush()
                outlasted.append(released.wait(30))

        monkeypatch.setattr(stem_files, "_STALL_SECONDS", 0.2)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as running:
            thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            url = f"http://127.0.0.1:{running.server_address[1]}/resnet18-00000000.pth"
            offer(url)
            try:
                self.check_unavailable("broke off")
                assert outlasted == []
            finally:
                released.set()
                running.shutdown()
                thread.join()
        assert list(hub.iterdir()) == []

    @pytest.mark.parametrize("kept", [0, 1000, -1])
    def test_a_damaged_file_is_one_sentence_with_the_cure(
        self,
        hub: Path,
        served: tuple[Path, nn.Module],
        offer: Callable[[str], None],
        kept: int,
    ) -> None:
        path, _ = served
        offer(f"http://127.0.0.1:9/{path.name}")
        hub.mkdir(parents=True)
        (hub / path.name).write_bytes(path.read_bytes()[:kept])
        self.check_unavailable(f"{path.name} .* is damaged: delete it")

    def test_a_folder_in_the_place_of_the_file_is_one_sentence(
        self, hub: Path, offer: Callable[[str], None]
    ) -> None:
        offer("http://127.0.0.1:9/resnet18-0a1b2c3d.pth")
        (hub / "resnet18-0a1b2c3d.pth").mkdir(parents=True)
        self.check_unavailable("cannot be read")

    def check_unavailable(self, words: str) -> None:
        timeout, state = socket.getdefaulttimeout(), torch.get_rng_state()
        with pytest.raises(StemUnavailable, match=words) as caught:
            load_stem("resnet18")
        assert caught.value.template.format(**caught.value.values) == str(caught.value)
        assert socket.getdefaulttimeout() == timeout
        assert torch.equal(torch.get_rng_state(), state)


def torchvision_normalisation() -> tuple[list[float], list[float]]:
    transforms = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    return transforms.mean, transforms.std


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


METADATA = {
    "title": "Small network, attention",
    "data": "CIFAR-10",
    "seed": "3",
    "epochs": "20",
    "accuracy": "0.7312",
    "licence": "trained on CIFAR-10",
    "stride": "1",
    "padding": "1",
    "padding_mode": "zeros",
}


def trained_tensors(channels: int = 8, kernel: int = 3) -> dict[str, Tensor]:
    """What a training would leave: a stage with batch normalisation, and both poolings."""
    draw = functools.partial(torch.randn, generator=torch.Generator().manual_seed(7))
    return {
        "stem.conv.weight": draw(channels, 3, kernel, kernel),
        "stem.bn.weight": draw(channels),
        "stem.bn.bias": draw(channels),
        "stem.bn.running_mean": draw(channels),
        "stem.bn.running_var": draw(channels).square() + 0.1,
        "stem.bn.num_batches_tracked": torch.tensor(100),
        "stem.mean": torch.tensor([0.4, 0.5, 0.6]),
        "stem.std": torch.tensor([0.2, 0.3, 0.25]),
        "hybrid.weight": draw(channels),
        "attention.fc.0.weight": draw(2, channels),
        "attention.fc.0.bias": draw(2),
        "attention.fc.2.weight": draw(channels, 2),
        "attention.fc.2.bias": draw(channels),
    }


def without(*names: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda tensors: {name: t for name, t in tensors.items() if name not in names}


def having(name: str, tensor: Tensor) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda tensors: tensors | {name: tensor}


class TestTrained:
    def test_comes_back_as_it_was_saved(self, tmp_path: Path) -> None:
        tensors = trained_tensors()
        save_file(tensors, tmp_path / "cifar-attention.safetensors", METADATA)
        stem = load_stem("cifar-attention", folder=tmp_path)
        image = torch.rand(2, 3, 9, 12, generator=torch.Generator().manual_seed(8))
        normalised = (image - tensors["stem.mean"].view(3, 1, 1)) / tensors["stem.std"].view(
            3, 1, 1
        )
        expected = F.relu(
            F.batch_norm(
                F.conv2d(normalised, tensors["stem.conv.weight"], padding=1),
                *(tensors[f"stem.bn.{name}"] for name in ("running_mean", "running_var")),
                *(tensors[f"stem.bn.{name}"] for name in ("weight", "bias")),
            )
        )
        torch.testing.assert_close(stem(image), expected, rtol=1e-4, atol=1e-4)
        assert stem.receptive_field == (3, 1, 1)
        assert str(stem.channel_names[7]) == "Learned filter 8"
        assert not stem.training
        assert not stem.conv.weight.requires_grad
        assert stem.pooling_state.keys() == {"hybrid", "attention"}
        assert torch.equal(stem.pooling_state["hybrid"]["weight"], tensors["hybrid.weight"])
        fc = nn.ModuleDict({"fc": nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8))})
        fc.load_state_dict(dict(stem.pooling_state["attention"]))
        assert torch.equal(fc["fc"][2].bias, tensors["attention.fc.2.bias"])

    def test_says_what_it_was_trained_on(self, tmp_path: Path) -> None:
        save_file(trained_tensors(), tmp_path / "b.safetensors", METADATA)
        save_file(trained_tensors(), tmp_path / "a.safetensors", METADATA | {"title": "Other"})
        found = trained_stems(tmp_path)
        assert list(found) == ["a", "b"]
        assert found["b"].title == "Small network, attention"
        assert (found["b"].trained, found["b"].data, found["b"].seed) == (True, "CIFAR-10", 3)
        assert found["b"].metadata["accuracy"] == "0.7312"
        assert load_stem("b", folder=tmp_path).info == found["b"]
        assert stem_on_disk("b", folder=tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            without("hybrid.weight"),
            having("hybrid.weight", torch.zeros(1)),
            without(*(name for name in trained_tensors() if not name.startswith("stem."))),
            without(*(name for name in trained_tensors() if name.startswith("stem.bn."))),
            having("stem.conv.bias", torch.zeros(8)),
        ],
    )
    def test_parts_may_be_missing_as_a_whole(
        self, tmp_path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    ) -> None:
        tensors = change(trained_tensors())
        save_file(tensors, tmp_path / "x.safetensors", METADATA)
        stem = load_stem("x", folder=tmp_path)
        assert stem(torch.rand(3, 5, 5)).shape == (8, 5, 5)
        poolings = {name.split(".")[0] for name in tensors} - {"stem"}
        assert stem.pooling_state.keys() == poolings

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (without("stem.conv.weight"), r"lacks stem\.conv\.weight"),
            (without("stem.mean"), r"lacks stem\.mean"),
            (without("stem.bn.running_var"), r"lacks stem\.bn\.running_var"),
            (without("attention.fc.2.bias"), r"lacks attention\.fc\.2\.bias"),
            (having("stem.conv.weight", torch.zeros(8, 1, 3, 3)), r"\(8, 1, 3, 3\)"),
            (having("stem.conv.weight", torch.zeros(8, 3, 3, 5)), r"\(8, 3, 3, 5\)"),
            (having("stem.conv.weight", torch.zeros(8, 3)), r"\(8, 3\)"),
            (having("stem.conv.weight", torch.zeros(0, 3, 3, 3)), r"\(0, 3, 3, 3\)"),
            (having("stem.conv.weight", torch.full((8, 3, 3, 3), math.nan)), "numbers that do not"),
            (having("stem.std", torch.zeros(3)), r"stem\.std"),
            (having("stem.bn.bias", torch.zeros(9)), r"stem\.bn\.bias with the shape \(9,\)"),
            (having("hybrid.weight", torch.zeros(3)), r"hybrid\.weight with the shape \(3,\)"),
            (having("attention.fc.2.weight", torch.zeros(8, 3)), r"attention\.fc\.2\.weight"),
            (having("max.weight", torch.zeros(1)), r"max\.weight"),
        ],
    )
    def test_tensors_that_do_not_fit_are_one_sentence(
        self,
        tmp_path: Path,
        change: Callable[[dict[str, Tensor]], dict[str, Tensor]],
        words: str,
    ) -> None:
        save_file(change(trained_tensors()), tmp_path / "x.safetensors", METADATA)
        self.check_unavailable(tmp_path, words)

    @pytest.mark.parametrize("name", METADATA)
    def test_metadata_that_lack_something_are_one_sentence(
        self, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        metadata = {key: value for key, value in METADATA.items() if key != name}
        save_file(trained_tensors(), tmp_path / "x.safetensors", metadata)
        self.check_unavailable(tmp_path, f"says '' as its {name}")
        assert trained_stems(tmp_path) == {}
        assert "x.safetensors" in caplog.text

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("seed", "three"),
            ("stride", "0"),
            ("padding", "-1"),
            ("padding_mode", "mirror"),
            ("accuracy", "73 %"),
        ],
    )
    def test_metadata_that_cannot_be_used_are_one_sentence(
        self, tmp_path: Path, name: str, value: str
    ) -> None:
        save_file(trained_tensors(), tmp_path / "x.safetensors", METADATA | {name: value})
        self.check_unavailable(tmp_path, f"says '{value}' as its {name}")

    @pytest.mark.parametrize("kept", [0, 4, 40, -1])
    def test_a_broken_file_is_one_sentence(self, tmp_path: Path, kept: int) -> None:
        path = tmp_path / "x.safetensors"
        save_file(trained_tensors(), path, METADATA)
        path.write_bytes(path.read_bytes()[:kept])
        self.check_unavailable(tmp_path, r"x\.safetensors cannot be read")
        assert trained_stems(tmp_path) == {}

    def test_a_file_cannot_take_the_place_of_a_built_in_set(self, tmp_path: Path) -> None:
        save_file(trained_tensors(), tmp_path / "filters.safetensors", METADATA)
        assert trained_stems(tmp_path) == {}
        assert not load_stem("filters", folder=tmp_path).info.trained

    def check_unavailable(self, folder: Path, words: str) -> None:
        with pytest.raises(StemUnavailable, match=words) as caught:
            load_stem("x", folder=folder)
        assert caught.value.template.format(**caught.value.values) == str(caught.value)
        assert str(caught.value).endswith(".")
