"""The JSON Schemas of what is written as JSON, published in `docs/schemas`."""

import json
from typing import Any

from pydantic import BaseModel

from sloproof.report.gate_json import SCHEMA_VERSION as GATE_VERSION
from sloproof.report.model import SCHEMA_VERSION as RUN_VERSION
from sloproof.report.model import RunReport
from sloproof.verdict.gate_decision import GateDecision
from sloproof.verdict.judge import Verdict

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """File name -> JSON Schema; the number in a name is the `schema_version` that it describes."""
    return {
        f"run-report-{RUN_VERSION}.schema.json": _text(_run()),
        f"gate-decision-{GATE_VERSION}.schema.json": _text(_gate()),
    }


def _run() -> dict[str, Any]:
    return _open(RunReport, "A run of sloproof: a load, an experiment, a drill or the demo")


def _gate() -> dict[str, Any]:
    found = _open(GateDecision, "What a gate of sloproof decided")
    derived: dict[str, Any] = {
        "schema_version": {"const": GATE_VERSION},
        "verdict": {"enum": [verdict.value for verdict in Verdict]},
        "exit_code": {"type": "integer", "minimum": 0},
        "headline": {"type": "string"},
    }
    return {**found, "properties": {**derived, **found["properties"]}, "required": [*derived, *found["required"]]}


def _open(model: type[BaseModel], title: str) -> dict[str, Any]:
    """A model's schema, in which a later version of the same number may add fields."""
    found: dict[str, Any] = _without_lock(model.model_json_schema(mode="serialization"))
    return {"$schema": _DIALECT, **found, "title": title}


def _without_lock(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_lock(one) for one in part]
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if (key, value) != ("additionalProperties", False)}
        return {key: _without_lock(value) for key, value in kept.items()}
    return part


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
