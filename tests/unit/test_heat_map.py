"""Gates by release: the newest decision counts, what was not decided is no colour, and foreign text stays text."""

from pathlib import Path

from sloproof.history import History, PastFinding, PastRun
from sloproof.report.heat_map_html import render_html
from sloproof.report.heat_map_text import render_lines
from sloproof.verdict.heat_map import HeatMap, PastDecision, heat_map
from sloproof.verdict.judge import Verdict
from tests.unit.gate_samples import HOSTILE

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.UNDECIDED


def decided(release: str, at: float, verdict: Verdict, *parts: tuple[str, Verdict], gate: str = "go") -> PastDecision:
    return PastDecision(gate, "tasks", release, at, int(at), verdict, "one sentence.", parts)


def shown(found: HeatMap) -> dict[str, list[str]]:
    return {row.label: [cell.verdict.value if cell else "-" for cell in row.cells] for row in found.rows}


def test_the_newest_release_comes_first_and_its_newest_decision_counts() -> None:
    found = heat_map(
        [
            decided("1.1", 30, PASS, ("load", PASS)),
            decided("1.0", 10, PASS, ("load", PASS), ("budget", PASS)),
            decided("1.1", 20, FAIL, ("load", FAIL)),
            decided("1.0", 40, OPEN, ("load", OPEN)),  # judged again later: its column stays where it began
        ],
        most=10,
    )
    assert found.releases == ("1.1", "1.0")
    assert shown(found) == {
        "go of tasks": ["PASS", "UNDECIDED"], "load": ["PASS", "UNDECIDED"], "budget": ["-", "PASS"]
    }  # fmt: skip
    newest = found.rows[0].cells[0]
    assert newest is not None and newest.earlier == (FAIL,)


def test_a_requirement_is_as_bad_as_its_worst_finding() -> None:
    found = heat_map([decided("1", 1, FAIL, ("load", PASS), ("load", FAIL), ("load", OPEN))], most=1)
    assert shown(found)["load"] == ["FAIL"]


def test_a_gate_that_did_not_decide_a_release_has_an_empty_cell() -> None:
    found = heat_map([decided("1", 1, PASS), decided("2", 2, PASS, gate="canary")], most=5)
    assert shown(found) == {"canary of tasks": ["PASS", "-"], "go of tasks": ["-", "PASS"]}
    page = render_html(found)
    assert page.count("not decided</span></td>") == 2
    assert [line.plain for line in render_lines(found)][1:3] == ["canary of tasks  P  .", "go of tasks      .  P"]


def test_older_releases_are_left_out_and_counted() -> None:
    found = heat_map([decided(str(n), n, PASS) for n in range(7)], most=3)
    assert (found.releases, found.left_out) == (("6", "5", "4"), 4)
    assert "4 older releases are left out" in render_html(found)
    assert "4 older left out" in [line.plain for line in render_lines(found)]


def test_a_gate_of_which_nobody_said_what_it_judged_has_a_column_of_its_own() -> None:
    assert heat_map([decided("", 1, PASS)], most=3).releases == ("unknown",)


def test_no_gates_say_so() -> None:
    assert "No gate has been decided yet" in render_html(heat_map([], 3))
    assert [line.plain for line in render_lines(heat_map([], 3))] == ["no gate has been decided yet"]


def test_hostile_names_stay_text() -> None:
    hostile = PastDecision(HOSTILE, HOSTILE, HOSTILE, 1.0, 1, FAIL, HOSTILE, ((HOSTILE, FAIL),))
    page = render_html(heat_map([hostile], 3))
    assert "<script" not in page and "<svg" not in page and "<img" not in page
    assert "&lt;script&gt;document.title=" in page
    for line in render_lines(heat_map([hostile], 3)):
        assert line.plain.isprintable()


def test_lines_stay_within_eighty_columns() -> None:
    found = heat_map([decided(f"1.{n}", n, PASS, ("survives-" + "x" * 60, PASS)) for n in range(40)], most=15)
    assert max(len(line.plain) for line in render_lines(found)) <= 80


def test_what_gates_found_is_kept_in_the_history(tmp_path: Path) -> None:
    findings = (
        PastFinding(requirement="load", expected="it holds", observed="it does", verdict=PASS),
        PastFinding(requirement="budget", expected="20 % is left", observed="0 %", verdict=FAIL),
    )
    run = PastRun(
        kind="gate", name="go", system="tasks", started_at=1, ended_at=2, verdict=FAIL, exit_code=1, release="1.0",
        notes=("1 of 2 findings passed.",), findings=findings,
    )  # fmt: skip
    with History.open(tmp_path / "history.db") as history:
        history.record(run)
        history.record(run.model_copy(update={"kind": "load"}))
        (found,) = history.decisions()
        assert history.decisions(gate="other") == []
    assert found == PastDecision(
        "go", "tasks", "1.0", 2, 1, FAIL, "1 of 2 findings passed.", (("load", PASS), ("budget", FAIL))
    )


def test_gates_of_an_earlier_version_have_no_requirements() -> None:
    run = PastRun(kind="gate", name="go", system="t", started_at=1, ended_at=2, verdict=PASS, exit_code=0)
    written = run.model_dump_json(exclude={"findings"})
    assert "findings" not in written
    assert PastRun.model_validate_json(written).findings == ()
