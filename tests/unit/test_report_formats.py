"""A run in the formats that machines read: nothing green that did not pass, and foreign text stays text."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sloproof.cli.report_files import report_files
from sloproof.errors import UsageError
from sloproof.report.gate_json import render_json as render_gate_json
from sloproof.report.judged import of_run
from sloproof.report.junit import render_junit
from sloproof.report.model import FaultBar, RunReport
from sloproof.report.run_formats import FORMATS
from sloproof.report.run_openmetrics import render_openmetrics
from sloproof.report.sarif import render_sarif
from sloproof.report.schema import schemas
from sloproof.verdict.judge import Verdict
from tests.unit import gate_samples
from tests.unit.report_samples import START, crowded, empty, hostile, realistic

ALL = pytest.mark.parametrize("make", [realistic, empty, hostile, crowded])
PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u202e\ud800-\udfff]")


def cases(report: RunReport) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(render_junit(of_run(report))).iter("testcase"))


def samples(text: str) -> dict[str, list[Any]]:
    return {family.name: family.samples for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]


@ALL
@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_a_run_can_be_written_and_is_the_same_each_time(form: str, make: Callable[[], RunReport]) -> None:
    text = FORMATS[form][0](make())
    assert text.encode("utf-8")
    assert text == FORMATS[form][0](make())


def test_junit_has_a_case_for_each_expectation_by_phase() -> None:
    found = cases(realistic())
    assert len(found) == len(realistic().expectations)
    assert found[0].get("name") == "tasks/availability holds"
    assert str(found[0].get("classname")).endswith(".steady-load")
    assert not [case for case in found if list(case.iter("failure")) or list(case.iter("error"))]


@pytest.mark.parametrize("verdict", ["UNDECIDED", "FAIL"])
def test_a_run_whose_findings_passed_is_not_green_where_the_run_itself_is_not(verdict: Any) -> None:
    found = cases(realistic(verdict))
    problems = [one.get("type") for case in found for one in (*case.iter("failure"), *case.iter("error"))]
    assert problems == [{"FAIL": "fail", "UNDECIDED": "undecided"}[verdict]]


def test_a_run_of_which_nothing_was_expected_is_an_error_in_junit_and_a_warning_in_sarif() -> None:
    (case,) = cases(empty())
    assert [one.get("type") for one in case.iter("error")] == ["undecided"]
    (result,) = json.loads(render_sarif(of_run(empty())))["runs"][0]["results"]
    assert (result["kind"], result["level"]) == ("fail", "warning")


def test_a_fault_that_stays_is_a_failure_whatever_else_was_seen() -> None:
    left = FaultBar(label="kill a1", injected_at=START + 10)
    judged = of_run(realistic().model_copy(update={"faults": (left,)}))
    assert (judged.verdict, judged.exit_code) == (Verdict.FAIL, 7)
    assert [one.expected for one in judged.findings if one.verdict is Verdict.FAIL] == ["kill a1 is put back"]


def test_hostile_text_stays_text_in_junit_and_openmetrics() -> None:
    root = ElementTree.fromstring(render_junit(of_run(hostile())))
    told = "".join(root.itertext()) + "".join(value for one in root.iter() for value in one.attrib.values())
    assert "<svg onload=alert(1)>" in told
    assert not UNSAFE.search(told)
    metrics = render_openmetrics(hostile())
    assert metrics.endswith("# EOF\n") and metrics.count("# EOF") == 1
    assert {len(found) for found in samples(metrics).values()}


def test_openmetrics_tells_objectives_by_source_and_leaves_out_what_was_not_measured() -> None:
    found = samples(render_openmetrics(realistic()))
    (passed,) = found["sloproof_run_passed"]
    assert passed.value == 1
    ratios = {
        (one.labels["phase"], one.labels["slo"], one.labels["source"]): one.value
        for one in found["sloproof_objective_error_ratio"]
    }
    assert ratios["slow backend", "tasks/latency", "load generator"] == pytest.approx(523 / 2804)
    assert ratios["slow backend", "tasks/latency", "Prometheus"] == pytest.approx(519.7 / 2801)
    quantiles = {(one.labels["phase"], one.labels["quantile"]) for one in found["sloproof_latency_seconds"]}
    assert "# TYPE sloproof_latency_seconds summary" in render_openmetrics(realistic())  # no gauge has `quantile`
    assert quantiles == {("steady load", "0.5"), ("steady load", "0.99")}  # the third is not known
    after = {one.labels["change"]: one.value for one in found["sloproof_alert_after_seconds"]}
    assert after == {"firing": pytest.approx(32.2), "resolved": pytest.approx(4.8)}


@pytest.mark.parametrize("name", schemas())
def test_the_published_schemas_are_those_of_the_models(name: str) -> None:
    if os.environ.get("REGENERATE_GOLDEN"):
        PUBLISHED.mkdir(exist_ok=True)
        (PUBLISHED / name).write_text(schemas()[name], encoding="utf-8")
    assert (PUBLISHED / name).read_text(encoding="utf-8") == schemas()[name]


def test_no_other_schemas_are_published() -> None:
    assert {file.name for file in PUBLISHED.iterdir()} == set(schemas())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("run-report-1.schema.json", FORMATS["json"][0](make())) for make in (realistic, empty, hostile, crowded)),
        *(
            ("gate-decision-1.schema.json", render_gate_json(make()))
            for make in (gate_samples.mixed, gate_samples.passing, gate_samples.hostile)
        ),
    ],
)
def test_what_is_written_keeps_the_published_schema(name: str, text: str) -> None:
    schema = json.loads((PUBLISHED / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = json.loads(text)
    validator.validate(document)
    validator.validate({**document, "added_by_a_later_version": 1})
    for broken in ({"verdict": "GREEN"}, {"schema_version": 2}):
        assert not validator.is_valid({**document, **broken})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], {}),
        (["out/page.html"], {"out/page.html": "html"}),
        (["junit", "json=-"], {"report.junit.xml": "junit", "-": "json"}),
        (["html=a.html", "markdown=a.md"], {"a.html": "html", "a.md": "markdown"}),
    ],
)
def test_reports_of_a_run_are_asked_for_by_format_or_the_page_by_its_path(
    wanted: list[str], found: dict[str, str]
) -> None:
    assert report_files(wanted, FORMATS, page=True) == found


@pytest.mark.parametrize("wanted", [["htlm"], ["junit="], ["pdf=a.pdf"], ["a.html", "json=a.html"]])
def test_reports_that_nobody_can_write_are_refused(wanted: list[str]) -> None:
    with pytest.raises(UsageError):
        report_files(wanted, FORMATS, page=True)
