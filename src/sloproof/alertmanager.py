"""The one adapter to Alertmanager."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, Self
from urllib.parse import quote

from sloproof.alerts.silence import PlannedSilence
from sloproof.definition import Definition
from sloproof.foreign_answers import unsuccessful
from sloproof.http import TIMEOUT, Connection, Reply, TimedOut, Unreachable
from sloproof.prometheus_answers import Read, epoch, read

PART = "Alertmanager"


class ReceivedAlert(Definition):
    """An alert that Alertmanager holds.

    Args:
        name: the alert's name.
        labels: all its labels, `alertname` among them.
        annotations: as Prometheus sent them last.
        state: `active`, `suppressed` (silenced or inhibited), or `unprocessed` before it was first routed.
        starts_at: when Prometheus says that it began to fire, seconds since the epoch.
        ends_at: when it counts as resolved unless Prometheus sends it again, seconds since the epoch.
        silenced_by: ids of silences.
        inhibited_by: fingerprints of the alerts that inhibit it.
        receivers: names of who is told.
        fingerprint: of its labels.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: Literal["active", "suppressed", "unprocessed"]
    starts_at: float
    ends_at: float
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    receivers: tuple[str, ...]
    fingerprint: str


class SilenceMatcher(Definition):
    """One condition of a silence.

    Args:
        label: the label's name.
        operator: `=`, `!=`, `=~` or `!~`.
        value: that it is compared with.
    """

    label: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str


class Silence(Definition):
    """A silence, also one that expired.

    Args:
        id: Alertmanager's own.
        state: `active`, `pending` or `expired`.
        matchers: all of which an alert must match.
        starts_at: seconds since the epoch.
        ends_at: seconds since the epoch.
        created_by: whoever made it.
        comment: why.
    """

    id: str
    state: Literal["active", "pending", "expired"]
    matchers: tuple[SilenceMatcher, ...]
    starts_at: float
    ends_at: float
    created_by: str
    comment: str


class Status(Definition):
    """What runs there.

    Args:
        version: such as `0.25.0`.
        started_at: seconds since the epoch.
        cluster: `ready`, `settling`, or `disabled`.
        config: the configuration in force, YAML; secrets are masked by Alertmanager.
    """

    version: str
    started_at: float
    cluster: str
    config: str


class Alertmanager:
    """A client of one Alertmanager, to be closed after use.

    Args:
        url: its base, `http://host:port` or with a path prefix.
        timeout: for each exchange as a whole.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: the target is not allowed; nothing was sent.

    Every method but `ready` raises PartFailed when Alertmanager cannot be reached, does not answer in time,
    refuses, or answers something that is not Alertmanager's.
    """

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT, allowed: Sequence[str] = ()) -> None:
        self._connection = Connection(PART, url, timeout=timeout, allowed=allowed)

    @property
    def url(self) -> str:
        """Its base, without a slash at the end."""
        return self._connection.url

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ready(self) -> bool:
        """Whether it answers; False when nothing is there."""
        try:
            return self._connection.get("/-/ready").succeeded
        except (Unreachable, TimedOut):
            return False

    def alerts(self) -> tuple[ReceivedAlert, ...]:
        """The alerts it holds: active, silenced and inhibited ones."""
        return self._read("/api/v2/alerts", lambda alerts: tuple(_alert(alert) for alert in alerts))

    def silences(self) -> tuple[Silence, ...]:
        """The silences it knows, expired ones too."""
        return self._read("/api/v2/silences", lambda silences: tuple(_silence(silence) for silence in silences))

    def silence(self, planned: PlannedSilence) -> str:
        """Make a silence, which always has an end.

        Args:
            planned: what, from when, until when.

        Returns:
            Alertmanager's id of it.
        """
        reply = self._connection.post("/api/v2/silences", planned.document())
        return read(lambda made: str(made["silenceID"]), self._succeeded(reply).document(), part=PART, url=reply.url)

    def expire_silence(self, silence: str) -> None:
        """End a silence now; safe to repeat, for one that has ended already is let be.

        Args:
            silence: its id.
        """
        known = next((one for one in self.silences() if one.id == silence), None)
        if known is None or known.state != "expired":
            self._succeeded(self._connection.delete(f"/api/v2/silence/{quote(silence, safe='')}"))

    def status(self) -> Status:
        """Version, start, and the configuration in force."""
        return self._read("/api/v2/status", _status)

    def _read(self, path: str, reader: Callable[[Any], Read]) -> Read:
        reply = self._succeeded(self._connection.get(path))
        return read(reader, reply.document(), part=PART, url=reply.url)

    @staticmethod
    def _succeeded(reply: Reply) -> Reply:
        if not reply.succeeded:
            raise unsuccessful(PART, reply.url, reply.status, reply.text)
        return reply


def _alert(alert: Any) -> ReceivedAlert:
    return ReceivedAlert(
        name=alert["labels"]["alertname"],
        labels=alert["labels"],
        annotations=alert["annotations"],
        state=alert["status"]["state"],
        starts_at=epoch(alert["startsAt"]),
        ends_at=epoch(alert["endsAt"]),
        silenced_by=tuple(alert["status"]["silencedBy"]),
        inhibited_by=tuple(alert["status"]["inhibitedBy"]),
        receivers=tuple(receiver["name"] for receiver in alert["receivers"]),
        fingerprint=alert["fingerprint"],
    )


def _silence(silence: Any) -> Silence:
    return Silence(
        id=silence["id"],
        state=silence["status"]["state"],
        matchers=tuple(_matcher(matcher) for matcher in silence["matchers"]),
        starts_at=epoch(silence["startsAt"]),
        ends_at=epoch(silence["endsAt"]),
        created_by=silence["createdBy"],
        comment=silence["comment"],
    )


def _matcher(matcher: Any) -> SilenceMatcher:
    signs = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    operator: Any = signs[matcher.get("isEqual", True), matcher["isRegex"]]
    return SilenceMatcher(label=matcher["name"], operator=operator, value=matcher["value"])


def _status(status: Any) -> Status:
    return Status(
        version=status["versionInfo"]["version"],
        started_at=epoch(status["uptime"]),
        cluster=status["cluster"]["status"],
        config=status["config"]["original"],
    )
