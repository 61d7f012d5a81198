"""A user that logs in once and keeps its token. For locustfiles, also under plain `locust -f`; imports no Locust."""

from collections.abc import Callable, Mapping
from typing import Any

_REFUSED = 401


class Login:
    """Sends a user's requests with the token of its login.

    The first request logs in. An answer of 401 makes it log in anew and send the request once more, not oftener: a
    system that refuses every token is not flooded with logins.

    Args:
        client: the user's `self.client`, of HttpUser or FastHttpUser.
        log_in: asks for a token; None where there is none, such as while the system is down.
        header: the header that carries the token.
        scheme: the word before it.
    """

    def __init__(
        self,
        client: Any,
        log_in: Callable[[], str | None],
        header: str = "Authorization",
        scheme: str = "Bearer",
    ) -> None:
        self._client = client
        self._log_in = log_in
        self._header = header
        self._scheme = scheme
        self.token: str | None = None

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """Send a request with the token.

        Args:
            method: such as `GET`.
            url: as the client takes it.
            headers: beside the token's.
            options: all else that the client takes.

        Returns:
            The client's answer; None where no token could be got, so that nothing was sent.
        """
        answer = self._send(method, url, headers or {}, options)
        if answer is None or answer.status_code != _REFUSED:
            return answer
        if options.get("catch_response"):
            with answer:
                pass  # reported as it is; the next one is the caller's to judge
        self.token = None
        again = self._send(method, url, headers or {}, options)
        return answer if again is None else again

    def _send(self, method: str, url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> Any:
        self.token = self.token or self._log_in()
        if not self.token:
            return None
        sent = {**headers, self._header: f"{self._scheme} {self.token}".strip()}
        return self._client.request(method, url, headers=sent, **options)
