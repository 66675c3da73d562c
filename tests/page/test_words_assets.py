"""The components' own HTML, CSS and JavaScript hold no words: Python sends every one of them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hybridpool.ui import words
from hybridpool.ui.answer import words as answer_words
from hybridpool.ui.browser.component import BASE, DIAL, MAPS, PANELS, markup
from hybridpool.ui.browser.words import inspector_words, rows_words
from hybridpool.ui.by_hand import words as by_hand_words
from hybridpool.ui.noise import words as noise_words

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FILES = sorted(path for kind in ("html", "css", "js") for path in ASSETS.rglob(f"*.{kind}"))
READ_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description", "label"}

# ---- HTML and CSS -----------------------------------------------------------------------------


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        button = tag == "input" and dict(attrs).get("type") in ("button", "submit", "reset")
        read = READ_ATTRIBUTES | ({"value"} if button else set())
        self.found += [value or "" for name, value in attrs if name in read]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def spoken(text: str) -> list[str]:
    """The parts of some texts that hold a letter, apart from ``{blanks}``."""
    return [text] if any(map(str.isalpha, re.sub(r"\{\w+\}", "", text))) else []


def words_in_html(text: str) -> list[str]:
    page = _Html()
    page.feed(text)
    page.close()
    return [word for found in page.found for word in spoken(found)]


def words_in_css(text: str) -> list[str]:
    shown = re.findall(r"content:\s*([\"'])(.*?)\1", text)
    return [word for _, content in shown for word in spoken(content)]


# ---- JavaScript -------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<regex>(?<=[(,=:\[!&|?{};])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+/\w*)
      | (?P<template>`)
      | (?P<brace>[{}])""",
    re.DOTALL | re.VERBOSE,
)
# What stands right before a text that only the program reads.
_PROGRAM = re.compile(
    r"""(?:
        (?:\$|querySelector(?:All)?|closest|matches|createElement|getContext|addEventListener
          |getPropertyValue|setProperty|setAttribute|getElementById|contains|toggle|has|send
          |setStateValue|setTriggerValue|matchMedia)\(\s*
      | \belement\(\s*(?:§\d+§\s*,\s*)?  # our helper: tag, class, text
      | \.style(?:\.\w+|\[[^\]]*\])?\s*=\s*
      | \.(?:className|font|fillStyle|strokeStyle|download|type|role)\s*=\s*
      | [!=]==\s* | \bcase\s+ | \[\s*
    )$""",
    re.VERBOSE,
)
# Functions that show what they are given; what others are given is theirs to show or not.
_SINKS = (
    r"(?:createTextNode|Option|Text|alert|confirm|prompt|fillText|write|append|prepend|push"
    r"|replaceChildren|replaceWith|insertAdjacent\w+)\("
)
_CALLED = re.compile(rf"(?<![\w$])(?!{_SINKS})[\w$]+\(\s*$")
# What a person reads or hears: the text up to the end of the statement.
_SHOWN = (
    r"\.(?:textContent|innerText|innerHTML|outerHTML|title|alt|placeholder|ariaLabel|label)"
    r"\s*\+?=(?!=)([^;]*)",
    r"\b(?:title|alt|placeholder|ariaLabel|textContent|label|text)\s*:([^,}]*)",
    r"\belement\([^,()]*,[^,()]*,([^;]*)",
    rf"\b{_SINKS}([^;]*)",
)
_KEYS = re.compile(
    r"(?:Arrow(?:Up|Down|Left|Right)|Page(?:Up|Down)|Enter|Escape|Home|End|Tab)$"
    r"|(?:calc|color-mix|hsl|rgb|var)\("  # colours and sizes for the style sheet
    r"|M(?:\{\}|[\s\d.,hvlzHVLZ-])+$"  # a path of SVG
)
_PROSE = re.compile(r"[^\W\d_]{2,}[,;:]?\s+[^\W\d_]{2,}|(?:^|\s)[A-Z][a-z]+|[^\W\d_A-Za-z]")


