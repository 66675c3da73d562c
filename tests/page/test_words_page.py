"""What the page shows in each language: nothing untranslated, in any state."""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from PIL import Image
from streamlit.testing.v1 import AppTest

from hybridpool import stem
from hybridpool.cost import this_machine
from hybridpool.pictures.gallery import GALLERY
from hybridpool.ui import compute, words
from hybridpool.ui.evidence import state as evidence_state
from hybridpool.ui.evidence.published import SOURCES
from hybridpool.ui.evidence.words import ARTICLE_COMMAND, COMMAND, OWN_COMMAND
from tests.apps import title_of
from tests.made_up_runs import a_folder, a_full_house

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["app.py", *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))]
FOREVER = 600

# ---- what a person can see --------------------------------------------------------------------

#: Fields of Streamlit's messages, and keys in data for the browser, that nobody reads.
UNSEEN = {
    *("id", "tag", "icon", "format", "type", "theme", "url", "form_id", "page", "page_script_hash"),
    *("deferred_file_id", "component_name", "config", "css_content", "html_content", "js_content"),
    *("css_source_path", "js_source_path"),
    # the data of our own components
    *("arrays", "colour", "colours", "view", "look", "key", "thumbnail", "chosen", "language"),
    *("base", "named", "noise", "keys"),
    "session",
    # plotly
    *("template", "mode", "color", "shape", "orientation", "layer", "dtype", "bdata"),
    *("xref", "yref", "xanchor", "yanchor"),
    *("fill", "fillcolor", "hoverinfo", "rangemode", "clickmode", "colorscale", "dash"),
    *("coloraxis", "scaleanchor"),
    "code_text",  # commands and settings, as they are typed
    *(
        "barmode",
        "textposition",
        "constrain",
        "exponentformat",
        "symbol",
        "traceorder",
        "tickformat",
        "entrywidthmode",
        "autorange",
        "fillmode",
        "fgcolor",
    ),
}
READ_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "label"}


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.style = ""
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found += [value or "" for name, value in attrs if name in READ_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.style += data
        elif self.inside != "script":
            self.found.append(data)


def in_html(text: str) -> list[str]:
    """Text, spoken attributes and the words that a style sheet adds."""
    page = _Html()
    page.feed(text)
    page.close()
    return [word for word in page.found if word.strip()] + in_css(page.style)


def in_css(text: str) -> list[str]:
    r"""The words after ``content:`` as a browser reads them: ``\9009`` is 选, ``\u9009`` u9009."""

    def plain(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else escape[2]

    found = re.findall(r"content:\s*([\"'])((?:\\.|(?!\1).)*)\1", text)
    return [re.sub(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", plain, word) for _, word in found]


def in_data(data: Any) -> Iterator[str]:
    """Every string in plain data, except below keys that nobody reads."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | tuple):
        for part in data:
            yield from in_data(part)
    elif isinstance(data, Mapping):
        for key, part in data.items():
            if key not in UNSEEN:
                yield from in_data(part)


def in_message(message: Message) -> Iterator[str]:
    """Every string in one of Streamlit's messages, the component's and chart's data unpacked."""
    for field, value in message.ListFields():
        if field.name in UNSEEN:
            continue
        for part in value if field.is_repeated else [value]:
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                if isinstance(part, Message):
                    yield from in_message(part)
            elif field.type == FieldDescriptor.TYPE_BYTES:
                (length,) = struct.unpack_from("<I", part)
                yield from in_data(json.loads(part[4 : 4 + length]))
            elif field.type == FieldDescriptor.TYPE_STRING:
                if field.name in ("json", "spec"):
                    yield from in_data(json.loads(part))
                elif part.lstrip().startswith("<"):
                    yield from in_html(part)
                else:
                    yield part


def in_tree(node: Any) -> Iterator[str]:
    """Every string of a page, the sidebar included."""
    proto = getattr(node, "proto", None)
    if isinstance(proto, Message):
        yield from in_message(proto)
    for child in (getattr(node, "children", None) or {}).values():
        yield from in_tree(child)


# ---- what belongs to which language -----------------------------------------------------------

#: Names, units and symbols, the same in every language.
NAMES = [
    *("CPU", "CUDA", "MPS", "GPU", "PyTorch", "torchvision", "torch.hub", "safetensors", "float32"),
    *("ResNet-18", "ReLU", "Sigmoid", "Kaiming", "ImageNet", "ImageNet-1k", "count_include_pad"),
    *(
        "PNG",
        "JPEG",
        "WebP",
        "BMP",
        "TIFF",
        "GIF",
        "NPZ",
        "B",
        "kB",
        "MB",
        "GB",
        "px",
        "ms",
        "Enter",
        "Esc",
    ),
    *("Shift", *"knpsxyz"),
    *("Zeiler", "Fergus"),
    *("CIFAR-10", "CIFAR-100", "CIFAR-10-C", "JSON", "ResNet18", "LeNet-5", "CaffeNet", "VGG16"),
    *(
        "Holm",
        "Welch",
        "air",
        "Zhang",
        "Marcu",
        "Lee",
        "iOcclusion",
        "t",
        "MedMNIST",
        "RESISC",
        "Air",
    ),
    *("GeneralPool", "Transformer", "Papers with Code", "http", "https", "cookie"),
    *("NCHW", "channels_last", "bfloat16", "torch.compile", "C++", "CSV", "sigmoid"),
    *("SGD", "Adam", "Dropout", "logit", "Home", "End", "hybridpool.parameter_groups"),
]
#: Who made a picture or the weights, and under which terms, as they say it themselves.
CITED = {
    *(text for picture in GALLERY.values() for text in (picture.source, picture.licence)),
    *SOURCES,
    *filter(None, SOURCES.values()),
    *(COMMAND, ARTICLE_COMMAND, OWN_COMMAND, "CIFAR-10 (JPEG copy)"),
    *("python -m hybridpool.training networks", ".safetensors", "small", "assets/networks"),
    *("python -m hybridpool.training train", "assets/results/ANALYSIS.md", "assets/stems"),
    *(text for info in stem.STEMS.values() for text in (info.data, info.licence) if text),
    *(this_machine("cpu").processor, torch.__version__),
}
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def left_over(text: str, language: str) -> list[str]:
    """What stands in a text in another language than it should."""
    if text in words.LANGUAGES.values():
        return []
    if language == "en":
        return CHINESE.findall(text)
    for cited in sorted(CITED, key=len, reverse=True):
        text = text.replace(cited, "")
    text = re.sub(r"\]\([^)\s]*\)", "]", text)  # where a link leads is not read
    text = re.sub(r"%\{[^}]*\}|\{\w+\}|</?(?:br|extra)>", " ", text)
    names = "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True)))
    text = re.sub(rf"(?<![A-Za-z])(?:{names})(?![A-Za-z])", " ", text)
    return re.findall(r"[A-Za-z]+", text)


@pytest.mark.parametrize(
    "text", ["Save", "[Save](?a=b)", "保存 as PNG", "u9009", "{count} cells", "猫 (cat)"]
)
def test_english_in_chinese_is_found(text: str) -> None:
    assert left_over(text, "zh")


@pytest.mark.parametrize(
    "text", ["保存为 PNG", "[图](?picture=cat)", "{count} 个", "160 px", "English", "ResNet-18 3"]
)
def test_names_are_not_english(text: str) -> None:
    assert left_over(text, "zh") == []


def test_hidden_words_are_found() -> None:
    assert in_html('<p title="One">Two</p><style>a::after { content: "Th\\72 ee"; }</style>') == [
        *("One", "Two", "Three")
    ]
    assert in_css(r'a { content: "\u9009"; }') == ["u9009"]
    assert list(in_data({"words": [{"a": "One"}], "key": "two"})) == ["One"]


# ---- the page in many states ------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A state of the page, and the words of the catalogue that prove it was reached."""

    name: str
    link: Mapping[str, str]
    proof: str = ""
    page: str = "app.py"


BY_HAND = "pages/1_By_hand.py"
ANSWER = "pages/7_The_answer.py"
NOISE = "pages/2_Noise_and_occlusion.py"
EVIDENCE = "pages/5_Evidence.py"
CASES = (
    Case("random filters", {"stem": "random", "filters": "8"}, "Number of filters"),
    Case("padding", {"kernel": "3", "padding": "1", "ceil": "1", "range": "all", "cell": "1-1"}),
    Case("test card", {"picture": "checks", "size": "64"}, GALLERY["checks"].words),
    Case(
        "no weights",
        {"stem": "resnet18"},
        "The ImageNet weights of ResNet-18 are not on this machine and cannot be downloaded now: "
        "connect it to the internet, or go on without them.",
    ),
    Case("large text", {"large": "1"}),
    Case(
        "somebody's picture",
        {"picture": "upload"},
        "This link was made with somebody's own picture, which a link cannot carry. If it was "
        "yours, choose the file again.",
    ),
    Case("little memory", {}, "the GPU had too little memory, so the CPU did the work"),
    Case("noise by hand", {"numbers": "noise", "grid": "5x6"}, "Draw again", BY_HAND),
    Case(
        "padding by hand", {"window": "3x2-1-1-zeros", "numbers": "ties"}, "Kernel width", BY_HAND
    ),
    Case("ceil mode by hand", {"window": "2x2-3-1-ceil", "grid": "5x7"}, "Ceil mode", BY_HAND),
    Case(
        "own numbers by hand", {"numbers": "own", "cells": "1_2~3_4"}, "Your own numbers", BY_HAND
    ),
    Case(
        "impossible by hand",
        {"window": "8x8-1-0"},
        "The window ({height} × {width}) is larger than the grid with its padding ({rows} × "
        "{columns}), so it fits nowhere: choose a smaller window or a larger grid.",
        BY_HAND,
    ),
    Case("occlusion", {"show": "occlusion", "shape": "disc", "fill": "noise"}, "Disc", NOISE),
    *(
        Case(f"evidence on {claim}", {"claim": claim}, proof, EVIDENCE)
        for claim, proof in (
            ("accuracy", "The article's claim"),
            ("noise", "Severity, 0 is unchanged"),
            ("occlusion", "Side of the occluder in pixels"),
            ("frequency", "Shift consistency"),
            ("start", "Training step"),
            ("cost", "Memory of a step"),
            ("small_data", "Training minus test accuracy"),
            ("size", "Best mean"),
            ("medical", "Medical pictures"),
        )
    ),
    Case(
        "somebody's results",
        {"results": "own-small"},
        "This link was made with somebody's own results, which a link cannot carry: load the files "
        "again to see them.",
        EVIDENCE,
    ),
    Case("shot noise", {"show": "noise", "noise": "poisson"}, "Poisson (shot)", NOISE),
    Case("opened pooling", {"stage": "attention.2.3"}, "{name}: pooling {number}", ANSWER),
    Case(
        "ResNet-18 that cannot be had",
        {"imagenet": "1", "show": "shift"},
        "The ImageNet weights of ResNet-18 are not on this machine and cannot be downloaded now: "
        "connect it to the internet, or go on without them.",
        ANSWER,
    ),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_folder(tmp_path_factory.mktemp("results"), a_full_house())


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, results: Path) -> list[str]:
    """A page without ResNet-18's weights; the titles that it gives the browser's tab."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(evidence_state, "RESULTS", results)
    st.cache_resource.clear()
    seen: list[str] = []
    configure = st.set_page_config

    def record(page_title: str, **rest: Any) -> None:
        seen.append(page_title)
        configure(page_title=page_title, **rest)

    monkeypatch.setattr(st, "set_page_config", record)
    return seen


def opened(language: str, link: Mapping[str, str], file: str = "app.py") -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=FOREVER)
    page.session_state["painted"] = True  # so that charts are drawn with everything else
    if file != "app.py":
        page.switch_page(file)
    for name, value in {**link, "lang": language}.items():
        page.query_params[name] = value
    return page.run()


def check(page: AppTest, titles: list[str], language: str, proof: str) -> None:
    assert not page.exception
    seen = [*in_tree(page._tree), *titles]
    assert len(seen) > 50
    assert {text: rest for text in seen if (rest := left_over(text, language))} == {}
    if proof:
        translated = re.escape(words.translation(language).gettext(proof))
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", ".+", translated))
        assert any(map(pattern.search, seen)), "the state was not reached"


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("file", PAGES)
def test_every_page_speaks_one_language(file: str, language: str, titles: list[str]) -> None:
    check(opened(language, {}, file), titles, language, "Hybrid Pooling Explorer")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_state_shows_english_in_chinese(
    case: Case, titles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.name == "little memory":
        real = compute.trace
        monkeypatch.setattr(compute, "trace", lambda *a: replace(real(*a), fell_back=True))
    check(opened("zh", case.link, case.page), titles, "zh", case.proof)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_uploads_speak_one_language(
    language: str, titles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(language, {})
    # AppTest formats the options of a select box outside the session, where no language is known.
    monkeypatch.setattr(words, "language", lambda: language)
    page.file_uploader[0].set_value(("1.png", b"no picture", "image/png"))
    page.toggle(key="camera_on").set_value(True).run()
    proof = (
        "This file is not a picture in a format that can be read here: "
        "use PNG, JPEG, WebP, BMP, TIFF or GIF."
    )
    check(page, titles, language, proof)
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 90, 0)).save(file, "PNG")
    page.file_uploader[0].set_value(("2.PNG", file.getvalue(), "image/png")).run()
    assert not page.error
    check(page, titles, language, "**Your picture:** {name}")


# ---- which language ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("browser", "link", "expected"),
    [
        ("zh-CN", None, "zh"),
        ("zh", None, "zh"),
        ("en-GB", None, "en"),
        ("fr-FR", None, "en"),
        (None, None, "en"),
        ("zh-CN", "en", "en"),
        ("en-US", "zh", "zh"),
        ("en-US", "xx", "en"),
        ("fr-FR", "../zh", "en"),
        ("zh-CN", "fr", "zh"),
        ("zh-CN", "klingon", "zh"),
        ("en-US", "zh-CN", "zh"),
        ("en-US", "ZH", "zh"),
        ("ZH_hans", None, "zh"),
    ],
)
def test_the_browser_chooses_and_the_link_overrides(
    browser: str | None, link: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(st.context), "locale", property(lambda self: browser))
    page = AppTest.from_function(_say_language, default_timeout=FOREVER)
    if link:
        page.query_params["lang"] = link
    assert page.run().markdown[0].value == expected


def _say_language() -> None:
    import streamlit as st

    from hybridpool.ui.words import language

    st.markdown(language())


def test_the_switch_changes_the_page_and_the_link(titles: list[str]) -> None:
    page = opened("en", {})
    assert title_of(page) == "Explore"
    page.button_group(key="language_choice").set_value("zh").run()
    assert title_of(page) == words.translation("zh").gettext("Explore") != "Explore"
    assert page.query_params["lang"] == "zh"
