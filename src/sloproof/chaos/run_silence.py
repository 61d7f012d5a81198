"""Silences what an experiment does not expect while it runs; what it expects must reach whoever is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sloproof import names
from sloproof.alertmanager import Alertmanager
from sloproof.alerts.silence import LONGEST, PlannedSilence, chaos_silence
from sloproof.chaos.experiment import Experiment, Fires, Resolves
from sloproof.errors import PartFailed, UsageError

MARGIN = timedelta(minutes=5)
"""For the start of the load and late notifications; the silence that a killed run left ends after it."""


def run_silence(experiment: Experiment, starts_at: float) -> PlannedSilence:
    """The silence of a run: every alert of the broken service but those that the experiment names.

    Args:
        experiment: what will be done.
        starts_at: seconds since the epoch.

    Raises:
        UsageError: the run takes longer than a silence may last.
    """
    lasts = experiment.run_length + experiment.load.drain + MARGIN
    if lasts > LONGEST:
        raise UsageError(
            f"`{experiment.name}` takes longer than a silence may last, which is a day",
            hint="run it without `--silence`, or shorten its load",
        )
    return chaos_silence(
        experiment.system,
        starts_at=starts_at,
        lasts=lasts,
        created_by="sloproof chaos run",
        reason=f"planned experiment {experiment.name}; alerts that it expects are not silenced",
        but=expected_alerts(experiment),
    )


def expected_alerts(experiment: Experiment) -> tuple[str, ...]:
    """The alerts whose firing or resolving the experiment judges."""
    judged = [one for one in experiment.expect if isinstance(one, Fires | Resolves)]
    return tuple(sorted({names.burn_alert(one.slo.service.name, one.slo.name, one.tier) for one in judged}))


@contextmanager
def silenced(alertmanager: Alertmanager, planned: PlannedSilence, say: Callable[[str], None]) -> Iterator[None]:
    """The time in which a silence holds; it ends with the block, or by itself.

    Args:
        alertmanager: that sends the notifications.
        planned: what is silenced, and until when at the latest.
        say: told when the silence could not be ended.

    Raises:
        PartFailed: it could not be made; nothing was done yet.
    """
    made = alertmanager.silence(planned)
    try:
        yield
    finally:
        try:
            alertmanager.expire_silence(made)
        except PartFailed as failure:  # the run's own end must be told, and the silence ends all the same
            end = datetime.fromtimestamp(planned.ends_at, UTC)
            say(f"{failure.message}; the silence `{made}` ends by itself at {end:%H:%M:%S} UTC")
