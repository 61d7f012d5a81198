"""The adapter to Grafana: annotations and dashboards by its HTTP API.

Source: grafana.com/docs/grafana/latest/developers/http_api, sections annotations, dashboard, folder.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from sloproof.errors import PartFailed
from sloproof.http import TIMEOUT, Connection, Reply, unreadable


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


class NotAllowed(PartFailed):
    """Grafana knows nobody by this token, or that one may not do this."""


class SavedMeanwhile(PartFailed):
    """Somebody saved the dashboard after it was read."""


@dataclass(frozen=True)
class Stored:
    """A dashboard as Grafana keeps it.

    Args:
        document: its JSON, with Grafana's own `id` and `version`.
        version: that a save must name, so that nobody's change is lost.
        folder: uid of its folder; empty for the general one.
    """

    document: Mapping[str, Any]
    version: int
    folder: str


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
        if reply.status in (_UNAUTHORISED, _FORBIDDEN):
            raise NotAllowed(
                f"Grafana at `{self._connection.url}` refused an annotation (status {reply.status})",
                hint="its token must belong to a service account that may write annotations",
            )
        self._answer(reply, "an annotation")

    def dashboard(self, uid: str) -> Stored | None:
        """The dashboard of this uid; None where there is none.

        Raises:
            NotAllowed: the token is unknown, or may not read it.
            PartFailed: Grafana does not answer, or answers something else.
        """
        reply = self._connection.get(f"/api/dashboards/uid/{uid}")
        if reply.status == _NOT_FOUND:
            return None
        found = self._answer(reply, f"the dashboard `{uid}`")
        try:
            dashboard, folder = found["dashboard"], found["meta"].get("folderUid") or ""
            return Stored(document=dict(dashboard), version=int(dashboard["version"]), folder=str(folder))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unreadable("Grafana", reply.url, f"no dashboard ({error!r})") from None

    def save(self, document: Mapping[str, Any], *, version: int, folder: str, message: str) -> None:
        """Store a dashboard, unless somebody has saved it since it was read.

        Args:
            document: its JSON.
            version: the version that was read; 0 for a new dashboard.
            folder: uid of its folder; empty for the general one.
            message: for its history in Grafana.

        Raises:
            SavedMeanwhile: the stored version is another one; nothing was stored.
            NotAllowed: the token is unknown, or may not write there.
            PartFailed: Grafana does not answer, or refuses the document.
        """
        sent = {
            "dashboard": {**document, "id": None, "version": version},
            "folderUid": folder,
            "message": message,
            "overwrite": False,
        }
        self._answer(self._connection.post("/api/dashboards/db", sent), f"`{document.get('title', '')}`")

    def has_folder(self, uid: str) -> bool:
        """Whether there is a folder of this uid that the token may see; raises as `dashboard`."""
        reply = self._connection.get(f"/api/folders/{uid}")
        if reply.status == _NOT_FOUND:
            return False
        self._answer(reply, f"the folder `{uid}`")
        return True

    def create_folder(self, uid: str, title: str) -> None:
        """Make a folder; raises as `save`."""
        self._answer(self._connection.post("/api/folders", {"uid": uid, "title": title}), f"the folder `{uid}`")

    def _answer(self, reply: Reply, what: str) -> Any:
        if reply.succeeded:
            return reply.document()
        where = f"Grafana at `{self._connection.url}`"
        if reply.status == _UNAUTHORISED:
            raise NotAllowed(
                f"{where} does not know the token (status {reply.status})",
                hint="make a token for a service account there; a revoked or expired one, and one of another Grafana, "
                "look like this",
            )
        if reply.status == _FORBIDDEN:
            raise NotAllowed(
                f"the token may not reach {what} of {where.removeprefix('Grafana at ')} (status {reply.status})",
                hint="give its service account the role Editor, or the permission to edit in the folder",
            )
        if reply.status == _CONFLICT:
            raise SavedMeanwhile(
                f"{where} did not store {what}: {_reason(reply)} (status {reply.status})",
                hint="somebody saved it after it was read; push again, and the difference shows what they changed",
            )
        raise PartFailed(
            f"{where} refused {what}: {_reason(reply)} (status {reply.status})",
            hint="see Grafana's log; a proxy before it may answer in its place",
        )

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 412
_LONGEST_REASON = 200


def _reason(reply: Reply) -> str:
    """What Grafana says of a refusal, on one line."""
    try:
        said = json.loads(reply.text).get("message", "")
    except (ValueError, AttributeError):
        said = reply.text
    return " ".join(str(said).split())[:_LONGEST_REASON] or "no reason given"
