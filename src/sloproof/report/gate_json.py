"""A gate's decision as JSON, for programs and for the gate's own HTTP service."""

import json
from typing import Any

from pydantic import ValidationError

from sloproof.definition import in_a_line
from sloproof.errors import PartFailed
from sloproof.verdict.gate_decision import GateDecision

SCHEMA_VERSION = 1
_DERIVED = ("schema_version", "verdict", "exit_code", "headline")


def document(decision: GateDecision) -> dict[str, Any]:
    """The decision as plain values; times are epoch seconds.

    Args:
        decision: what the gate decided.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": decision.verdict.value,
        "exit_code": decision.exit_code,
        "headline": decision.headline,
        **decision.model_dump(mode="json"),
    }


def render_json(decision: GateDecision) -> str:
    """Write a decision as JSON; `read_json` gives an equal one back."""
    return json.dumps(document(decision), indent=2) + "\n"


def read_json(text: str) -> GateDecision:
    """Read what `render_json` wrote.

    Raises:
        PartFailed: the text is no decision.
    """
    try:
        given = json.loads(text)
        return GateDecision.model_validate({key: value for key, value in given.items() if key not in _DERIVED})
    except (ValueError, AttributeError, ValidationError) as error:
        raise PartFailed(f"this is no gate's decision: {in_a_line(error)}") from error
