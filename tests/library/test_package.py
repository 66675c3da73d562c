"""The wheel: the library alone, which needs nothing but torch and says what it lacks."""

import email
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import hybridpool
from tests.test_house import MODULES, imported, part_of

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: Modules whose distribution has another name.
DISTRIBUTED_AS = {"PIL": "pillow", "skimage": "scikit-image"}
ON_THE_PAGE = ("ui", "viz")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing that lies about in the checkout gets into it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "hybridpool", source / "hybridpool", ignore=shutil.ignore_patterns("__pycache__")
    )
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(built), str(source))
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed without its extras into a folder of its own."""
    place = tmp_path_factory.mktemp("installed")
    pip("install", "--no-compile", "--target", str(place), str(wheel))
    return place


@pytest.fixture(scope="module")
def only_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which torch and what it requires can be imported, and nothing else."""
    place = tmp_path_factory.mktemp("only_torch")
    for name in sorted(required("torch")):
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            link, target = place / top, Path(str(distribution.locate_file(top)))
            if not link.exists():
                link.symlink_to(target, target.is_dir())
    return place


def pip(command: str, *arguments: str) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", *arguments),
        ],
        check=True,
    )


def required(name: str) -> set[str]:
    """The names of a distribution and of all that it requires here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def ran(program: str, where: Path, *reachable: Path) -> str:
    """What a program prints that runs in `where` and can import from `reachable` alone."""
    file = where / "program.py"
    file.write_text(f"import sys\nsys.path[:0] = {[str(place) for place in reachable]}\n{program}")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", str(file)],
        cwd=where,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_of_the_readme_print_what_they_say_with_torch_alone(
    installed: Path, only_torch: Path, tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("\n## The library\n")[2].partition("\n## ")[0]
    (lines,) = re.findall(r"^```python\n(.*?)```", section, re.DOTALL | re.MULTILINE)
    said = re.findall(r"^print\(.*\)  # (.*)$", lines, re.MULTILINE)
    assert len(said) == lines.count("print(") >= 3
    assert ran(lines, tmp_path, installed, only_torch).splitlines() == said


def test_what_runs_is_the_installed_library(
    installed: Path, only_torch: Path, tmp_path: Path
) -> None:
    program = "import hybridpool, torch\nprint(hybridpool.__file__)\nprint(torch.__file__)"
    ours, torch = ran(program, tmp_path, installed, only_torch).split()
    assert Path(ours).is_relative_to(installed)
    assert Path(torch).is_relative_to(only_torch)


@pytest.mark.parametrize(
    ("program", "extra"),
    [
        ("from hybridpool.pictures import read_image", "pictures"),
        ("import hybridpool\nhybridpool.hybrid_resnet18(10)", "pictures"),
        ("import hybridpool.training.__main__", "training"),
    ],
)
def test_what_needs_an_extra_names_a_module_of_that_extra(
    program: str, extra: str, installed: Path, only_torch: Path, tmp_path: Path
) -> None:
    body = "\n".join(f"    {line}" for line in program.splitlines())
    caught = f"try:\n{body}\nexcept ModuleNotFoundError as missing:\n    print(missing.name)"
    lacks = ran(caught, tmp_path, installed, only_torch).strip()
    assert DISTRIBUTED_AS.get(lacks, lacks) in set(modules_of(extra))


def test_every_module_of_the_wheel_can_be_imported_with_the_extras(
    installed: Path, tmp_path: Path
) -> None:
    modules = [
        ".".join(path.relative_to(installed).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(installed.glob("hybridpool/**/*.py"))
        if path.name != "__main__.py"
    ]
    assert len(modules) > 30
    program = f"from importlib import import_module\nfor name in {modules}: import_module(name)"
    ran(program, tmp_path, installed, Path(metadata.distribution("torch").locate_file("")))


def test_the_wheel_says_that_the_stems_are_not_in_it(installed: Path, tmp_path: Path) -> None:
    program = """
import logging
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from hybridpool.stem import StemUnavailable, default_stem, load_stem
print(default_stem())
try:
    load_stem("cifar10-channel")
except StemUnavailable as missing:
    print(missing)
"""
    folder = installed / "assets" / "stems"
    assert ran(
        program, tmp_path, installed, Path(metadata.distribution("torch").locate_file(""))
    ).splitlines() == [
        f"There are no trained stems, because there is no folder {folder}.",
        f"cifar10-channel is not in {folder}: the readable filters take its place.",
        "filters",
        f"The stem cifar10-channel cannot be loaded, because there is no folder {folder}: name the "
        "folder assets/stems of a checkout of this project.",
    ]


def test_the_wheel_holds_the_library_and_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (place,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = email.message_from_bytes(file.read(place))
    tops = {name.split("/")[0] for name in names}
    assert tops == {"hybridpool", place.split("/")[0]}
    assert "hybridpool/py.typed" in names
    assert place.replace("METADATA", "licenses/LICENSE") in names
    assert not [name for name in names if name.startswith(("hybridpool/ui", "hybridpool/viz"))]
    assert about["Version"] == hybridpool.__version__
    assert about["License-Expression"] == "MIT"
    assert about["Description-Content-Type"] == "text/markdown"
    needs = [Requirement(line) for line in about.get_all("Requires-Dist")]
    assert [need.name for need in needs if need.marker is None] == ["torch"]
    assert not [need for need in needs if "==" in str(need.specifier)]


def used_by(module: str, source: str) -> Iterator[str]:
    yield from (name.partition(".")[0] for name in imported(source, module))
    yield from re.findall(r"\bfiles\(\"(\w+)\"\)", source)


def modules_of(extra: str) -> Iterator[str]:
    for line in EXTRAS[extra]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras:
                yield from modules_of(inner)
        else:
            yield requirement.name


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_extras_hold_what_is_imported_and_nothing_else(extra: str) -> None:
    parts = {
        "pictures": lambda part: part not in (*ON_THE_PAGE, "race", "training"),
        "training": lambda part: part not in ON_THE_PAGE,
        "page": lambda part: True,
    }
    needed = {
        DISTRIBUTED_AS.get(top, top)
        for name, path in MODULES.items()
        if parts[extra](part_of(name))
        for top in used_by(name, path.read_text("utf-8"))
        if top not in sys.stdlib_module_names and top not in ("hybridpool", "torch")
    }
    assert set(modules_of(extra)) == needed


def test_papers_tell_the_same_version() -> None:
    version = hybridpool.__version__
    cited = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^version: (\S+)$", cited, re.MULTILINE) == [version]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## \[(.*?)\]", changes, re.MULTILINE)[0] == version


def test_the_versions_that_are_tested_are_versions_that_are_allowed() -> None:
    pins = {}
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        if "==" in line:
            name, _, version = line.partition("==")
            pins[name] = version
    for need in map(Requirement, [*PROJECT["dependencies"], *EXTRAS["page"], *EXTRAS["training"]]):
        if need.name in pins:
            assert need.specifier.contains(pins[need.name]), need