def masked(script: str) -> tuple[str, list[str]]:
    """A script without comments, each of its texts replaced by ``§number§``, and the texts.

    What fills a template is code of its own: it stays, after the template that it fills.
    """
    texts: list[str] = []

    def code(at: int, nested: bool) -> tuple[str, int]:
        out, depth = "", 0
        while token := _TOKEN.search(script, at):
            out += script[at : token.start()]
            at = token.end()
            if token["string"]:
                out += _numbered(texts, token["string"][1:-1])
            elif token["template"]:
                piece, at = template(at)
                out += piece
            elif token["brace"]:
                depth += 1 if token[0] == "{" else -1
                if nested and depth < 0:
                    return out, at
                out += token[0]
        return out + script[at:], len(script)

    def template(at: int) -> tuple[str, int]:
        text, fillings = "", ""
        while script[at] != "`":
            if script.startswith("${", at):
                filling, at = code(at + 2, nested=True)
                text, fillings = text + "{}", f"{fillings} + ({filling})"
            else:
                step = 2 if script[at] == "\\" else 1
                text, at = text + script[at : at + step], at + step
        return _numbered(texts, text) + fillings, at + 1

    return code(0, nested=False)[0], texts


def _numbered(texts: list[str], text: str) -> str:
    texts.append(re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text))
    return f"§{len(texts) - 1}§"


def words_in_script(script: str) -> list[str]:
    """Texts of a script that are shown or spoken, or that read like it wherever they stand."""
    source, texts = masked(script)
    places = {int(m[1]): m.start() for m in re.finditer(r"§(\d+)§", source)}
    program = {n for n, at in places.items() if _PROGRAM.search(source[max(at - 60, 0) : at])}
    shown = {int(n) for part in _shown(source, texts) for n in re.findall(r"§(\d+)§", part)}
    shown -= {n for n, at in places.items() if _CALLED.search(source[max(at - 60, 0) : at])}
    found = []
    for number, text in enumerate(texts):
        bare = re.sub(r"\{\w*\}", "", text)
        if re.search(r"<\w", text):
            found += words_in_html(re.sub(r"\{\}", "", text))
        elif number in program or _KEYS.match(text):
            continue
        elif (number in shown and spoken(bare)) or _PROSE.search(bare):
            found.append(text)
    return found


def _shown(source: str, texts: list[str]) -> Iterator[str]:
    for pattern in _SHOWN:
        yield from re.findall(pattern, source)
    for name, rest in re.findall(r"setAttribute\(\s*§(\d+)§\s*,([^;]*)", source):
        if texts[int(name)] in READ_ATTRIBUTES | {"aria-valuetext"}:
            yield rest


# ---- the assets -------------------------------------------------------------------------------

_READERS = {".html": words_in_html, ".css": words_in_css, ".js": words_in_script}


def test_there_are_assets_to_read() -> None:
    assert {path.suffix for path in FILES} == set(_READERS)
    _source, texts = masked((ASSETS / "inspector" / "inspector.js").read_text("utf-8"))
    assert len(texts) > 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ASSETS)))
def test_assets_hold_no_words_of_their_own(path: Path) -> None:
    assert _READERS[path.suffix](path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "<button>Save</button>",
        '<button title="Close">×</button>',
        '<input type="submit" value="Go">',
        '<div aria-label="gallery"></div>',
        "<p>图片</p>",
    ],
)
def test_words_in_html_are_found(text: str) -> None:
    assert words_in_html(text)


