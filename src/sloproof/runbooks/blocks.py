"""A page whose generated blocks are replaced and whose other bytes are left alone.

A block begins with a line `<!-- generated:NAME -->` and ends with a line `<!-- /generated:NAME -->`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sloproof.errors import SloproofError

_MARKER = re.compile(r"<!-- (/?)generated:([a-z]+(?:-[a-z]+)*) -->\s*")
_ALMOST = re.compile(r"<!--\s*/?\s*generated\b", re.IGNORECASE)


class DamagedPage(SloproofError):
    """The markers of a page's generated blocks do not pair up; nothing was changed."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Block:
    """Where a generated block stands in a page.

    Args:
        name: of its markers.
        first: index of the line of its opening marker.
        last: index of the line of its closing marker.
    """

    name: str
    first: int
    last: int


def wrapped(name: str, text: str, newline: str = "\n") -> str:
    """A block with its markers, each line ended by `newline`."""
    lines = [_opening(name), *text.strip("\n").split("\n"), _closing(name)]
    return "".join(line + newline for line in lines)


def blocks_of(page: str) -> dict[str, Block]:
    """The generated blocks of a page by name, in order.

    Args:
        page: Markdown.

    Returns:
        Every block; none for a page without markers.

    Raises:
        DamagedPage: a marker is misspelt, doubled, out of order, or without its partner.
    """
    found: dict[str, Block] = {}
    opened: tuple[str, int] | None = None
    for index, line in enumerate(_lines(page)):
        marker = _MARKER.fullmatch(line)
        if marker is None:
            _refuse_misspelt(line, index)
            continue
        if marker[1]:
            found[marker[2]] = _block(opened, marker[2], index)
            opened = None
        else:
            opened = _opened(found, opened, marker[2], index)
    if opened is not None:
        raise _damaged(f"`{_opening(opened[0])}` in line {opened[1] + 1} is never closed")
    return found


def replaced(page: str, texts: Mapping[str, str]) -> str:
    """The page with new text in the blocks it has; every byte outside them stays.

    Args:
        page: Markdown with healthy markers.
        texts: new text by block name; names that the page lacks are passed over.

    Raises:
        DamagedPage: the markers do not pair up.
    """
    lines = _lines(page)
    for block in reversed(blocks_of(page).values()):
        if block.name in texts:
            newline = "\r\n" if lines[block.first].endswith("\r\n") else "\n"
            text = texts[block.name].strip("\n").split("\n")
            lines[block.first + 1 : block.last] = [line + newline for line in text]
    return "".join(lines)


def _lines(page: str) -> list[str]:
    """Lines with their ends; only line feeds end a line, as in Markdown."""
    return re.findall(r"[^\n]*\n|[^\n]+", page)


def _opened(found: Mapping[str, Block], opened: tuple[str, int] | None, name: str, index: int) -> tuple[str, int]:
    if opened is not None:
        raise _damaged(
            f"`{_opening(name)}` in line {index + 1} begins before `{opened[0]}` of line {opened[1] + 1} has ended"
        )
    if name in found:
        raise _damaged(f"`{_opening(name)}` is there twice, in lines {found[name].first + 1} and {index + 1}")
    return name, index


def _block(opened: tuple[str, int] | None, name: str, index: int) -> Block:
    if opened is None or opened[0] != name:
        raise _damaged(f"`{_closing(name)}` in line {index + 1} closes nothing that is open")
    return Block(name, opened[1], index)


def _refuse_misspelt(line: str, index: int) -> None:
    if _ALMOST.search(line):
        raise _damaged(
            f"line {index + 1}, `{line.strip()}`, is almost a marker; alone on its line it reads `{_opening('name')}`"
        )


def _damaged(what: str) -> DamagedPage:
    return DamagedPage(
        f"the generated blocks of the page are damaged: {what}",
        hint="mend or remove the marker lines by hand; the page was left as it is, nothing is lost",
    )


def _opening(name: str) -> str:
    return f"<!-- generated:{name} -->"


def _closing(name: str) -> str:
    return f"<!-- /generated:{name} -->"
