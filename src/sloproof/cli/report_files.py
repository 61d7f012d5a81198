"""Where reports go: the `--report` option of runs and gates."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sloproof.cli import console
from sloproof.errors import UsageError

TO_STANDARD_OUTPUT = "-"
Formats = Mapping[str, tuple[Any, str]]
"""Format -> its renderer, and the file that it goes to where nobody names one."""

RunReports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT[=PATH]",
        help="Also write html, markdown, junit, json, sarif or openmetrics; repeatable; `-` is standard output; "
        "a path alone is that of the page.",
    ),
]


def run_report_files(wanted: Sequence[str] | None) -> dict[str, str]:
    """Read the `--report` options of a run; the page of a run needs none of them, a path alone moves it.

    Raises:
        UsageError: a format is unknown, or two go to one place.
    """
    from sloproof.report.run_formats import FORMATS

    return report_files(wanted or (), FORMATS, page=True)


def report_files(wanted: Sequence[str], formats: Formats, *, page: bool = False) -> dict[str, str]:
    """Read `--report` options.

    Args:
        wanted: `FORMAT` or `FORMAT=PATH`; a format alone goes to a file of its own name in the working directory,
            and `-` is standard output.
        formats: what can be written.
        page: a path alone is that of the HTML page.

    Returns:
        Path -> format, in the order given.

    Raises:
        UsageError: a format is unknown, or two go to one place.
    """
    found: dict[str, str] = {}
    for text in wanted:
        form, given, path = text.partition("=")
        if page and not given and form not in formats and _is_path(text):
            form, given, path = "html", "=", text
        if form not in formats or (given and not path):
            raise UsageError(
                f"`{text}` is no report: the formats are {', '.join(f'`{name}`' for name in formats)}",
                hint="write `--report junit` or `--report junit=reports/gate.xml`",
            )
        place = path or formats[form][1]
        if place in found:
            raise UsageError(f"two reports go to `{place}`", hint="give each a path of its own")
        found[place] = form
    return found


def _is_path(text: str) -> bool:
    return "." in text or "/" in text


def check_places(files: Mapping[str, str]) -> None:
    """Try where reports will go, before anything is run.

    Raises:
        PartFailed: one could not be written there.
    """
    from sloproof.workspace.files import check_writable

    for place in files:
        if place != TO_STANDARD_OUTPUT:
            check_writable(Path(place))


def write_reports(told: Any, files: Mapping[str, str], formats: Formats) -> None:
    """Write a run or a gate in every format that was asked for, and say where.

    Args:
        told: what the formats' renderers take.
        files: path -> format.
        formats: what can be written.

    Raises:
        PartFailed: a report could not be written; those before it were.
    """
    from sloproof.workspace.files import write_file

    for place, form in files.items():
        text = formats[form][0](told)
        if place == TO_STANDARD_OUTPUT:
            console.data(text)
        else:
            write_file(Path(place), text)
            console.say(f"{form}: {place}")
