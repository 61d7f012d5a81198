"""Dashboards and answers for the tests of the preview; `python tests/unit/preview_samples.py` prints one as HTML."""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sloproof.prometheus_answers import ActiveAlert, Series
from sloproof.report.preview.asking import Question, Reply
from sloproof.report.preview.page import Preview, Request, preview

NOW = 1_795_356_000.0
HOSTILE = (
    "<script>document.title='owned'</script>\"'></style><svg onload=alert(1)><img src=x onerror=alert(1)> "
    "javascript:alert(1) {{ 7*7 }} {% raw %} ${datasource} \u2028 \u202e [a](javascript:alert(1)) `b` "
)
GREY_UNKNOWN = {
    "type": "special",
    "options": {"match": "null+nan", "result": {"text": "no data", "color": "#8e8e8e"}},
}
STEPS = [{"color": "red"}, {"color": "orange", "value": 0.5}, {"color": "green", "value": 0.95}]


def at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def target(expression: str, *, instant: bool = False, **more: Any) -> dict[str, Any]:
    return {"expr": expression, "instant": instant, "refId": "A", "legendFormat": "__auto", **more}


def panel(kind: str, title: str, *targets: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    defaults = {"unit": "percentunit", "mappings": [GREY_UNKNOWN], "thresholds": {"mode": "absolute", "steps": STEPS}}
    return {
        "type": kind,
        "title": title,
        "description": f"what {title} tells",
        "gridPos": at(0, 0, 12, 8),
        "targets": list(targets),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {},
        **more,
    }


def dashboard(*panels: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "Samples",
        "uid": "samples",
        "tags": ["slo"],
        "time": {"from": "now-1h", "to": "now"},
        "panels": list(panels),
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}}]},
        "annotations": {"list": []},
        **more,
    }


MARKDOWN = """**Owner:** team

- `one`
- two

| a | b |
|---|---|
| 1 | [2](https://example.org) |
"""
LINES = {
    "unit": "s",
    "custom": {"axisSoftMin": 0, "axisSoftMax": 1.2, "thresholdsStyle": {"mode": "line+area"}, "fillOpacity": 20},
    "thresholds": {"mode": "absolute", "steps": [{"color": "transparent"}, {"color": "red", "value": 0.9}]},
    "color": {"mode": "palette-classic"},
}
STATES = {"0": {"text": "quiet", "color": "green"}, "2": {"text": "firing", "color": "red"}}
BANDS = {"unit": "none", "mappings": [GREY_UNKNOWN, {"type": "value", "options": STATES}]}
ORGANIZED = {
    "excludeByName": {"Time": True},
    "renameByName": {"instance": "where", "Value #A": "good", "Value #B": "events"},
}
VARIABLES = [
    {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}},
    {"name": "instance", "type": "query", "query": "label_values(up, instance)", "includeAll": True, "multi": True},
    {"name": "window", "type": "interval", "query": "1m,5m", "current": {}},
]
FIRING = {"name": "Firing", "enable": True, "expr": "firing", "iconColor": "red", "titleFormat": "{{alertname}}"}


def row(title: str, y: int, *inside: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "row",
        "title": title,
        "gridPos": at(0, y, 24, 1),
        "collapsed": bool(inside),
        "panels": list(inside),
    }


def figures() -> list[dict[str, Any]]:
    loud = {"colorMode": "background", "graphMode": "none"}
    return [
        panel("stat", "Loud", target("good"), gridPos=at(0, 5, 6, 4), options=loud),
        panel("stat", "Several", target("share"), gridPos=at(6, 5, 6, 4), options={"graphMode": "area"}),
        panel("stat", "Never measured", target("nothing"), gridPos=at(12, 5, 6, 4), options=loud),
        panel("stat", "Not a number", target("nan"), gridPos=at(18, 5, 6, 4), options=loud),
        panel("gauge", "Gauge", target("share"), gridPos=at(0, 9, 12, 6)),
        panel("bargauge", "Bars", target("share", legendFormat="{{instance}}"), gridPos=at(12, 9, 12, 6)),
    ]


def over_time() -> list[dict[str, Any]]:
    wave, states = target("wave", legendFormat="p95 {{instance}}"), target("states", legendFormat="fast")
    lines: dict[str, Any] = {"defaults": LINES, "overrides": []}
    bands: dict[str, Any] = {"defaults": BANDS, "overrides": []}
    return [
        panel("timeseries", "Latency", wave, gridPos=at(0, 15, 16, 8), fieldConfig=lines),
        panel("state-timeline", "States", states, gridPos=at(16, 15, 8, 8), fieldConfig=bands),
    ]


