"""The commands and how a program run ends: a message with a hint, and the exit code of its kind."""

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from sloproof import __version__
from sloproof.cli import (
    badge,
    chaos,
    check,
    dashboards,
    demo,
    drill,
    gate,
    generate,
    history,
    init,
    lab,
    load,
    prove,
    runbook,
    schedule,
    status,
)
from sloproof.cli.interruption import Interrupted, interruptible

app = typer.Typer(
    name="sloproof",
    help="SLOs you can prove: rules, alerts, dashboards and runbooks from one definition, "
    "then load and faults that show whether they hold.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawn help costs twice the start-up time
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init", short_help="Make a workspace with a first service.")(init.init)
app.command("generate", short_help="Write what the definitions imply.")(generate.generate)
app.command("check", short_help="Say what is unwise in the definitions.")(check.check)
app.command("prove", short_help="Prove that each alert fires and clears when promised.")(prove.prove)
app.command("status", short_help="Show what is left of every error budget.")(status.status)
app.command("runbook", short_help="Show the page of an alert, with live values.")(runbook.runbook)
app.command("demo", short_help="Break a live system twice and see its alerts fire.")(demo.demo)
app.command("drill", short_help="Fire the alerts of an objective and time them.")(drill.drill)
app.command("schedule", short_help="Write when experiments and drills run by themselves.")(schedule.schedule)
app.add_typer(dashboards.app, name="dashboards", short_help="Check dashboards, draw them, bring them to a Grafana.")
app.add_typer(lab.app, name="lab", short_help="Start, inspect and end a reference system.")
app.add_typer(load.app, name="load")
app.add_typer(chaos.app, name="chaos")
app.add_typer(gate.app, name="gate", short_help="Decide whether a release may go on.")
app.add_typer(history.app, name="history")
app.add_typer(badge.app, name="badge", short_help="Write a badge of a gate or a budget.")


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"sloproof {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `sloproof`; those of the process by default.

    Returns:
        The exit code; see `sloproof.errors`. 130 or 143 after an interruption.
    """
    from sloproof.cli.ending import explain

    with interruptible():
        try:
            code = app(args=list(sys.argv[1:] if arguments is None else arguments), standalone_mode=False)
            return int(code or 0)
        except Interrupted as interruption:
            typer.echo(f"\nstopped by {signal.Signals(interruption.signal).name}", err=True)
            return 128 + interruption.signal
        except Exception as error:
            return explain(error)
