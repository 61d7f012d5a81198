"""How problems are written for programs, and that every check is told and tested."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sloproof.checks.output import as_github, as_json, as_sarif
from sloproof.errors import Problem

ROOT = Path(__file__).parents[2]
WRONG = Problem(
    path="slo/a shop.py", line=14, name="latency", what="`1%, 2` is wrong", check="slo/wrong", hint="mend\nit: now"
)
UNWISE = Problem(path="slo/b.py", line=0, name="", what="it is unwise", check="slo/unwise", severity="warning")
NOWHERE = Problem(path="", line=0, name="", what="no place", check="slo/wrong")


def test_json_keeps_every_field() -> None:
    (wrong, unwise) = json.loads(as_json([WRONG, UNWISE]))["problems"]
    assert Problem(**wrong) == WRONG
    assert Problem(**unwise) == UNWISE


def test_github_annotations_escape_what_would_end_them() -> None:
    wrong, unwise, nowhere = as_github([WRONG, UNWISE, NOWHERE]).splitlines()
    assert wrong == (
        "::error file=slo/a shop.py,line=14,title=slo/wrong::latency: `1%25, 2` is wrong%0Ahint: mend%0Ait: now"
    )
    assert unwise == "::warning file=slo/b.py,title=slo/unwise::it is unwise"
    assert nowhere == "::error title=slo/wrong::no place"
    assert as_github([Problem(path="a,b:c%.py", line=1, name="", what="x", check="y/z")]).startswith(
        "::error file=a%2Cb%3Ac%25.py,line=1,"
    )
    assert as_github([]) == ""


@pytest.mark.parametrize("found", [[], [WRONG], [WRONG, UNWISE, NOWHERE, WRONG]])
def test_sarif_has_what_the_standard_requires(found: list[Problem]) -> None:
    log = json.loads(as_sarif(found, "1.2.3"))
    assert log["version"] == "2.1.0"  # 3.13.2
    assert log["$schema"].endswith("sarif-2.1.0.json")  # 3.13.3
    (run,) = log["runs"]
    driver = run["tool"]["driver"]  # 3.14.6, 3.18.2
    assert (driver["name"], driver["version"]) == ("sloproof", "1.2.3")  # 3.19.8, 3.19.13
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])  # 3.19.23: unique
    assert len(run["results"]) == len(found)
    for result, problem in zip(run["results"], found, strict=True):
        _is_result(result, driver["rules"], problem)


def _is_result(result: dict[str, Any], rules: list[dict[str, Any]], problem: Problem) -> None:
    assert result["message"]["text"]  # 3.27.11
    assert result["level"] == {"problem": "error", "warning": "warning"}[problem.severity]  # 3.27.10
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == problem.check  # 3.27.5, 3.27.6
    assert len(result["locations"]) == (1 if problem.path else 0)
    for location in result["locations"]:
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]  # 3.4.3: relative, and a valid URI
        assert not uri.startswith("/") and " " not in uri
        assert physical.get("region", {}).get("startLine", 1) >= 1  # 3.30.5
        assert ("region" in physical) is (problem.line > 0)


def check_ids() -> set[str]:
    """Every id that a check tells, spelled in its file."""
    pattern = re.compile(r'^[A-Z_]+ = "([a-z]+/[a-z-]+)"$', re.MULTILINE)
    files = (ROOT / "src/sloproof/checks").glob("*.py")
    return {found for file in files for found in pattern.findall(file.read_text(encoding="utf-8"))}


def loading_ids() -> set[str]:
    """Every id of a definition that does not load."""
    files = (ROOT / "src/sloproof/workspace").glob("*.py")
    return {f for file in files for f in re.findall(r'"(definition/[a-z-]+)"', file.read_text(encoding="utf-8"))}


def test_every_check_has_its_section_in_the_documentation() -> None:
    sections = re.findall(r"^## ([a-z]+/[a-z-]+)$", (ROOT / "docs/checks.md").read_text(encoding="utf-8"), re.M)
    assert len(check_ids()) > 20 and len(loading_ids()) > 5
    assert sorted(sections) == sorted(check_ids() | loading_ids())


def test_every_check_has_a_test_that_bears_its_name() -> None:
    files = [*(ROOT / "tests/unit").glob("test_checks_*.py"), ROOT / "tests/integration/test_checks_online.py"]
    named = "\n".join(file.read_text(encoding="utf-8") for file in files)
    missing = {one for one in check_ids() if f"def test_{re.sub('[/-]', '_', one)}" not in named}
    assert missing == set()
