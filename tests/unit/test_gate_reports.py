"""A gate's decision in each of its forms: one model, nothing green that did not pass, and foreign text stays text."""

import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rich.console import Console

from sloproof.errors import PartFailed
from sloproof.report.gate_formats import FORMATS
from sloproof.report.gate_html import render_html
from sloproof.report.gate_json import read_json, render_json
from sloproof.report.gate_openmetrics import render_openmetrics
from sloproof.report.gate_report import GateReport
from sloproof.report.gate_text import render_markdown, render_plain, render_terminal, shortened
from sloproof.report.judged import of_gate
from sloproof.report.junit import render_junit
from sloproof.report.sarif import render_sarif
from sloproof.verdict.gate_decision import GateDecision
from tests.unit.gate_samples import HOSTILE, decision, hostile, hostile_report, mixed, passing, told

ALL = pytest.mark.parametrize("make", [mixed, passing, hostile])
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u202e\ud800-\udfff]")


def samples(text: str) -> dict[str, list[Any]]:
    return {family.name: family.samples for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]


@ALL
@pytest.mark.parametrize("form", FORMATS)
def test_every_form_can_be_written_to_a_file_and_is_the_same_each_time(
    form: str, make: Callable[[], GateDecision]
) -> None:
    text = FORMATS[form][0](told(make()))
    assert text.encode("utf-8")
    assert text == FORMATS[form][0](told(make()))


