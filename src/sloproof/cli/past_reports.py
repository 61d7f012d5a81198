"""Reports of what is over, written again from what it left in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.gate_records import JSON
from sloproof.cli.report_files import check_places, report_files, write_reports
from sloproof.errors import PartFailed

if TYPE_CHECKING:
    from sloproof.history import PastRun


def write_again(run: "PastRun", wanted: Sequence[str]) -> None:
    """Write a past run or gate in other formats.

    Args:
        run: as the history remembers it.
        wanted: as `--report` has them.

    Raises:
        UsageError: a format is unknown, or its records are of another version.
        PartFailed: its records are gone.
    """
    from sloproof.report import gate_formats, run_formats
    from sloproof.report.gate_json import read_json as read_decision
    from sloproof.report.gate_report import GateReport
    from sloproof.report.json import read_json

    formats = gate_formats.FORMATS if run.kind == "gate" else run_formats.FORMATS
    files = report_files(wanted, formats, page=True)
    check_places(files)
    if run.kind == "gate":
        write_reports(GateReport(decision=read_decision(_text(run, JSON))), files, formats)
    else:
        write_reports(read_json(_text(run, "report.json")), files, formats)


def _text(run: "PastRun", name: str) -> str:
    file = Path(run.folder) / name
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise PartFailed(
            f"run `{run.id}` left no report: `{file}` cannot be read: {error.strerror}",
            hint=f"what the history itself remembers: `sloproof history show {run.id}`",
        ) from error
