"""Nothing that others wrote hides in a text, or commands the terminal that shows it."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from sloproof.cli import console
from sloproof.cli.terminal import terminal
from sloproof.foreign_text import visible, visible_lines

CLEARS_THE_SCREEN = "\x1b[2J\x1b]0;title\x07 \x9b31m \u202eneddih"


@pytest.mark.parametrize("hidden", ["\u2028", "\u202e", "\x1b", "\x00", "\u200b", "\ud800", "\x9b", "\x7f"])
def test_invisible_characters_become_visible(hidden: str) -> None:
    assert visible(f"a{hidden}b") == visible_lines(f"a{hidden}b") == "a\ufffdb"


def test_ordinary_text_stays() -> None:
    assert visible("usuários 任务 — 10 %\tü\n") == "usuários 任务 — 10 % ü "
    assert visible_lines("usuários\n\t— 10 %\n") == "usuários\n\t— 10 %\n"


@pytest.mark.parametrize("coloured", [True, False])
def test_a_table_obeys_no_cell_and_keeps_its_own_colours(coloured: bool) -> None:
    table = Table("name")
    table.add_row(Text.assemble(("api", "bold"), CLEARS_THE_SCREEN))
    shown = io.StringIO()
    terminal(file=shown, force_terminal=coloured, width=80, color_system="standard" if coloured else None).print(table)
    assert ("\x1b[1m" in shown.getvalue()) is coloured
    assert not [mark for mark in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e") if mark in shown.getvalue()]


def test_what_is_said_and_shown_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for consoles in (console.output, console.talk):
        consoles.cache_clear()
    try:
        console.show(CLEARS_THE_SCREEN)
        console.lines(f"{CLEARS_THE_SCREEN}\n")
        console.failure(CLEARS_THE_SCREEN, CLEARS_THE_SCREEN)
    finally:
        said = capsys.readouterr()
        for consoles in (console.output, console.talk):
            consoles.cache_clear()
    for stream in (said.out, said.err):
        assert stream.count("neddih") == 2
        assert stream.isascii() is False and not [mark for mark in "\x1b\x07\x9b\u202e" if mark in stream]
