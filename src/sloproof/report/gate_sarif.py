"""A gate's decision as SARIF, which code scanning shows at the gate's definition."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sloproof import __version__
from sloproof.checks.output import SARIF_SCHEMA, SARIF_VERSION
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict

_FIRST_LINE = 1
# SARIF has the kind `open` for what is undecided, but only with level `none`, which code scanning shows as nothing.
_KINDS = {Verdict.PASS: ("pass", "none"), Verdict.FAIL: ("fail", "error"), Verdict.UNDECIDED: ("fail", "warning")}


def render_sarif(decision: GateDecision) -> str:
    """Write a decision as one run in the Static Analysis Results Interchange Format, one result a finding.

    Args:
        decision: what the gate decided.

    Returns:
        The document: FAIL is an error, UNDECIDED a warning, PASS a result of kind `pass`.

    Source: OASIS, SARIF 2.1.0, sections 3.20 (invocation), 3.27.9 (kind) and 3.27.10 (level).
    """
    rules = list(dict.fromkeys(finding.requirement for finding in decision.findings))
    driver = {"name": "sloproof", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"sloproof/gate/{decision.gate}/"},
        "invocations": [_invocation(decision)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(decision, finding, rules) for finding in decision.findings],
        "properties": {"verdict": decision.verdict.value, "release": decision.release, "system": decision.system},
    }
    document = {"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _rule(requirement: str) -> dict[str, Any]:
    return {"id": _id(requirement), "shortDescription": {"text": requirement}}


def _id(requirement: str) -> str:
    return f"gate/{requirement.replace(' ', '-')}"


def _invocation(decision: GateDecision) -> dict[str, Any]:
    return {
        "executionSuccessful": not any(finding.code for finding in decision.findings),
        "exitCode": decision.exit_code,
        "startTimeUtc": _utc(decision.started_at),
        "endTimeUtc": _utc(decision.ended_at),
    }


def _result(decision: GateDecision, finding: GateFinding, rules: list[str]) -> dict[str, Any]:
    kind, level = _KINDS[finding.verdict]
    told = f"{finding.verdict.value}: {finding.expected}: {finding.observed}"
    told += f"\n{finding.evidence}" if finding.evidence else ""
    told += f"\nhint: {finding.hint}" if finding.hint else ""
    return {
        "ruleId": _id(finding.requirement),
        "ruleIndex": rules.index(finding.requirement),
        "kind": kind,
        "level": level,
        "message": {"text": told},
        "locations": [_location(decision)] if decision.path else [],
        "properties": {"verdict": finding.verdict.value, "exitCode": finding.exit_code},
    }


def _location(decision: GateDecision) -> dict[str, Any]:
    place = {"uri": quote(decision.path, errors="replace"), "uriBaseId": "%SRCROOT%"}
    region = {"startLine": max(decision.line, _FIRST_LINE)}
    return {"physicalLocation": {"artifactLocation": place, "region": region}}


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
