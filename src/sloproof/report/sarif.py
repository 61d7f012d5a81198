"""A run or a gate as SARIF, which code scanning shows at the definition."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sloproof import __version__
from sloproof.checks.output import SARIF_SCHEMA, SARIF_VERSION
from sloproof.report.judged import Judged, JudgedFinding
from sloproof.verdict.judge import Verdict

_FIRST_LINE = 1
# SARIF has the kind `open` for what is undecided, but only with level `none`, which code scanning shows as nothing.
_KINDS = {Verdict.PASS: ("pass", "none"), Verdict.FAIL: ("fail", "error"), Verdict.UNDECIDED: ("fail", "warning")}


def render_sarif(judged: Judged) -> str:
    """Write findings as one run in the Static Analysis Results Interchange Format, one result a finding.

    Args:
        judged: a run or a gate.

    Returns:
        The document: FAIL is an error, UNDECIDED a warning, PASS a result of kind `pass`.

    Source: OASIS, SARIF 2.1.0, sections 3.20 (invocation), 3.27.9 (kind) and 3.27.10 (level).
    """
    rules = list(dict.fromkeys(finding.group for finding in judged.findings))
    driver = {"name": "sloproof", "version": __version__, "rules": [_rule(judged.kind, rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"sloproof/{judged.kind}/{judged.name}/"},
        "invocations": [_invocation(judged)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(judged, finding, rules) for finding in judged.findings],
        "properties": {"verdict": judged.verdict.value, "release": judged.release, "system": judged.system},
    }
    document = {"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _rule(kind: str, group: str) -> dict[str, Any]:
    return {"id": _id(kind, group), "shortDescription": {"text": group}}


def _id(kind: str, group: str) -> str:
    return f"{kind}/{group.replace(' ', '-')}"


def _invocation(judged: Judged) -> dict[str, Any]:
    return {
        "executionSuccessful": not any(finding.failed_part for finding in judged.findings),
        "exitCode": judged.exit_code,
        "startTimeUtc": _utc(judged.started_at),
        "endTimeUtc": _utc(judged.ended_at),
    }


def _result(judged: Judged, finding: JudgedFinding, rules: list[str]) -> dict[str, Any]:
    kind, level = _KINDS[finding.verdict]
    told = f"{finding.verdict.value}: {finding.expected}: {finding.observed}"
    told += f"\n{finding.evidence}" if finding.evidence else ""
    told += f"\nhint: {finding.hint}" if finding.hint else ""
    return {
        "ruleId": _id(judged.kind, finding.group),
        "ruleIndex": rules.index(finding.group),
        "kind": kind,
        "level": level,
        "message": {"text": told},
        "locations": [_location(judged)] if judged.path else [],
        "properties": {"verdict": finding.verdict.value, "exitCode": finding.exit_code},
    }


def _location(judged: Judged) -> dict[str, Any]:
    place = {"uri": quote(judged.path, errors="replace"), "uriBaseId": "%SRCROOT%"}
    region = {"startLine": max(judged.line, _FIRST_LINE)}
    return {"physicalLocation": {"artifactLocation": place, "region": region}}


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
