"""The heat map of gates for a terminal: one letter a release, with the releases named under it."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from sloproof.foreign_text import visible
from sloproof.report import wording
from sloproof.report.heat_map_html import cell_in_words
from sloproof.verdict.heat_map import HeatCell, HeatMap, HeatRow

_LETTERS = {"PASS": "P", "FAIL": "F", "UNDECIDED": "?"}
_STYLES = {"PASS": "bold green", "FAIL": "bold red reverse", "UNDECIDED": "bold yellow"}
_NOT_DECIDED = "."
_CELL = 3
_LONGEST_LABEL = 34
_LEGEND = (
    "P passed, F failed, ? undecided, . not decided",
    "the newest decision of each release counts; the newest release is 1",
)


def columns_for(width: int) -> int:
    """How many releases a terminal of so many columns has room for; at least 1."""
    return max((width - _LONGEST_LABEL) // _CELL, 1)


def render_lines(found: HeatMap) -> Iterator[Text]:
    """The grid, its legend, and the releases by their numbers; letters tell what colours do.

    Args:
        found: gates over releases, as many as there is room for.
    """
    if not found.rows:
        yield Text("no gate has been decided yet")
        return
    widest = min(max(len(_label(row)) for row in found.rows), _LONGEST_LABEL - 1)
    numbers = "".join(f"{number:>{_CELL}}" for number in range(1, len(found.releases) + 1))
    yield Text(f"{'':{widest}}{numbers}")
    for row in found.rows:
        yield _line(row, widest)
    yield from map(Text, _LEGEND)
    yield from _releases(found)


def _label(row: HeatRow) -> str:
    return visible(row.label if row.whole else f"  {row.label}")


def _line(row: HeatRow, widest: int) -> Text:
    label = _label(row)
    cut = label if len(label) <= widest else f"{label[: widest - 1]}…"
    line = Text(f"{cut:{widest}}", style="bold" if row.whole else "")
    for cell in row.cells:
        letter = _NOT_DECIDED if cell is None else _LETTERS[cell.verdict.value]
        line.append(" " * (_CELL - 1))
        line.append(letter, style="dim" if cell is None else _STYLES[cell.verdict.value])
    return line


def _releases(found: HeatMap) -> Iterator[Text]:
    for number, release in enumerate(found.releases, start=1):
        judged = wording.day(found.first_judged[number - 1])
        worst = _told([row.cells[number - 1] for row in found.rows if row.whole])
        yield Text(f"{number:>{_CELL}} {visible(release)}, first judged {judged}{worst}")
    if found.left_out:
        yield Text(f"{found.left_out} older left out")


def _told(cells: Sequence[HeatCell | None]) -> str:
    decided = [cell for cell in cells if cell is not None]
    return f": {cell_in_words(decided[0])}" if len(cells) == len(decided) == 1 else ""
