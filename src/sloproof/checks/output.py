"""Problems as other programs read them: JSON, SARIF for code scanning, and annotations of GitHub Actions."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sloproof.errors import Problem

SARIF_VERSION = "2.1.0"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
DOCUMENT = "docs/checks.md"
"""Where each check has a section named for its id."""

_LEVELS = {"problem": "error", "warning": "warning"}


def as_json(found: Sequence[Problem]) -> str:
    """A JSON document: `problems`, each with its path, line, name, what, check, hint and severity.

    Args:
        found: in the order they are written.
    """
    fields = ("severity", "check", "path", "line", "name", "what", "hint")
    return _document({"problems": [{field: getattr(problem, field) for field in fields} for problem in found]})


def as_sarif(found: Sequence[Problem], version: str) -> str:
    """One run in the Static Analysis Results Interchange Format, which code scanning shows at the line.

    Args:
        found: in the order they are written.
        version: of sloproof.

    Source: OASIS, SARIF 2.1.0, sections 3.13 (file), 3.14 (run), 3.19 (driver), 3.27 (result), 3.30 (region).
    """
    checks = sorted({problem.check for problem in found})
    driver = {"name": "sloproof", "version": version, "rules": [_rule(check) for check in checks]}
    results = [_result(problem, checks.index(problem.check)) for problem in found]
    # Columns are never given; the kind is said because readers count them differently by default.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _document({"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]})


def as_github(found: Sequence[Problem]) -> str:
    """One workflow command a problem, which GitHub Actions shows at the line of a pull request.

    Args:
        found: in the order they are written.

    Returns:
        Lines; an empty text for no problems.

    Source: docs.github.com, "Workflow commands for GitHub Actions", and the escaping of actions/toolkit.
    """
    return "".join(f"{_command(problem)}\n" for problem in found)


def _rule(check: str) -> dict[str, Any]:
    anchor = check.replace("/", "")
    text = f"{DOCUMENT}#{anchor} says what it means and what to do"
    return {"id": check, "shortDescription": {"text": check}, "fullDescription": {"text": text}, "help": {"text": text}}


def _result(problem: Problem, index: int) -> dict[str, Any]:
    location = [{"physicalLocation": _physical(problem)}] if problem.path else []
    return {
        "ruleId": problem.check,
        "ruleIndex": index,
        "level": _LEVELS[problem.severity],
        "message": {"text": _sentence(problem)},
        "locations": location,
    }


def _physical(problem: Problem) -> dict[str, Any]:
    region = {"region": {"startLine": problem.line}} if problem.line else {}
    return {"artifactLocation": {"uri": quote(problem.path), "uriBaseId": "%SRCROOT%"}, **region}


def _sentence(problem: Problem) -> str:
    what = f"{problem.name}: {problem.what}" if problem.name else problem.what
    return f"{what}\nhint: {problem.hint}" if problem.hint else what


def _command(problem: Problem) -> str:
    properties = {"file": problem.path, "line": str(problem.line) if problem.line else "", "title": problem.check}
    given = ",".join(f"{name}={_escaped_property(value)}" for name, value in properties.items() if value)
    return f"::{_LEVELS[problem.severity]} {given}::{_escaped(_sentence(problem))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _document(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
