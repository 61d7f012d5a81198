"""Badges: a label and a word in a small SVG, for pages that show many of them."""

from typing import Literal

from markupsafe import Markup

from sloproof.foreign_text import visible
from sloproof.report.svg import coordinate, element, text_width

State = Literal["good", "bad", "open", "unknown"]
_GROUND = "#3c4650"
_COLOURS: dict[State, str] = {"good": "#14672f", "bad": "#a11520", "open": "#7a4a00", "unknown": "#5b6673"}
_SYMBOLS: dict[State, str] = {"good": "✓", "bad": "✗", "open": "?", "unknown": "–"}
_SIZE, _HEIGHT, _BASE, _SIDE = 11.0, 20, 14, 6.0
_MOST = 60
_FONT = "Verdana, Geneva, 'DejaVu Sans', sans-serif"


def render_badge(label: str, word: str, state: State) -> str:
    """Write a badge.

    Args:
        label: what it is about, such as `gate release`.
        word: how it stands, such as `PASS`.
        state: `unknown` is for what has no figure; it never looks like one of the others.

    Returns:
        An SVG that loads nothing and runs nothing; foreign text stays text. A symbol tells the state beside its
        colour, and the whole is told in words for who cannot see it.
    """
    left, right = _cut(label), f"{_SYMBOLS[state]} {_cut(word)}"
    first, second = (round(text_width(text, _SIZE) + 2 * _SIDE) for text in (left, right))
    told = f"{_cut(label)}: {_cut(word)}"
    parts = [
        element("title", told),
        element("rect", width=first + second, height=_HEIGHT, rx=3, fill=_GROUND),
        element("path", d=_right_half(first, second), fill=_COLOURS[state]),
        _text(left, first, _SIDE),
        _text(right, second, first + _SIDE),
    ]
    shape = {"viewBox": f"0 0 {first + second} {_HEIGHT}", "aria-label": told, "font-family": _FONT}
    root = {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **shape}
    return str(element("svg", *parts, width=first + second, height=_HEIGHT, font_size=_SIZE, **root)) + "\n"


def _cut(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _MOST else f"{shown[: _MOST - 1]}…"


def _right_half(first: int, second: int) -> str:
    return f"M{first} 0h{second - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{second - 3}z"


def _text(text: str, room: int, x: float) -> Markup:
    """Text at its place, as wide as it was reckoned whatever font the reader has."""
    fit = {"textLength": coordinate(room - 2 * _SIDE), "lengthAdjust": "spacingAndGlyphs"}
    return element("text", text, x=x, y=_BASE, fill="#ffffff", **fit)
