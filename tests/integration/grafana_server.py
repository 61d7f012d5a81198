"""A small HTTP server that speaks the part of Grafana's documented API that sloproof uses.

Written from grafana.com/docs/grafana/latest/developers/http_api: the statuses and the bodies of its sections
authentication, dashboard, folder and annotations. It is no Grafana: it draws nothing and migrates nothing.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EDITOR, VIEWER = "glsa_editor", "glsa_viewer"


@dataclass
class State:
    """What this Grafana keeps, and what it was asked.

    Args:
        dashboards: by uid: the JSON with `id` and `version`, and the uid of the folder.
        folders: titles by uid.
        annotations: as they were posted.
        asked: method, path and body of each request.
        before_save: called before each save is looked at; tests save something else there.
    """

    dashboards: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    before_save: Callable[[dict[str, Any]], None] = lambda _: None

    def writes(self) -> list[str]:
        """The paths of what was sent to be kept."""
        return [path for method, path, _ in self.asked if method == "POST"]

    def keep(self, document: dict[str, Any], folder: str) -> int:
        """Keep a dashboard as Grafana does: with an id of its own and the next version."""
        uid = document["uid"]
        known = self.dashboards.get(uid)
        version = known[0]["version"] + 1 if known else 1
        number = known[0]["id"] if known else len(self.dashboards) + 1
        self.dashboards[uid] = (document | {"id": number, "version": version}, folder)
        return version


class Handler(BaseHTTPRequestHandler):
    state: State

    def do_GET(self) -> None:
        self.state.asked.append(("GET", self.path, None))
        if not self._known():
            return
        kind, _, uid = self.path.removeprefix("/api/").rpartition("/")
        if kind == "dashboards/uid" and uid in self.state.dashboards:
            document, folder = self.state.dashboards[uid]
            self._send(200, {"dashboard": document, "meta": {"folderUid": folder, "version": document["version"]}})
        elif kind == "folders" and uid in self.state.folders:
            self._send(200, {"uid": uid, "title": self.state.folders[uid]})
        else:
            self._send(404, {"message": f"{kind} not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.state.asked.append(("POST", self.path, body))
        if not self._known():
            return
        if self.headers["authorization"] == f"Bearer {VIEWER}":
            self._send(403, {"message": "You'll need additional permissions to perform this action."})
        elif self.path == "/api/folders":
            self.state.folders[body["uid"]] = body["title"]
            self._send(200, body)
        elif self.path == "/api/annotations":
            self.state.annotations.append(body)
            self._send(200, {"message": "Annotation added", "id": 1})
        else:
            self._save(body)

    def _save(self, body: dict[str, Any]) -> None:
        self.state.before_save(body)
        document, folder = body["dashboard"], body["folderUid"]
        known = self.state.dashboards.get(document["uid"])
        if folder and folder not in self.state.folders:
            self._send(400, {"message": "folder not found"})
        elif not document["title"]:
            self._send(400, {"message": "Dashboard title cannot be empty"})
        elif known and known[0]["version"] != document["version"] and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            self._send(412, {"status": "version-mismatch", "message": said})
        else:
            self._send(200, {"status": "success", "version": self.state.keep(document, folder), "uid": document["uid"]})

    def _known(self) -> bool:
        known = self.headers["authorization"] in {f"Bearer {EDITOR}", f"Bearer {VIEWER}"}
        if not known:
            self._send(401, {"message": "Invalid API key"})
        return known

    def _send(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        """Stay quiet."""


@contextmanager
def grafana_server() -> Iterator[tuple[str, State]]:
    """The server's URL and its state, until the block ends."""
    state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
