"""The workspace's settings: `[tool.sloproof]` of the nearest `pyproject.toml`."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import Any, Self

from pydantic import ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator

from sloproof.alerts import Links, Timing
from sloproof.chaos.safety import Safety
from sloproof.definition import Definition, Length, format_duration
from sloproof.errors import DefinitionError, UsageError
from sloproof.workspace.validation import problems_of

SETTINGS_FILE = "pyproject.toml"
STATE_FOLDER = ".sloproof"


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class Settings(Definition):
    """What a workspace may set; every key is optional.

    Args:
        runbook_url: where alerts find their page; `{alert}` becomes the alert's name.
        dashboard_url: where alerts find their dashboard; `{uid}` becomes its uid.
        prometheus_url: Prometheus as people reach it from a browser; dashboards link there. Empty for none.
        targets: hosts (`host` or `host:port`) besides loopback that load and faults may reach.
        scrape_interval: of the Prometheus that will run the rules.
        evaluation_interval: of the paging rules.
        safety: what chaos runs may do, and when; the table `[tool.sloproof.safety]`.
        grafana_url: a Grafana that gets an annotation for each chaos run and each fault; empty for none.
        grafana_token_file: holds its token, relative to the workspace; SLOPROOF_GRAFANA_TOKEN without one.
        otlp_endpoint: base URL of an OpenTelemetry collector (OTLP over HTTP) that gets each chaos run as a trace.
    """

    model_config = ConfigDict(alias_generator=_dashed)

    runbook_url: str = Links().runbook
    dashboard_url: str = Links().dashboard
    prometheus_url: str = ""
    targets: tuple[str, ...] = ()
    scrape_interval: Length = timedelta(seconds=30)
    evaluation_interval: Length = timedelta(seconds=30)
    safety: Safety = Safety()
    grafana_url: str = ""
    grafana_token_file: str = ""
    otlp_endpoint: str = ""

    @field_validator("runbook_url", "dashboard_url")
    @classmethod
    def _one_place(cls, url: str, info: ValidationInfo) -> str:
        place = "alert" if info.field_name == "runbook_url" else "uid"
        try:
            places = {name for _, name, _, _ in Formatter().parse(url) if name is not None}
        except ValueError:
            places = {""}
        if places - {place}:
            raise ValueError(f"only `{{{place}}}` can be filled in, not what `{url}` asks for; double other braces")
        return url

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        try:
            timing = self.timing()
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        if timing.evaluation > timing.base:
            raise ValueError(
                f"rules evaluated every `{format_duration(timing.evaluation)}` do not see all events of base windows "
                f"of `{format_duration(timing.base)}`; evaluate more often"
            )
        return self

    def links(self) -> Links:
        """Where alerts send their reader."""
        return Links(runbook=self.runbook_url, dashboard=self.dashboard_url, prometheus=self.prometheus_url)

    def timing(self) -> Timing:
        """The clock of real rules."""
        return Timing(scrape=self.scrape_interval, evaluation=self.evaluation_interval)


def find_root(start: Path) -> Path:
    """The nearest folder, from `start` upwards, whose `pyproject.toml` has `[tool.sloproof]`.

    Raises:
        UsageError: there is none, or a `pyproject.toml` on the way is not TOML.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        file = folder / SETTINGS_FILE
        if file.is_file() and _table(file) is not None:
            return folder
    raise UsageError(
        f"no sloproof workspace in `{start.resolve()}` or above it",
        hint="run `sloproof init DIR` for a new one, or add a `[tool.sloproof]` table to your `pyproject.toml`",
    )


def read_settings(root: Path) -> Settings:
    """The settings of a workspace.

    Raises:
        DefinitionError: a key is unknown or a value does not fit.
    """
    file = root / SETTINGS_FILE
    try:
        return Settings.model_validate(_table(file))
    except ValidationError as error:
        raise DefinitionError(problems_of(error, SETTINGS_FILE, _lines(file), "tool.sloproof")) from None


def _table(file: Path) -> Mapping[str, Any] | None:
    """What `[tool.sloproof]` holds; None where there is no such table."""
    tool = _toml(file).get("tool")
    table = tool.get("sloproof") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(
            f"`tool.sloproof` of `{file}` is `{table!r}`, not a table",
            hint="write `[tool.sloproof]` on a line of its own, and the settings below it",
        )
    return table


def _toml(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"`{file}` is not TOML: {error}", hint="mend the file; `[tool.sloproof]` is read from it"
        ) from None


def _lines(file: Path) -> dict[str, int]:
    """Where each key of the file stands, by its name; 0 is the table's own line."""
    lines = {"": 0}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        key = line.split("=", 1)[0].strip()
        if line.strip() == "[tool.sloproof]":
            lines[""] = number
        elif "=" in line:
            lines.setdefault(key, number)
    return lines
