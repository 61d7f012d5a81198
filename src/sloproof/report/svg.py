"""Escaped SVG elements, and how wide their text will be."""

import unicodedata

from markupsafe import Markup, escape

from sloproof.foreign_text import visible

# DejaVu Sans, the widest of the fonts in the style sheet's list, averages 0.58 em.
_EM_PER_CHARACTER = 0.58
_WIDE = frozenset(("W", "F"))


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element; text and attribute values are escaped, `Markup` children are kept.

    Args:
        name: the tag.
        children: text, or elements made here.
        attributes: `_` stands for `-`, a trailing `_` is dropped (`class_`); numbers keep one decimal.

    Returns:
        The element as markup.
    """
    given = "".join(f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items())
    inside = "".join(child if isinstance(child, Markup) else escape(visible(child)) for child in children)
    return Markup(f"<{name}{given}>{inside}</{name}>")


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return str(escape(visible(value))) if isinstance(value, str) else coordinate(value)


def coordinate(value: float) -> str:
    """A length in user units with one decimal at most."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def text_width(text: str, size: float) -> float:
    """The estimated width of a text, user units.

    Args:
        text: what is drawn.
        size: font size, user units.
    """
    columns = sum(2 if unicodedata.east_asian_width(character) in _WIDE else 1 for character in text)
    return columns * size * _EM_PER_CHARACTER


def fitted(text: str, size: float, room: float) -> str:
    """The text, cut with an ellipsis where it is wider than its room; empty where nothing fits.

    Args:
        text: what is drawn.
        size: font size, user units.
        room: user units.
    """
    if text_width(text, size) <= room:
        return text
    kept = text[: max(int(room / (size * _EM_PER_CHARACTER)), 0)]
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…" if kept else ""
