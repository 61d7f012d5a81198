"""The adapter to Grafana: annotations by its HTTP API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from sloproof.errors import PartFailed
from sloproof.http import TIMEOUT, Connection


@dataclass(frozen=True)
class Annotation:
    """A mark on every dashboard that asks for its tags.

    Args:
        start: epoch seconds.
        end: epoch seconds; the start for a moment.
        tags: what it is found by.
        text: what happened.
    """

    start: float
    end: float
    tags: tuple[str, ...]
    text: str


class Grafana:
    """One Grafana, to be closed after use.

    Args:
        url: its base.
        token: of a service account that may write annotations; empty where nobody has to log in.
        timeout: for each call.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: the target is not allowed; nothing was sent.
    """

    def __init__(self, url: str, *, token: str = "", timeout: timedelta = TIMEOUT, allowed: Sequence[str] = ()) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._connection = Connection("Grafana", url, timeout=timeout, allowed=allowed, headers=headers)

    def annotate(self, annotation: Annotation) -> None:
        """Add an annotation.

        Args:
            annotation: what to mark.

        Raises:
            PartFailed: Grafana does not answer, or refuses.
        """
        document = {
            "time": round(annotation.start * 1000),
            "timeEnd": round(annotation.end * 1000),
            "tags": list(annotation.tags),
            "text": annotation.text,
        }
        reply = self._connection.post("/api/annotations", document)
        if not reply.succeeded:
            raise PartFailed(
                f"Grafana at `{self._connection.url}` refused an annotation (status {reply.status})",
                hint="its token must belong to a service account that may write annotations",
            )

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
