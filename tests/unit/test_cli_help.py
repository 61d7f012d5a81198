"""What the commands say of themselves, and where a misplaced one is."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from sloproof.cli.app import app
from sloproof.cli.ending import explain

WIDTH = 80


def groups() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    yield "sloproof", root
    yield from ((name, command) for name, command in root.commands.items() if hasattr(command, "commands"))


@pytest.mark.parametrize(("name", "group"), list(groups()), ids=lambda part: part if isinstance(part, str) else "")
def test_the_list_of_a_groups_commands_cuts_no_sentence(name: str, group: Any) -> None:
    room = WIDTH - 4 - max(map(len, group.commands))
    for command in group.commands.values():
        told = command.get_short_help_str(limit=room)
        assert told.endswith(".") and not told.endswith("..."), f"{name} {command.name}: {told}"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["report", "0123"], "hint: it is `sloproof history report`"),
        (["load", "budget"], "hint: it is `sloproof badge budget`"),
        (["run"], "hint: it is `sloproof load run` or `sloproof chaos run` or `sloproof gate run`"),
        (["nothing"], "hint: `--help` after the command lists what it takes"),
    ],
)
def test_a_command_of_another_group_is_told_with_its_place(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match="No such command") as raised:
        typer.main.get_command(app).main(words, standalone_mode=False)
    assert explain(raised.value) == 2
    assert hint in capsys.readouterr().err
