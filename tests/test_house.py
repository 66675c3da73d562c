"""The house itself: who may import whom, what the papers promise, and nothing from elsewhere."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Rule(NamedTuple):
    """What a part of the house may import besides Python's own library."""

    ours: set[str]
    others: set[str]


def cells(line: str) -> list[set[str]]:
    return [
        {word.strip(" `") for word in cell.split(",") if word.strip()}
        for cell in line.strip("|").split("|")
    ]


def rules() -> dict[str, Rule]:
    """The table of CONTRIBUTING.md: a part is a module or folder of the library, or the scripts."""
    papers = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (table,) = re.findall(r"\| part \|.*\n\| ---.*\n((?:\|.*\n)+)", papers)
    rows = [cells(line) for line in table.splitlines()]
    everything = set().union(*(parts for parts, _, _ in rows)) - {"app.py", "serve.py", "pages"}
    names = {"all": everything, "all but viz and ui": everything - {"viz", "ui"}}
    return {
        part: Rule(set().union(*(names.get(name, {name}) for name in ours)), others)
        for parts, ours, others in rows
        for part in parts
    }


RULES = rules()
SCRIPTS = sorted([*ROOT.glob("*.py"), *ROOT.glob("pages/*.py")])
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.glob("hybridpool/**/*.py"))
}


def part_of(module: str) -> str:
    """The part of the house that a module of ours belongs to."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def imported(source: str, module: str = "", *, package: bool = False) -> Iterator[str]:
    """Every module that a source may import, wherever in it the import stands.

    A name taken from a module of ours that is a module itself counts as that module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                base = module.split(".")
                base = base[: len(base) - node.level + package]
                origin = ".".join([*base, *origin.split(".")] if origin else base)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield inner if inner in MODULES else origin
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            first = node.args[0] if node.args else None
            yield str(first.value) if isinstance(first, ast.Constant) else "something computed"


