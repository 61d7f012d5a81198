"""A file whose presence makes one page of an instance fail while the instance goes on serving."""

import contextlib
import time
from pathlib import Path
from typing import Literal

from sloproof.chaos.balancer_view import why_taken_out
from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import Unreachable, exchange, healthy
from sloproof.chaos.restart_delay import read_delay as read_flag
from sloproof.chaos.restart_delay import write_delay as write_flag
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed
from sloproof.prometheus import Prometheus

_STEP = 0.2
_ANSWER_WITHIN = 10.0
_SERVED_BELOW = 400


class FlagBack(Undoing):
    """Take the flag away, or put its former text back, and see the page answer again.

    Args:
        file: the flag.
        previous: what it held before the fault; None when it did not exist.
        name: the instance.
        page: URL of the page that fails while the flag is there.
        holder: socket of the supervisord that keeps the instance.
        envoy_admin: base URL of a balancer that goes by that page; empty when none does.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["flag_back"] = "flag_back"
    file: Path
    previous: str | None
    name: str
    page: str
    holder: str
    envoy_admin: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The supervisord that keeps the instance."""
        return self.holder

    @property
    def rejoins(self) -> str:
        """The instance, where a balancer had taken it out."""
        return self.name if self.envoy_admin else ""

    def perform(self, patience: float) -> str:
        """Put the flag back; an instance that is down for another reason is not waited for."""
        write_flag(self.file, self.previous)
        end = time.monotonic() + max(patience, _ANSWER_WITHIN)
        while (status := _status(self.page, self.allowed)) is not None and status >= _SERVED_BELOW:
            if time.monotonic() >= end:
                raise PartFailed(f"`{self.page}` still answers {status}, though the flag `{self.file}` is put back")
            time.sleep(_STEP)
        told = "nothing answers there now" if status is None else f"`{self.page}` answers {status}"
        return f"the flag of `{self.name}` is as before; {told}"

    def ended(self) -> str | None:
        """The folder of the flag is gone, and with it the flag."""
        return None if self.file.parent.is_dir() else f"the lab's folder `{self.file.parent}` is gone"

    def is_over(self) -> bool:
        """The flag is as before, the page answers, and the instance gets traffic."""
        if read_flag(self.file) != self.previous or not healthy(self.page, allowed=self.allowed):
            return False
        return not self.envoy_admin or why_taken_out(self.envoy_admin, self.page, allowed=self.allowed) is None


class AnswersApart(Showing):
    """One page of the instance fails while another one is served.

    Args:
        failing: URL of the page that must fail.
        serving: URL of a page that must be served.
        envoy_admin: base URL of a balancer that goes by the failing page; empty when none does.
        prometheus: base URL of a Prometheus that scrapes the failing page; empty when none does.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["answers_apart"] = "answers_apart"
    failing: str
    serving: str
    envoy_admin: str = ""
    prometheus: str = ""
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Ask for both pages, and the balancer."""
        failing, serving = (_status(url, self.allowed) for url in (self.failing, self.serving))
        live = failing is not None and failing >= _SERVED_BELOW and serving is not None and serving < _SERVED_BELOW
        seen = [f"`{self.failing}` answers {failing or 'nothing'}", f"`{self.serving}` answers {serving or 'nothing'}"]
        out = True
        if self.envoy_admin:
            reason = why_taken_out(self.envoy_admin, self.failing, allowed=self.allowed)
            out = reason is not None
            seen.append(f"the balancer has taken it out ({reason})" if out else "the balancer has not taken it out")
        if self.prometheus:
            out = _is_down(self.prometheus, self.failing, self.allowed)
            seen.append(f"the last scrape of it {'failed' if out else 'did not fail'}")
        return Observation(live, live and out, "; ".join(seen))


def _is_down(prometheus: str, url: str, allowed: tuple[str, ...]) -> bool:
    with contextlib.suppress(PartFailed), Prometheus(prometheus, allowed=allowed) as adapter:
        return any(target.url == url and target.health == "down" for target in adapter.targets())
    return False


def _status(url: str, allowed: tuple[str, ...]) -> int | None:
    try:
        return exchange("GET", url, allowed=allowed).status
    except Unreachable:
        return None
