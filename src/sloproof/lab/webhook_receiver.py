"""Records what Alertmanager sends: `python -m sloproof.lab.webhook_receiver PORT FILE`.

`POST /alerts` appends `{"received_at": seconds since the epoch, "payload": {...}}` as one JSON line;
`GET /notifications` gives all of them as a JSON list; `GET /healthz` answers 200.
"""

import json
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_LONGEST_BODY = 4_000_000


class NotificationFile:
    """JSON lines that many threads append to.

    Args:
        path: the file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def append(self, received_at: float, payload: Any) -> None:
        """Add one notification with its time."""
        line = json.dumps({"received_at": received_at, "payload": payload}, separators=(",", ":"))
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def read(self) -> list[Any]:
        """All notifications, in the order of their arrival."""
        with self._lock:
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return [json.loads(line) for line in lines]


class Receiver(BaseHTTPRequestHandler):
    """Answers one request."""

    server: "ReceiverServer"
    timeout = 10

    def do_POST(self) -> None:
        """Record a notification."""
        received_at = time.time()
        length = self.headers.get("content-length", "")
        if self.path != "/alerts":
            self._answer(404, {"error": "post to /alerts"})
        elif not length.isdigit() or int(length) > _LONGEST_BODY:
            self._answer(413, {"error": "a body of known length, at most 4 MB"})
        else:
            self._record(received_at, self.rfile.read(int(length)))

    def do_GET(self) -> None:
        """Give back what was recorded, or say that the receiver lives."""
        if self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif self.path == "/notifications":
            self._answer(200, self.server.notifications.read())
        else:
            self._answer(404, {"error": "get /notifications or /healthz"})

    def _record(self, received_at: float, body: bytes) -> None:
        try:
            payload = json.loads(body)
        except ValueError:
            self._answer(400, {"error": "not JSON"})
            return
        try:
            self.server.notifications.append(received_at, payload)
        except OSError as error:
            # Alertmanager sends again after a 5xx, so nothing is lost by saying so.
            self._answer(500, {"error": str(error)})
            return
        self._answer(200, {"status": "recorded"})

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log refused requests only."""
        if not str(args[1:2] and args[1]).startswith("2"):
            super().log_message(format, *args)


class ReceiverServer(ThreadingHTTPServer):
    """The receiver on a loopback port.

    Args:
        port: where it listens; 0 for any free one.
        notifications: where it records.
    """

    daemon_threads = True

    def __init__(self, port: int, notifications: NotificationFile) -> None:
        self.notifications = notifications
        super().__init__(("127.0.0.1", port), Receiver)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    port, file = arguments
    server = ReceiverServer(int(port), NotificationFile(Path(file)))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.2)
    server.server_close()


if __name__ == "__main__":
    main(sys.argv[1:])