def violations(names: Iterator[str], part: str) -> list[str]:
    assert part in RULES, f"{part} has no row in the table of CONTRIBUTING.md"
    allowed = RULES[part]
    found = []
    for name in names:
        top = name.partition(".")[0]
        if top == "hybridpool":
            if part_of(name) not in allowed.ours:
                found.append(name)
        elif top not in allowed.others and top not in sys.stdlib_module_names:
            found.append(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_part_of_the_house_may(module: str) -> None:
    path = MODULES[module]
    names = imported(path.read_text("utf-8"), module, package=path.name == "__init__.py")
    assert violations(names, part_of(module)) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_page_imports_only_streamlit_and_what_is_made_for_pages(path: Path) -> None:
    part = "pages" if path.parent.name == "pages" else path.name
    assert violations(imported(path.read_text("utf-8")), part) == []


@pytest.mark.parametrize(
    ("source", "module", "found"),
    [
        ("import streamlit as st", "hybridpool.trace", "streamlit"),
        ("def late():\n    import torch.nn as nn", "hybridpool.viz.maps", "torch.nn"),
        ("from .viz.charts import weights_chart", "hybridpool.stem", "hybridpool.viz.charts"),
        ("from . import viz", "hybridpool.stem", "hybridpool.viz"),
        ("from ..trace import Trace", "hybridpool.viz.maps", "hybridpool.trace"),
        ("from hybridpool import ui", "hybridpool.layers", "hybridpool.ui"),
        ("from hybridpool import hybrid_pool2d", "hybridpool.pictures.image", "hybridpool"),
        (
            "from importlib import import_module\nimport_module('plotly')",
            "hybridpool.ui.x",
            "plotly",
        ),
        ("__import__('torch' + 'vision')", "hybridpool.functional", "something computed"),
    ],
)
def test_the_reading_of_imports_finds_hidden_ones(source: str, module: str, found: str) -> None:
    assert violations(imported(source, module), part_of(module)) == [found]


def test_a_relative_import_in_a_package_starts_at_the_package() -> None:
    assert list(imported("from .stem import x", "hybridpool", package=True)) == ["hybridpool.stem"]


def test_every_module_on_the_way_to_the_page_is_used() -> None:
    """What only the page needs is dead as soon as no page leads to it."""
    waiting = [name for script in SCRIPTS for name in imported(script.read_text("utf-8"))]
    waiting += [name for name in MODULES if part_of(name) not in ("ui", "viz")]
    reached = set()
    while waiting:
        name = waiting.pop()
        if name not in MODULES or name in reached:
            continue
        reached.add(name)
        path = MODULES[name]
        waiting += imported(path.read_text("utf-8"), name, package=path.name == "__init__.py")
        waiting.append(name.rpartition(".")[0])
    assert set(MODULES) - reached == set()


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in MODULES.values()}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def run_python(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def after_importing(modules: Iterable[str]) -> set[str]:
    """What a fresh Python has loaded after importing these modules."""
    names = [name for name in modules if not name.endswith("__main__")]
    return set(run_python(f"import sys, {', '.join(names)}; print(*sys.modules)").split())


def test_the_library_comes_without_the_page() -> None:
    loaded = after_importing(name for name in MODULES if part_of(name) not in ("ui", "viz"))
    assert "hybridpool.layers" in loaded
    assert loaded & {"streamlit", "plotly", "hybridpool.ui", "hybridpool.viz"} == set()


def test_the_page_starts_without_what_it_may_never_need() -> None:
    """torchvision brings half of torch's compiler along and doubles the time of the start."""
    loaded = after_importing(MODULES)
    assert "hybridpool.ui.frame" in loaded
    assert loaded & {"torchvision", "torch._dynamo", "torch.utils.cpp_extension"} == set()


UI = ROOT / "hybridpool" / "ui"
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
PAGE_FOLDERS = sorted(
    folder.name
    for folder in UI.iterdir()
    if folder.is_dir() and (folder / "sentences.py").is_file()
)


def test_what_the_pages_share_stays_small_enough_to_be_found() -> None:
    assert len([*UI.glob("*.py")]) <= 12


def test_every_page_has_a_folder_and_no_page_imports_another() -> None:
    assert len(PAGE_FOLDERS) == len([*ROOT.glob("pages/*.py")]) + 1
    for name, path in MODULES.items():
        parts = name.split(".")
        if parts[:2] != ["hybridpool", "ui"] or len(parts) < 3:
            continue
        home = parts[2] if parts[2] in PAGE_FOLDERS else None
        pages = {
            each.split(".")[2]
            for each in imported(path.read_text("utf-8"), name)
            if each.startswith("hybridpool.ui.") and each.split(".")[2] in PAGE_FOLDERS
        }
        assert pages <= {home}, f"{name} imports {pages - {home}}"


def test_a_page_s_folder_holds_the_same_names_as_every_other() -> None:
    for page in PAGE_FOLDERS:
        files = {path.stem for path in (UI / page).glob("*.py")}
        # The state of Explore is that of all pages, and so are its words.
        assert {"state", "words", "sentences"} - files <= (
            {"state", "words"} if page == "explore" else set()
        ), page


def names_in(node: ast.AST) -> Counter[str]:
    """Names that a source uses; an import alone uses none."""
    found: Counter[str] = Counter()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            found[each.id] += 1
        elif isinstance(each, ast.Attribute):
            found[each.attr] += 1
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            found[each.value] += 1
    return found


def defined(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """Every public name that a module defines, and every public method of its plain classes."""
    for node in body:
        if isinstance(node, ast.Assign):
            yield from ((each.id, node) for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, Definition):
            yield node.name, node
            if isinstance(node, ast.ClassDef) and not node.bases:
                yield from defined([each for each in node.body if isinstance(each, Definition)])


def dead(sources: dict[str, str], documented: set[str]) -> list[str]:
    """Public names that no other source, nor any other place of their own, uses."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    used: Counter[str] = Counter()
    for tree in trees.values():
        listed = [
            node
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ]
        used += names_in(tree)
        for node in listed:
            used -= names_in(node)
    return [
        f"{module}.{name}"
        for module, tree in trees.items()
        if not module.endswith(".py")
        for name, node in defined(tree.body)
        if not name.startswith("_")
        and name not in documented
        and used[name] <= names_in(node)[name]
    ]


def test_every_public_name_is_reached_by_a_page_or_another_module_or_is_documented() -> None:
    """What only tests reach is dead, also where a package passes it on."""
    papers = "".join((ROOT / file).read_text("utf-8") for file in ("README.md", "CONTRIBUTING.md"))
    documented = set(
        re.findall(r"\w+", "".join(re.findall(r"```python.*?```|`[^`\n]+`", papers, re.S)))
    )
    for package in ("", "pictures/"):
        interface = ROOT / "hybridpool" / package / "__init__.py"
        documented |= set(re.findall(r"\w+", interface.read_text("utf-8")))
    paths = {**MODULES, **{str(path): path for path in [*SCRIPTS, *ROOT.glob("benchmarks/*.py")]}}
    assert dead({name: path.read_text("utf-8") for name, path in paths.items()}, documented) == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a": "def f(): ...", "b": "from a import f"}, ["a.f"]),
        ({"a": "def f(): ...", "b": "from a import f\nf()"}, []),
        ({"a": "def f(): return f()"}, ["a.f"]),
        ({"a": "def f(): ...\n__all__ = ['f']"}, ["a.f"]),
        ({"a": "LIMIT = 3\ndef f(): return LIMIT\nf()"}, []),
        ({"a": "class C:\n    def f(self): ...\nC()"}, ["a.f"]),
        ({"a": "class C:\n    def f(self): ...\nC().f()"}, []),
        ({"a": "def shown(): ..."}, []),
    ],
)
def test_the_search_for_dead_names_finds_them(sources: dict[str, str], found: list[str]) -> None:
    assert dead(sources, {"shown"}) == found


def public(body: list[ast.stmt]) -> list[Definition]:
    return [node for node in body if isinstance(node, Definition) and not node.name.startswith("_")]


def is_record(node: Definition) -> bool:
    """A class that only holds values or names them: there is nothing to show in an example."""
    if not isinstance(node, ast.ClassDef):
        return False
    marks = {ast.unparse(mark).partition("(")[0] for mark in [*node.decorator_list, *node.bases]}
    return not marks.isdisjoint({"dataclass", "NamedTuple", "Protocol"})


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_says_what_it_is(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    found = public(tree.body)
    for node in found[:]:
        if isinstance(node, ast.ClassDef) and not is_record(node):
            found += public(node.body)
    assert ast.get_docstring(tree), "the module itself"
    assert [node.name for node in found if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) != "ui"])
def test_everything_public_in_the_library_shows_an_example(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    shown = [node for node in public(tree.body) if not is_record(node)]
    assert [node.name for node in shown if ">>>" not in (ast.get_docstring(node) or "")] == []


@cache
def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            data = path.read_bytes()
            if b"\0" not in data:
                yield str(path.relative_to(ROOT)), data.decode("utf-8")


needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only in a clone")


@needs_git
def test_no_file_names_a_place_on_one_machine_or_a_package_registry() -> None:
    folders = "|".join(["root", "home", "Users", "work", "opt", "mnt"])
    hosts = "|".join(["pypi", "pythonhosted", "npmjs", "anaconda"])
    pattern = re.compile(rf"(?<![\w.~>-])/({folders})/\w|\b({hosts})\.(org|com|io)\b")
    found = [(name, match[0]) for name, text in texts() if (match := pattern.search(text))]
    assert found == []


@needs_git
def test_nothing_that_the_browser_gets_refers_to_another_host() -> None:
    """An SVG names its language by an address that is never asked for."""
    pattern = re.compile(r"""\b(?:https?|wss?)://(?!www\.w3\.org/)|["'(=]//\w|@import""")
    read = dict(texts(".js", ".html", ".css", ".svg", ".toml"))
    assert "assets/inspector/inspector.js" in read
    assert [name for name, text in read.items() if pattern.search(text)] == []


def test_the_lines_of_the_readme_print_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    said = re.findall(r"^print\(.*\) +# (.*)$", lines, re.MULTILINE)
    assert len(said) >= 3
    assert run_python(lines).splitlines() == said


def requirements(file: str) -> Iterator[str]:
    for line in (ROOT / file).read_text("utf-8").splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted and not wanted.startswith("-r"):
            yield wanted


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_what_is_pinned(file: str) -> None:
    pinned = dict(wanted.split("==") for wanted in requirements(file))
    installed = {name: metadata.version(name).partition("+")[0] for name in pinned}
    assert installed == pinned


def test_every_command_of_the_makefile_is_explained_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (commands,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = re.findall(r'@echo "make (\w+) ', makefile)
    assert sorted(explained) == sorted(set(commands.split()) - {"help"})


def drawn() -> list[str]:
    """The patterns of the map: each .py file in its folder, and each folder that is not opened."""
    papers = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (drawing,) = re.findall(r"## The map\n\n```\n(.*?)```", papers, re.DOTALL)
    lines = re.findall(r"^( *)((?:[\w*]+(?:\.py|/) ?)+)", drawing, re.MULTILINE)
    entries = [(indent, name) for indent, names in lines for name in names.split()]
    patterns, folders = [], []
    for (indent, name), (following, _) in pairwise([*entries, ("", "")]):
        folders = [*folders[: len(indent) // 4], name]
        if name.endswith(".py"):
            patterns.append("".join(folders))
        elif len(following) <= len(indent):
            patterns.append("".join(folders) + "*.py")
    return patterns


def test_the_map_of_the_house_names_every_file_of_the_library_and_no_other() -> None:
    patterns = [name for name in drawn() if not name.startswith(("assets/", "tests/", "bench"))]
    files = [str(path.relative_to(ROOT)) for path in [*MODULES.values(), *SCRIPTS]]
    files = [name for name in files if not fnmatch(name, "hybridpool/*/__init__.py")]
    assert [file for file in files if not any(fnmatch(file, name) for name in patterns)] == []
    assert [name for name in patterns if not any(fnmatch(file, name) for file in files)] == []


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert "CONTRIBUTING.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_settings_keep_the_page_quiet_and_quick() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["runner"]["postScriptGC"] is False
    assert config["server"]["address"] == "localhost"
