"""runbook/stale: words of somebody's own that point at what is no longer there."""

import re
from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem
from sloproof.runbooks import written_lines
from sloproof.slo import Service

ID = "runbook/stale"
_GENERATED = "<!-- generated:"
_RUN = re.compile(r"`sloproof (load|chaos) run ([a-z0-9][a-z0-9-]*)")
_QUERY = re.compile(r"\bquery (\d+)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d+)\. .*\n\n   ```promql$", re.MULTILINE)
_ALERT_ENDS = ("Burn", "Absent", "TargetDown", "BudgetLow", "BudgetForecast", "BurnReview")
"""What the names of made alerts end in; other words of that shape may be anything."""


def check(subject: Subject) -> Iterator[Problem]:
    """Alerts, runs and queries that a hand-written part names and nobody defines."""
    alerts = {rule.name for rule, _ in subject.alerts()}
    prefixes = tuple(names.camel(service.name) for service in _services(subject))
    for path, text in sorted(subject.pages.items()):
        if _GENERATED not in text:
            continue
        queries = max((int(number) for number in _NUMBERED.findall(text)), default=0)
        for line, words in written_lines(text):
            for what, hint in (
                *_alerts(words, alerts, prefixes),
                *_runs(words, subject),
                *_queries(words, queries),
            ):
                yield Place(path, line, "").warning(what, ID, hint)


def _services(subject: Subject) -> list[Service]:
    return list({slo.service.name: slo.service for slo, _ in subject.slos}.values())


def _alerts(words: str, known: set[str], prefixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for word in dict.fromkeys(re.findall(r"\b[A-Z][A-Za-z0-9]+\b", words)):
        if word.startswith(prefixes) and word.endswith(_ALERT_ENDS) and word not in known and prefixes:
            yield f"`{word}` is no alert of these definitions", "name the alert that took its place, or drop the word"


def _runs(words: str, subject: Subject) -> Iterator[tuple[str, str]]:
    for kind, name in _RUN.findall(words):
        known = subject.runs.get(kind)
        if known is not None and name not in known:
            what = "load profile" if kind == "load" else "experiment"
            yield f"`sloproof {kind} run {name}` runs no {what} that is defined", f"there are: {', '.join(known)}"


def _queries(words: str, most: int) -> Iterator[tuple[str, str]]:
    for number in dict.fromkeys(_QUERY.findall(words)):
        if int(number) > most:
            yield f"there is no query {number} on this page", f"the page has {most}; count them again"
