"""Grafana's colours as classes of a style sheet: the policy of the page forbids any style beside its own.

A colour is used in three ways: as a ground, as the text on that ground, and as a line or text on the page's own
ground, where it is darkened or lightened until it can be read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

INK, NOTHING = "k-ink", "k-none"
"""Classes of what has the text's own colour, and of what is not drawn."""

_SHADES = ("dark-{}", "semi-dark-{}", "{}", "light-{}", "super-light-{}")
# Grafana's palette of visualizations, from dark to light.
_HUES = {
    "red": ("c4162a", "e02f44", "f2495c", "ff7383", "ffa6b0"),
    "orange": ("fa6400", "ff780a", "ff9830", "ffb357", "ffcb7d"),
    "yellow": ("e0b400", "f2cc0c", "fade2a", "ffee52", "fff899"),
    "green": ("37872d", "56a64b", "73bf69", "96d98d", "c8f2c2"),
    "blue": ("1f60c4", "3274d9", "5794f2", "8ab8ff", "c0d8ff"),
    "purple": ("8f3bb8", "a352cc", "b877d9", "ca95e5", "deb6f2"),
}
_NAMED = {
    **{shade.format(hue): code for hue, codes in _HUES.items() for shade, code in zip(_SHADES, codes, strict=True)},
    "gray": "8e8e8e",
    "grey": "8e8e8e",
    "white": "ffffff",
    "black": "000000",
}
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})(?:[0-9a-f]{1,2})?")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*[\d.]+\s*)?\)")
_LIGHT_PAPER, _DARK_PAPER = (244, 246, 248), (27, 34, 43)
_READABLE = 4.5
"""Contrast of text on its ground: WCAG 2.2, success criterion 1.4.3."""
_STEPS = 20
_LINEAR_BELOW = 0.04045

Rgb = tuple[int, int, int]


def colour_class(colour: str) -> str:
    """The class of a colour.

    Args:
        colour: a name of Grafana's palette, `#rgb`, `#rrggbb`, `rgb(...)`, `text` or `transparent`.

    Returns:
        The class of the text's colour for what is no colour.
    """
    code = _code(colour)
    if code is None:
        return NOTHING if colour.strip().lower() == "transparent" else INK
    return f"k-{code}"


def colours_in(value: Any) -> frozenset[str]:
    """Every colour that a dashboard's JSON names, as hexadecimal codes.

    Args:
        value: plain JSON.
    """
    return frozenset(code for text in _texts(value) if (code := _code(text)) is not None)


def colour_rules(codes: Iterable[str]) -> str:
    """The part of a style sheet that gives colours their classes.

    Args:
        codes: six hexadecimal digits each.
    """
    lines = []
    for code in sorted({*codes, *(_HUES[hue][2] for hue in _HUES), _NAMED["grey"]}):
        rgb = _rgb(code)
        light, dark, on = _toned(rgb, _LIGHT_PAPER), _toned(rgb, _DARK_PAPER), _on(rgb)
        lines.append(f".k-{code} {{ --fill: #{code}; --on: #{on}; --tone: #{light}; }}")
        lines.append(f"@media screen and (prefers-color-scheme: dark) {{ .k-{code} {{ --tone: #{dark}; }} }}")
    return "\n".join(lines) + "\n"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _code(colour: str) -> str | None:
    word = colour.strip().lower()
    if word in _NAMED:
        return _NAMED[word]
    if match := _HEX.fullmatch(word):
        digits = match[1]
        return digits if len(digits) > len("rgb") else "".join(digit * 2 for digit in digits)
    if match := _RGB.fullmatch(word):
        return "".join(f"{min(int(part), 255):02x}" for part in match.groups())
    return None


def _rgb(code: str) -> Rgb:
    return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


def _toned(rgb: Rgb, paper: Rgb) -> str:
    """The colour, moved away from the paper until text in it can be read."""
    away = 0 if _luminance(paper) > _luminance((128, 128, 128)) else 255
    moved = rgb
    for step in range(1, _STEPS + 1):
        if _contrast(moved, paper) >= _READABLE:
            break
        red, green, blue = (round(part + (away - part) * step / _STEPS) for part in rgb)
        moved = red, green, blue
    return "".join(f"{part:02x}" for part in moved)


def _on(rgb: Rgb) -> str:
    return "000000" if _contrast(rgb, (0, 0, 0)) >= _contrast(rgb, (255, 255, 255)) else "ffffff"


def _contrast(one: Rgb, other: Rgb) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(rgb: Rgb) -> float:
    """Relative luminance, ratio of 1. Source: WCAG 2.2, definition of relative luminance."""
    linear = [
        part / 255 / 12.92 if part / 255 <= _LINEAR_BELOW else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
