"""A fault that a system offers by itself: HTTP calls that begin it, end it, and tell whether it is there."""

import time
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import Unreachable, exchange
from sloproof.chaos.ledger_value import LedgerValue
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed

_STEP = 0.2
_BACK_WITHIN = 10.0


def _plain_http(url: str) -> str:
    if not url.startswith("http://"):
        raise ValueError(f"`{url}` is no `http://host:port/path`")
    return url


URL = Annotated[str, AfterValidator(_plain_http)]
"""`http://host:port/path`; whether it may be reached is decided when the fault is about to be injected."""


class Call(LedgerValue):
    """One HTTP request.

    Args:
        method: its method.
        url: where to; loopback, or a target that the workspace lists.
        body: text that is sent along; JSON when it begins with `{` or `[`.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: URL
    body: str = ""

    def send(self, allowed: tuple[str, ...]) -> int:
        """Send it.

        Args:
            allowed: targets beyond loopback that the workspace lists.

        Returns:
            The status.

        Raises:
            Refused: the target is not allowed; nothing was sent.
            PartFailed: nothing answered, or the answer is no success.
        """
        status = exchange(self.method, self.url, body=self.body, allowed=allowed).status
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise PartFailed(f"`{self.method} {self.url}` was answered with {status}")
        return status


class Sign(LedgerValue):
    """What tells that the fault is there.

    Args:
        url: a page.
        status: what it answers while the fault is there, and only then.
    """

    url: URL
    status: int = Field(ge=100, le=599)

    def shown(self, allowed: tuple[str, ...]) -> tuple[bool, str]:
        """Whether the fault is there, and what was answered; a page that is silent tells nothing.

        Args:
            allowed: targets beyond loopback that the workspace lists.
        """
        try:
            status = exchange("GET", self.url, allowed=allowed).status
        except Unreachable as error:
            return False, error.message
        return status == self.status, f"`{self.url}` answers {status}"


class EndpointCalled(Undoing):
    """Send the call that ends the fault, and see its sign vanish.

    Args:
        undo: the call.
        sign: what tells that the fault is there.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["endpoint_called"] = "endpoint_called"
    undo: Call
    sign: Sign
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The endpoint."""
        return self.undo.url

    def perform(self, patience: float) -> str:
        """Send it and look."""
        status = self.undo.send(self.allowed)
        end = time.monotonic() + max(patience, _BACK_WITHIN)
        while not self.is_over():
            if time.monotonic() >= end:
                raise PartFailed(f"the fault still shows: {self.sign.shown(self.allowed)[1]}")
            time.sleep(_STEP)
        told = self.sign.shown(self.allowed)[1]
        return f"`{self.undo.method} {self.undo.url}` was answered with {status}; {told}"

    def ended(self) -> str | None:
        """Only the endpoint can tell."""
        return None

    def is_over(self) -> bool:
        """The page answers, and not as it does with the fault."""
        try:
            return exchange("GET", self.sign.url, allowed=self.allowed).status != self.sign.status
        except Unreachable:
            return False


class EndpointShows(Showing):
    """The sign is there.

    Args:
        sign: what tells that the fault is there.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["endpoint_shows"] = "endpoint_shows"
    sign: Sign
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Ask the page."""
        live, told = self.sign.shown(self.allowed)
        return Observation(live, live, told)
