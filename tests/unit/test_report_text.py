"""Markdown and terminal text: every table is there, and foreign text stays text."""

import io
import re

import pytest
from markdown_it import MarkdownIt
from rich.console import Console, RenderableType

from sloproof.report.html import render_html
from sloproof.report.json import render_json
from sloproof.report.load_rows import QuantileRow
from sloproof.report.markdown import code, escaped, render_markdown
from sloproof.report.model import RunReport
from sloproof.report.terminal import expectation_table, render_plain, render_terminal
from tests.unit.report_samples import empty, hostile, realistic


def _shown(renderable: RenderableType, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), record=True, color_system=None, legacy_windows=False)
    console.print(renderable)
    return console.export_text()


def test_markdown_says_the_verdict_first_and_every_table() -> None:
    text = render_markdown(realistic("FAIL"))
    assert text.startswith("# FAIL: Demo: the tasks system under load and faults\n")
    for heading in ("Expected and observed", "Objectives", "Alerts", "Faults", "Load generator"):
        assert f"\n## {heading}\n" in text
    assert "| 32 s after the fault (promised 30-35 s: in time) |" in text
    assert "`sloproof demo --seed 7`" in text


def test_every_markdown_row_has_the_cells_of_its_head() -> None:
    text = render_markdown(hostile())
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert tables
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_hostile_text_makes_no_markup_in_markdown() -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(render_markdown(hostile()))
    inline = [child for token in tokens for child in (token.children or [])]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "em_open", "strong_open", "fence"}
    assert len([token for token in tokens if token.type == "heading_open" and token.tag == "h1"]) == 1
    shown = "".join(child.content for child in inline if child.type == "text")
    assert "<script>document.title='owned'</script>" in shown
    assert "@user" in shown
    assert "@user" not in render_markdown(hostile()).replace("` ", "").split("## Repeat it")[0]


def test_markdown_escapes() -> None:
    assert escaped("a|b_c <x> @me") == "a&#124;b\\_c &lt;x&gt; &#64;me"
    assert code("x ``y`` `z`") == "``` x ``y`` `z` ```"


