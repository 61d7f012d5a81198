"""A runbook page, and what a Prometheus says of its alert at this moment."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from sloproof import names
from sloproof.alerts import AlertRule
from sloproof.errors import PartFailed, UsageError
from sloproof.http import TimedOut, Unreachable
from sloproof.prometheus import NotServed, Prometheus
from sloproof.runbooks.live import answer, queries_of, readable, with_answers, with_heading
from sloproof.runbooks.words import in_words, one_line
from sloproof.workspace.alert_artifacts import OwnedAlert, alert_rules
from sloproof.workspace.artifacts import read_page
from sloproof.workspace.loading import Workspace


@dataclass(frozen=True)
class LivePage:
    """A page to be read.

    Args:
        text: Markdown.
        failures: what could not be asked.
    """

    text: str
    failures: tuple[PartFailed, ...] = ()


def alert_named(workspace: Workspace, alert: str) -> OwnedAlert:
    """The alert of a name, and whose it is.

    Raises:
        UsageError: no definition implies it.
    """
    found = {owned.rule.alert: owned for owned in alert_rules(workspace, workspace.settings.timing())}
    if alert not in found:
        close = get_close_matches(alert, found, n=3) or sorted(found)[:3]
        near = ", ".join(f"`{name}`" for name in close)
        raise UsageError(f"there is no alert `{alert}`", hint=f"there are: {near}" if near else "define an objective")
    return found[alert]


def page_of(root: Path, rule: AlertRule) -> str:
    """The page of an alert, made for reading.

    Raises:
        UsageError: there is none yet.
    """
    path = f"runbooks/{names.runbook_file(rule.alert)}"
    text = read_page(root)(path)
    if text is None:
        raise UsageError(f"`{path}` does not exist", hint="run `sloproof generate`")
    return readable(text)


def live_page(page: str, rule: AlertRule, prometheus: Prometheus, now: float | None = None) -> LivePage:
    """The page with the alert's state, and an answer below each of its queries.

    Args:
        page: as `page_of` makes it.
        rule: its alert.
        prometheus: the server that runs the rules.
        now: seconds since the epoch; None is now.

    Returns:
        The page. What could not be asked is told on it; a server that does not answer is not asked again.
    """
    at, answers, failures = time.time() if now is None else now, {}, []
    known = [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC, from `{prometheus.url}`"]
    try:
        known += _states(rule, prometheus, at)
        for query in dict.fromkeys(queries_of(page)):
            try:
                answers[query] = _answered(query, prometheus, at)
            except (Unreachable, TimedOut):
                raise
            except PartFailed as failure:
                failures.append(failure)
                answers[query] = f"not known: {one_line(failure.message)}"
    except PartFailed as failure:
        failures.append(failure)
        known.append(f"**live values are not known:** {one_line(failure.message)}")
    return LivePage(with_heading(with_answers(page, answers, prometheus.url), known), tuple(failures))


def _states(rule: AlertRule, prometheus: Prometheus, at: float) -> Iterator[str]:
    try:
        active = [alert for alert in prometheus.alerts() if alert.name == rule.alert]
    except NotServed:
        yield "state: not known, this server does not tell which alerts are active"
        return
    if not active and not any(one.name == rule.alert for group in prometheus.rules() for one in group.rules):
        yield "**state: not known.** The rule is not loaded on this server, so it cannot fire"
    elif not active:
        yield "state: inactive"
    for alert in sorted(active, key=lambda one: (one.state, one.active_at)):
        since = in_words(timedelta(seconds=max(0.0, at - alert.active_at)))
        own = {
            name: value
            for name, value in alert.labels.items()
            if name not in {*rule.labels, names.ALERT_NAME, names.SCALE}
        }
        which = f" `{{{', '.join(f'{name}={value}' for name, value in sorted(own.items()))}}}`" if own else ""
        yield f"state: **{alert.state}** for {since}{which}, value {alert.value:.4g}"


def _answered(query: str, prometheus: Prometheus, at: float) -> str:
    found = prometheus.instant(query, at)
    told = answer([(one.labels, one.last) for one in found.series if math.isfinite(one.last)])
    return told + (f"; **only in part:** {one_line('; '.join(found.warnings))}" if found.warnings else "")
