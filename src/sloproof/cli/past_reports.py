"""Reports of what is over, written again from what it left in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sloproof.cli.gate_records import read_records
from sloproof.cli.report_files import check_places, report_files, write_reports
from sloproof.errors import PartFailed

if TYPE_CHECKING:
    from sloproof.history import PastRun


def write_again(run: "PastRun", wanted: Sequence[str], root: Path) -> None:
    """Write a past run or gate in other formats.

    Args:
        run: as the history remembers it.
        wanted: as `--report` has them.
        root: the workspace.

    Raises:
        UsageError: a format is unknown, or its records are of another version.
        PartFailed: its records are gone.
    """
    from sloproof.report import gate_formats, run_formats

    gate = run.kind == "gate"
    formats: Any = gate_formats.FORMATS if gate else run_formats.FORMATS
    files = report_files(wanted, formats, page=True)
    check_places(files)
    write_reports(_records(run, root), files, formats)


def _records(run: "PastRun", root: Path) -> Any:
    from sloproof.report.json import read_json

    folder = root / run.folder
    try:
        if run.kind == "gate":
            return read_records(folder, root)
        return read_json((folder / "report.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise PartFailed(
            f"run `{run.id}` left no report that can be read: `{error.filename}`: {error.strerror}",
            hint=f"what the history itself remembers: `sloproof history show {run.id}`",
        ) from error
