"""A run as JSON with a schema version, and back."""

import json

from pydantic import ValidationError

from sloproof.errors import UsageError
from sloproof.report.model import SCHEMA_VERSION, RunReport


def render_json(report: RunReport) -> str:
    """Write a run as JSON; derived figures such as `error_ratio` are written out for other readers.

    Args:
        report: the run.

    Returns:
        Indented JSON with a line end; `read_json` gives an equal report back.
    """
    return report.model_dump_json(indent=2) + "\n"


def read_json(text: str) -> RunReport:
    """Read what `render_json` wrote.

    Args:
        text: the JSON.

    Raises:
        UsageError: the text is no report, or one of another schema version.
    """
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"this is no report: {error.msg} at line {error.lineno}") from error
    version = given.get("schema_version") if isinstance(given, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"report schema `{version}` is not `{SCHEMA_VERSION}`",
            hint="read it with the version of sloproof that wrote it",
        )
    try:
        return RunReport.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"this report is damaged at `{place}`: {first['msg']}") from error