def test_junit_has_no_skipped_case_and_what_is_undecided_is_an_error() -> None:
    root = ElementTree.fromstring(render_junit(of_gate(mixed())))
    suite = root.find("testsuite")
    assert suite is not None
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "2", "skipped": "0"
    }  # fmt: skip
    cases = suite.findall("testcase")
    assert len(cases) == 5
    assert [one.get("type") for case in cases for one in (*case.findall("failure"), *case.findall("error"))] == [
        "fail", "undecided", "undecided"
    ]  # fmt: skip
    assert not list(root.iter("skipped"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == 5


def test_junit_of_hostile_names_is_xml_and_keeps_the_text() -> None:
    root = ElementTree.fromstring(render_junit(of_gate(hostile())))
    told = "".join(root.itertext()) + "".join(value for one in root.iter() for value in one.attrib.values())
    assert "<svg onload=alert(1)> ]]>" in told
    assert not UNSAFE.search(told)
    assert {one.tag for one in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error"
    }  # fmt: skip


@ALL
def test_json_reads_back_what_it_wrote(make: Callable[[], GateDecision]) -> None:
    assert read_json(render_json(make())) == make()


def test_json_tells_verdict_and_exit_code_beside_the_findings() -> None:
    told = json.loads(render_json(mixed()))
    assert (told["schema_version"], told["verdict"], told["exit_code"], len(told["findings"])) == (1, "FAIL", 1, 5)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict": "PASS"}', "nan"])
def test_what_is_no_decision_is_refused(text: str) -> None:
    with pytest.raises(PartFailed):
        read_json(text)


def test_sarif_has_what_its_schema_asks_for() -> None:
    document = json.loads(render_sarif(of_gate(mixed())))
    assert (document["version"], document["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 4
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] in ("pass", "fail")
        assert (result["level"] == "none") == (result["kind"] != "fail")  # 3.27.10: another kind has no level
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "loadtests/gates.py"
        assert location["physicalLocation"]["region"]["startLine"] == 7
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == 1
    assert invocation["executionSuccessful"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", invocation["startTimeUtc"])


def test_sarif_shows_what_is_undecided_as_a_warning_not_as_nothing() -> None:
    results = json.loads(render_sarif(of_gate(mixed())))["runs"][0]["results"]
    levels = {one["properties"]["verdict"]: (one["kind"], one["level"]) for one in results}
    assert levels == {"PASS": ("pass", "none"), "FAIL": ("fail", "error"), "UNDECIDED": ("fail", "warning")}


def test_sarif_without_a_place_names_none() -> None:
    results = json.loads(render_sarif(of_gate(decision(*mixed().findings, path="", line=0))))["runs"][0]["results"]
    assert all(one["locations"] == [] for one in results)


@ALL
def test_openmetrics_is_read_by_a_strict_parser(make: Callable[[], GateDecision]) -> None:
    text = render_openmetrics(make())
    assert text.endswith("\n# EOF\n")
    found = samples(text)
    (passed,) = found["sloproof_gate_passed"]
    assert passed.value == (1 if make().verdict == "PASS" else 0)
    assert sum(one.value for one in found["sloproof_gate_findings"]) == len(make().findings)
    assert {one.labels["verdict"] for one in found["sloproof_gate_findings"]} == {"PASS", "FAIL", "UNDECIDED"}


def test_openmetrics_can_be_compared_between_releases() -> None:
    def series(release: str) -> set[str]:
        text = render_openmetrics(decision(*mixed().findings, release=release))
        return {line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")}

    assert series("1") == series("2")


def test_a_hostile_name_adds_no_metric() -> None:
    found = samples(render_openmetrics(hostile()))
    assert [one.value for one in found["sloproof_gate_passed"]] == [0]


@ALL
def test_markdown_shows_every_finding_and_no_foreign_markup(make: Callable[[], GateDecision]) -> None:
    text = render_markdown(make())
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == len(make().findings) + 2
    assert {row.count(" | ") for row in rows} == {4}
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child.type for token in tokens for child in token.children or ()]
    assert not set(inline) & {"link_open", "image", "html_inline", "code_inline"}
    assert not [token for token in tokens if token.type == "html_block"]


def test_a_summary_is_cut_after_a_line_and_says_so() -> None:
    text = render_markdown(mixed())
    cut = shortened(text, 600)
    assert len(cut.encode()) <= 600
    assert "left out" in cut
    assert shortened(text, len(text.encode())) == text


@ALL
@pytest.mark.parametrize("width", [80, 40])
def test_plain_lines_keep_to_the_width_and_hold_no_control_character(
    make: Callable[[], GateDecision], width: int
) -> None:
    text = render_plain(make(), width)
    assert max(map(len, text.splitlines())) <= width
    assert not UNSAFE.search(text)
    assert f"\n{make().verdict.value} " in text


@ALL
def test_a_terminal_of_80_columns_is_enough(make: Callable[[], GateDecision]) -> None:
    console = Console(width=80, file=io.StringIO(), record=True, color_system=None, legacy_windows=False)
    console.print(render_terminal(make()))
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 80
    assert make().verdict.value in shown
    assert not UNSAFE.search(shown)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@ALL
def test_the_page_loads_nothing_and_runs_nothing(make: Callable[[], GateDecision]) -> None:
    text = render_html(told(make()))
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")]
        assert attributes.get("href", "#").startswith("#")
    policy = next(one["content"] for _, one in page.tags if "http-equiv" in one)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not UNSAFE.search(text.replace("\n", ""))


def test_the_page_tells_every_run_that_the_gate_was_decided_by_and_no_name_twice() -> None:
    page = Page(render_html(told(mixed())))
    identities = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    assert {"run-1-timeline", "run-1-objectives", "run-2-generator", "repeat"} <= set(identities)
    targets = {attributes["href"][1:] for _, attributes in page.tags if "href" in attributes}
    targets |= {name for _, attributes in page.tags for name in attributes.get("aria-labelledby", "").split()}
    targets |= {name for _, attributes in page.tags for name in attributes.get("aria-describedby", "").split()}
    assert targets <= set(identities)
    patterns = {attributes["fill"][5:-1] for _, attributes in page.tags if attributes.get("fill", "")[:4] == "url("}
    assert patterns <= set(identities)


def test_hostile_text_adds_no_element_to_the_page() -> None:
    plain = decision(*(one.model_copy(update={"code": 0}) for one in hostile().findings), path="x")
    renamed = {"requirement": "r", "expected": "e", "observed": "o", "evidence": "v", "hint": "h"}
    plain = plain.model_copy(update={"findings": tuple(one.model_copy(update=renamed) for one in plain.findings)})
    shape = [tag for tag, _ in Page(render_html(GateReport(decision=plain))).tags]
    found = [tag for tag, _ in Page(render_html(GateReport(decision=hostile()))).tags if tag != "code"]
    assert found == shape
    assert HOSTILE not in render_html(hostile_report())
