"""Text that others wrote, made harmless for whoever reads it: names, labels and answers of the system under test."""

import re
import unicodedata

_CONTROL, _JOINERS = "Cc", "\u200c\u200d"
_UNSAFE = frozenset((_CONTROL, "Cf", "Zl", "Zp", "Cs"))
"""Control, format (bidi overrides), line and paragraph separators, lone surrogates."""
_PERHAPS = re.compile(r"[^\t\n\x20-\x7e]")


def visible(text: str) -> str:
    """Text in which nothing can hide: control, bidi and line-separator characters become U+FFFD.

    Args:
        text: anything, also from the system under test; tabs and line ends become blanks.

    Returns:
        One line that a terminal, a page or a table cell can show as it stands.
    """
    return visible_lines(re.sub(r"[\t\n\r]", " ", text))


def visible_lines(text: str) -> str:
    """The same for a text of several lines: line feeds and tabs stay what they are.

    Args:
        text: anything, also from the system under test.

    Returns:
        Lines that a terminal can show without being told what to do by one of them.
    """
    return _PERHAPS.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    return "\ufffd" if unicodedata.category(character) in _UNSAFE and character not in _JOINERS else character