SAYING = r"""
a.textContent = "Hello";
a.textContent = 'hello';
a.textContent = `row ${row}`;
a.textContent = pinned ? "pinned" : "";
a.textContent = `${count} × ${unit ? `cells` : ''}`;
a.title = "close";
a.innerHTML = `<button>Save</button>`;
a.setAttribute("aria-label", "next");
a.append("none");
list.replaceChildren(new Option("all", 0));
pen.fillText("mean", 0, 0);
Object.assign(a, { title: "close" });
const label = "click to save"; a.textContent = label;
a.append(element("span", "dot", "mean"));
const label = "Save";
say("click to save");
const label = "\u4fdd\u5b58";
const label = /"/.test(x) ? "Yes" : "";
a.textContent = words.row.replace("{row}", "first");
"""


@pytest.mark.parametrize("text", SAYING.strip().splitlines())
def test_words_in_a_script_are_found(text: str) -> None:
    assert words_in_script(text)


SILENT = r"""
// Says Hello to the person
a.textContent = words.save;
a.textContent = words.row.replace("{row}", row + 1);
a.textContent = value.toFixed(3).replace("-", "\u2212");
a.textContent = `${height} × ${width}`;
a.querySelector("dt span").textContent = words[name];
a.setAttribute("role", "img");
a.className = "window open";
a.append(element("span", "dot large", words.mean));
a.textContent = `${winner("clean")} → ${winner("changed")}`;
lines.push(`M${column} ${row}h1`);
a.innerHTML = `<dt><span class="dot"></span></dt><dd>${value} = </dd>`;
if (event.key === "Enter") return this.moves["left"];
const half = total / 2 / 3; // a "Quoted" word
"""


@pytest.mark.parametrize("text", SILENT.strip().splitlines())
def test_a_script_without_words_passes(text: str) -> None:
    assert words_in_script(text) == []


# ---- the words that Python sends --------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A component's folder, the scripts it shares with others, and the words Python sends it."""

    folder: str
    shared: tuple[str, ...]
    words: Callable[[], Mapping[str, str]]

    def read(self) -> str:
        """All of its HTML and JavaScript."""
        shared = [ASSETS / script for script in self.shared]
        scripts = [*ASSETS.glob(f"{self.folder}/*.js"), *shared]
        pages = [markup(path) for path in ASSETS.glob(f"{self.folder}/*.html")]
        return "\n".join([*pages, *(path.read_text("utf-8") for path in scripts)])


COMPONENTS = [
    Sent("inspector", (*PANELS, "common/camera.js"), inspector_words),
    Sent("by_hand", DIAL, lambda: by_hand_words.fixed_words() | {"honest": ""}),
    Sent("compare", (*MAPS, "common/camera.js"), rows_words),
    Sent(
        "answer",
        (*DIAL, "compare/patch.js", "common/camera.js"),
        lambda: answer_words.row_words(""),
    ),
    Sent("walk", BASE, answer_words.walk_words),
    Sent("stage", PANELS, partial(answer_words.stage_words, blends=True)),
    Sent("stage", PANELS, partial(answer_words.stage_words, blends=False)),
    Sent("occlusion_map", BASE, noise_words.map_words),
]


@pytest.fixture(params=COMPONENTS, ids=lambda sent: sent.folder)
def sent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sent:
    monkeypatch.setattr(words, "language", lambda: "en")
    found: Sent = request.param
    return found


def test_a_component_is_sent_every_word_it_asks_for(sent: Sent) -> None:
    asked = set(re.findall(r'data-(?:word|label|title)="(\w+)"', sent.read()))
    asked |= set(re.findall(r"\bwords\.(\w+)", sent.read()))
    assert asked
    assert sorted(asked - sent.words().keys()) == []


def test_a_component_uses_every_word_and_fills_every_blank(sent: Sent) -> None:
    text = sent.read()
    filled = r"\.replace(?:All)?\(\"\{{{}\}}\""
    for key, message in sent.words().items():
        assert re.search(rf"\b{key}\b", text), f"{key} is sent and never shown"
        for _, name, _, _ in string.Formatter().parse(message):
            assert name is None or re.search(filled.format(name), text), (
                f"{key}: nothing fills {name}"
            )
