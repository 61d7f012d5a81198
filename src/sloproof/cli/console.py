"""What people read: data on standard output, talk on standard error, colour only where a terminal wants it."""

import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sloproof.errors import Problem
from sloproof.foreign_text import visible_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNDECIDED": "bold yellow"}


@cache
def output() -> "Console":
    """Standard output, for results."""
    from sloproof.cli.terminal import terminal

    return terminal()


@cache
def talk() -> "Console":
    """Standard error, for everything else."""
    from sloproof.cli.terminal import terminal

    return terminal(stderr=True)


def say(message: str) -> None:
    """One line of talk."""
    talk().print(message, markup=False)


def show(message: str) -> None:
    """One line of a result."""
    output().print(message, markup=False)


def failure(message: str, hint: str) -> None:
    """An error and what to do about it."""
    talk().print("[bold red]error:[/] ", end="")
    say(message)
    if hint:
        talk().print("\n[bold]hint:[/] ", end="")
        say(hint)


def problems(found: Sequence[Problem]) -> None:
    """Every problem and warning with its place and its hint, then their numbers."""
    for problem in found:
        say(str(problem))
        if problem.hint:
            talk().print(f"  hint: {problem.hint}", style="dim", markup=False)
    warnings = sum(problem.severity == "warning" for problem in found)
    counts = ((len(found) - warnings, "problem"), (warnings, "warning"))
    told = ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)
    talk().print(f"\n{told}", style="bold red" if warnings < len(found) else "bold yellow")


def data(text: str) -> None:
    """Machine-readable output, as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def lines(text: str) -> None:
    """A result of several lines for whoever reads them without a terminal; nothing in it commands one."""
    data(visible_lines(text))


def verdict(word: str) -> "Text":
    """A verdict in its colour."""
    from rich.text import Text

    return Text(word, style=STYLES.get(word, ""))
