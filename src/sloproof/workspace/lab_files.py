"""The files that a lab runs: what `generate` writes, with the lab's clock and its notification receiver."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import PurePosixPath

from sloproof import names
from sloproof.alerts import Routing, Timing, Webhook
from sloproof.alerts.timing import SCRAPES_IN_BASE_WINDOW
from sloproof.errors import UsageError
from sloproof.workspace.artifacts import rule_artifacts
from sloproof.workspace.loading import Workspace
from sloproof.workspace.scaling import timing

SLOWEST_SCRAPE = timedelta(seconds=1)
"""A lab lives for minutes: it is scraped at least this often, whatever the workspace's own interval."""
FASTEST_SCRAPE = timedelta(milliseconds=200)
"""Scraping five times a second already costs a tenth of a core here."""


def lab_timing(workspace: Workspace, scale: int) -> Timing:
    """The clock of a lab.

    Args:
        workspace: the definitions.
        scale: the factor that windows are divided by.

    Returns:
        Its scrape interval leaves one scrape more than the base window needs.

    Raises:
        UsageError: the scale leaves no base window that such scrapes fill.
    """
    base = Timing().base / scale
    scrape = min(SLOWEST_SCRAPE, base / (SCRAPES_IN_BASE_WINDOW + 1))
    if scrape < FASTEST_SCRAPE:
        raise UsageError(
            f"windows divided by `{scale}` would need a scrape every {scrape / timedelta(milliseconds=1):.0f} ms",
            hint=f"divide by {Timing().base // (FASTEST_SCRAPE * (SCRAPES_IN_BASE_WINDOW + 1))} at most",
        )
    return timing(scale, scrape, workspace.settings.evaluation_interval)


def lab_files(workspace: Workspace, system: str, clock: Timing) -> Callable[[str], Mapping[str, str]]:
    """What a lab asks for once its receiver has an address.

    Args:
        workspace: the definitions.
        system: the lab's; the rules of other services would only find that these are absent.
        clock: the lab's clock.

    Returns:
        A function from the receiver's URL to texts by path: `rules/*.yaml` and `alertmanager.yaml`.
    """

    def generated(webhook: str) -> Mapping[str, str]:
        own = workspace.only(system)
        routing = _redirected(next(iter(own.all_of(Routing)), None), webhook)
        found = rule_artifacts(own, clock, routing)
        return {_place(PurePosixPath(artifact.path).name): artifact.text for artifact in found}

    return generated


def _redirected(routing: Routing | None, webhook: str) -> Routing:
    if routing is None:
        return Routing(receivers=(Webhook(name="lab", url=webhook),))
    receivers = tuple(Webhook(name=receiver.name, url=webhook) for receiver in routing.receivers)
    return routing.model_copy(update={"receivers": receivers, "muted": {}})  # a lab has no night


def _place(name: str) -> str:
    return name if name == names.ALERTMANAGER_FILE else f"rules/{name}"