def test_an_empty_run_is_told_in_sentences() -> None:
    text = render_markdown(empty())
    assert "Nothing was expected of this run." in text
    assert "|" not in text
    assert render_plain(empty()).startswith("Nothing was expected of this run.\nUNDECIDED  Gate")
    assert "Nothing was expected" in _shown(expectation_table(empty()))


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_expected_against_observed(width: int) -> None:
    shown = _shown(render_terminal(realistic()), width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "✗ (FAIL)" in shown
    assert "? UNDECIDED" in shown
    assert shown.rindex("✓ PASS Demo: the tasks system") > shown.index("Objectives")


def test_the_terminal_interprets_no_foreign_markup() -> None:
    shown = _shown(render_terminal(hostile()), 200)
    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("width", [10, 60, 80])
def test_plain_lines_stay_within_their_width(width: int) -> None:
    lines = render_plain(realistic(), width).splitlines()
    assert max(map(len, lines)) <= max(width, 40)
    assert lines[0] == "phase: steady load"
    assert lines[1].startswith("PASS       expected: ")
    assert not any("\x1b" in line for line in lines)


def test_plain_lines_have_a_heading_for_each_phase_and_no_entry_twice() -> None:
    phases = ("steady load", "lose one instance", "slow backend")
    lines = render_plain(realistic()).splitlines()
    start = lines.index("objectives")
    for part in (lines[:start], lines[start : lines.index("load")]):
        assert [line for line in part if line.startswith("phase: ")] == [f"phase: {phase}" for phase in phases]


def test_plain_lines_tell_each_objective_by_both_sources() -> None:
    lines = render_plain(realistic(), 200).splitlines()
    told = [line.strip() for line in lines[lines.index("objectives") :]]
    first = told.index("(FAIL)     tasks/latency 95 %")
    assert told[first + 1 : first + 5] == [
        "load generator: 18.7 %, 523 bad of 2,804; at least 17 %, at most 20.4 %",
        "Prometheus: 18.6 %, 519.7 bad of 2,801; difference: -0.0978 points",
        "budget spent: 0.012 % of 30d",
        "not expected to hold here",
    ]


def test_the_terminal_shows_bounds_and_the_budget_that_was_spent() -> None:
    shown = _shown(render_terminal(realistic()), 200)
    assert "at least 17 %, at most 20.4 %" in shown
    assert "Budget spent" in shown
    assert "✗ (FAIL)" in shown


def test_bounds_stand_beside_the_counts_that_they_are_of() -> None:
    shown = " ".join(render_plain(realistic(), 200).split())
    assert "judged, without the warm-up: 0.0831 %, 1 bad of 1,204; at least 0.003 %, at most 0.46 %" in shown
    assert "load generator, with it: 0.0623 %, 1 bad of 1,604 Prometheus:" in shown
    for told in (render_markdown(realistic()), _shown(render_terminal(realistic()), 250)):
        assert "0.0831 %, 1 bad of 1,204; at least 0.003 %" in told or "1 bad of 1,204 (0.003 % to 0.46 %)" in told
    judged = re.search(r'data-label="Judged">(.*?1,204.*?)</td>', render_html(realistic()))
    assert judged is not None and "bounds 0.003 % to 0.46 %" in re.sub(r"<[^>]+>", "", judged[1])


@pytest.mark.parametrize("width", range(30, 80, 3))
def test_no_line_begins_with_the_unit_of_the_line_before(width: int) -> None:
    lines = render_plain(realistic(), width).splitlines()
    assert not [line for line in lines if line.split()[:1] in (["%"], ["%,"], ["%;"], ["ms"], ["s"], ["ms,"])]


def test_plain_lines_let_no_escape_through() -> None:
    assert "\x1b" not in render_plain(hostile())


def test_plain_lines_tell_the_latency_and_the_earlier_run() -> None:
    shown = " ".join(render_plain(realistic(), 200).split())
    assert "p50 in steady load: 42.1 ms, at least 40.3 ms, at most 44 ms" in shown
    assert "p99 in lose one instance: not known, at least 1.65 s" in shown
    assert "at most no data" not in shown
    assert "Compared with run 12 (2026-11-01 10:00 UTC, release 1.4) PASS p95 is slower by 2 % (1 % to 3 %)" in shown


def test_a_quantile_without_an_upper_bound_says_what_one_takes() -> None:
    short = QuantileRow(phase="steady", q=0.99, value=12.5)
    shown = " ".join(render_plain(realistic().model_copy(update={"latency": (short,)}), 200).split())
    assert "p99 in steady: 12.5 ms an upper bound takes at least 10 s and 299 requests for p99, and more where" in shown
    known = short.model_copy(update={"upper": 14.0})
    assert "upper bound takes" not in render_plain(realistic().model_copy(update={"latency": (known,)}), 200)


def test_a_figure_without_a_limit_has_no_verdict() -> None:
    lines = render_plain(realistic(), 200).splitlines()
    told = next(line for line in lines if "no change of p50" in line)
    assert "UNDECIDED" not in told
    assert "UNDECIDED" not in next(line for line in render_markdown(realistic()).splitlines() if "p50 seen" in line)


def test_a_run_without_an_earlier_one_says_nothing_of_it_in_a_terminal() -> None:
    alone = realistic().model_copy(update={"compared_with": "", "comparisons": ()})
    assert "Compared" not in render_plain(alone, 200)


def test_every_format_tells_the_figures_of_each_phase_of_the_load() -> None:
    report = realistic()
    plain = render_plain(report, 120)
    assert "spike: 9,000 requests in 20 s, 450/s; p50 6 ms, p95 48 ms, p99 1.24 s; 1 % failed" in plain
    assert "silence: no requests in 5 s\n" in plain
    for text in (render_markdown(report), render_html(report), _shown(render_terminal(report), 160)):
        assert "spike (steady load)" in text
        assert "1.24 s" in text
    assert RunReport.model_validate_json(render_json(report)).load == report.load


def test_a_run_without_phases_shows_no_empty_load() -> None:
    report = realistic().model_copy(update={"load": ()})
    assert "\nload\n" not in render_plain(report)
    assert 'id="load"' not in render_html(report)
