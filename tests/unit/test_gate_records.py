"""What a gate leaves in its folder tells the whole of it again, and what is gone is left out."""

from pathlib import Path

import pytest

from sloproof.cli.gate_records import BESIDE, JSON, PAGE, gate_report, keep_records, read_records
from sloproof.cli.past_reports import write_again
from sloproof.errors import PartFailed, UsageError
from sloproof.history import PastRun
from sloproof.report.json import render_json
from sloproof.verdict.judge import Verdict
from tests.unit.gate_samples import mixed
from tests.unit.report_samples import realistic

FOLDERS = [".sloproof/runs/1-steady", ".sloproof/runs/2-gone"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / FOLDERS[0]).mkdir(parents=True)
    (tmp_path / FOLDERS[0] / "report.json").write_text(render_json(realistic()), encoding="utf-8")
    return tmp_path


def past(folder: Path, kind: str = "gate") -> PastRun:
    return PastRun(
        id=7, kind=kind, name="release", system="tasks", started_at=1, ended_at=2, verdict=Verdict.FAIL, exit_code=1,
        folder=str(folder),
    )  # fmt: skip


def test_a_gate_reads_back_from_its_folder_with_the_runs_that_are_still_there(root: Path) -> None:
    told = gate_report(mixed(), FOLDERS, root)
    assert told.runs == (realistic(),)
    assert told.command == "sloproof gate release --release 1.4.2"
    folder = keep_records(told, root / "gate", FOLDERS)
    assert {file.name for file in folder.iterdir()} == {PAGE, JSON, BESIDE}
    assert read_records(folder, root) == told


def test_a_decision_alone_is_enough(root: Path) -> None:
    folder = keep_records(gate_report(mixed(), FOLDERS, root), root / "gate", FOLDERS)
    for damage in ("", "[]", "{}", "not JSON"):
        (folder / BESIDE).write_text(damage)
        found = read_records(folder, root)
        assert (found.decision, found.runs) == (mixed(), ())


def test_records_that_cannot_be_written_take_no_verdict_away(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "file").write_text("")
    keep_records(gate_report(mixed(), (), root), root / "file" / "gate")
    assert "this gate left no records" in " ".join(capsys.readouterr().err.split())


def test_a_past_gate_and_a_past_run_are_written_again(root: Path) -> None:
    folder = keep_records(gate_report(mixed(), FOLDERS, root), root / "gate", FOLDERS)
    write_again(past(folder), [f"html={root / 'g.html'}", f"junit={root / 'g.xml'}"], root)
    assert (root / "g.html").read_text(encoding="utf-8") == (folder / PAGE).read_text(encoding="utf-8")
    write_again(past(root / FOLDERS[0], "load"), [f"openmetrics={root / 'r.txt'}"], root)
    assert "sloproof_run_passed" in (root / "r.txt").read_text(encoding="utf-8")


def test_records_that_are_gone_or_formats_that_are_none_are_told(root: Path) -> None:
    with pytest.raises(PartFailed, match="run `7` left no report that can be read"):
        write_again(past(root / "nowhere"), [f"json={root / 'a.json'}"], root)
    with pytest.raises(UsageError, match="`pdf` is no report"):
        write_again(past(root / "nowhere"), ["pdf"], root)