def rows() -> dict[str, Any]:
    queries = [target(name, format="table", instant=True, refId=ref) for name, ref in (("share", "A"), ("events", "B"))]
    changes = [{"id": "merge", "options": {}}, {"id": "organize", "options": ORGANIZED}]
    return panel("table", "Rows", *queries, gridPos=at(0, 23, 12, 8), transformations=changes)


def every_kind() -> dict[str, Any]:
    """A dashboard with every kind of panel that is drawn, and one that is not."""
    half = [target("wave"), target("warning", refId="B")]
    return dashboard(
        panel("text", "Words", gridPos=at(0, 0, 24, 4), options={"content": MARKDOWN}),
        row("Figures of $instance", 4),
        *figures(),
        *over_time(),
        rows(),
        panel("alertlist", "Alerts", gridPos=at(12, 23, 12, 8)),
        row("Folded", 31, panel("heatmap", "Heat", target("wave"), gridPos=at(0, 32, 24, 8))),
        panel("timeseries", "Refused", target("error"), gridPos=at(0, 32, 12, 8)),
        panel("timeseries", "Half", *half, gridPos=at(12, 32, 12, 8), timeFrom="30m"),
        templating={"list": VARIABLES},
        annotations={"list": [FIRING]},
    )


class Answers:
    """Answers by the word that a question begins with; keeps what was asked.

    Args:
        hostile: put into every label's value.
    """

    def __init__(self, hostile: str = "") -> None:
        self.asked: list[Question] = []
        self._hostile = hostile

    def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        word = question.expression.split("{")[0].split("[")[0].split("(")[0].strip()
        if word == "error":
            return Reply(error="Prometheus could not answer `error`: execution: too many samples")
        if word == "warning":
            return Reply(series=self._series(question, ["a1"], lambda _: 0.5), warnings=("one store is away",))
        shape = None if "nothing" in question.expression else _SHAPES.get(word)
        return Reply() if shape is None else Reply(series=self._series(question, *shape))

    def alerts(self) -> tuple[tuple[ActiveAlert, ...], str]:
        labels = {"alertname": "FastBurn" + self._hostile, "severity": "page", "instance": "a1" + self._hostile}
        alert = ActiveAlert(
            name=labels["alertname"], labels=labels, annotations={}, state="firing", active_at=NOW - 60, value=1.0
        )
        return (alert,), ""

    def _series(
        self, question: Question, instances: Sequence[str], value: Callable[[float], float]
    ) -> tuple[Series, ...]:
        count = 1 if question.instant else int((question.end - question.start) / question.step) + 1
        begin = question.end if question.instant else question.start
        times = [begin + index * question.step for index in range(count)]
        return tuple(
            Series(
                labels={"instance": name + self._hostile, "alertname": "FastBurn" + self._hostile},
                points=tuple((moment, value(moment) / (index + 1)) for moment in times),
            )
            for index, name in enumerate(instances)
        )


_SHAPES: dict[str, tuple[Sequence[str], Callable[[float], float]]] = {
    "good": (["a1"], lambda _: 0.9),
    "share": (["a1", "a2"], lambda _: 0.98),
    "events": (["a1", "a2"], lambda _: 12_345.0),
    "nan": (["a1"], lambda _: math.nan),
    "wave": (["a1", "a2"], lambda moment: 1 + math.sin(moment / 400)),
    "states": (["a1"], lambda moment: 2.0 if moment % 1800 < 600 else 0.0),
    "firing": (["a1"], lambda moment: 1.0 if moment % 1800 < 600 else 0.0),
    "group by": (["a1", "a2"], lambda _: 1.0),
}


def drawn(document: Mapping[str, Any], answers: Answers | None = None, **more: Any) -> Preview:
    """The preview of a dashboard."""
    given = {"server": "http://127.0.0.1:9090", "now": NOW, "scrape": 15.0, **more}
    return preview(Request(source=json.dumps(document), name="samples.json", **given), answers or Answers())


if __name__ == "__main__":
    sys.stdout.write(drawn(every_kind(), Answers(HOSTILE if "hostile" in sys.argv else "")).page)
