"""The adapter to the control port of a lab's links."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sloproof.chaos.http_exchange import exchange
from sloproof.errors import PartFailed

IDLE: Mapping[str, str] = {"delay_ms": "0", "bytes_per_second": "0", "cut": "", "percent": "100"}
"""The settings of a link that spoils nothing."""


class LinkControl:
    """The links between the instances of one lab and their dependencies.

    Args:
        url: base URL of the control port.
        allowed: targets beyond loopback that the workspace lists.
    """

    def __init__(self, url: str, *, allowed: Sequence[str] = ()) -> None:
        self.url = url.rstrip("/")
        self._allowed = allowed

    def started_at(self) -> float:
        """When the link process began, epoch seconds.

        Raises:
            PartFailed: it does not answer.
        """
        return float(self._read()["started_at"])

    def names(self) -> list[str]:
        """Every link.

        Raises:
            PartFailed: the link process does not answer.
        """
        return sorted(self._read()["links"])

    def settings(self, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """What some settings of some links are now, worded as `change` takes them.

        Args:
            wanted: by link, settings by name; the values are not looked at.

        Raises:
            PartFailed: the link process does not answer, or has no such link.
        """
        links = self._read()["links"]
        return {
            name: {setting: _text(self._of(links, name)["settings"][setting]) for setting in settings}
            for name, settings in wanted.items()
        }

    def counts(self, counter: str, links: Sequence[str]) -> dict[str, int]:
        """One count of some links.

        Raises:
            PartFailed: the link process does not answer, or has no such link.
        """
        found = self._read()["links"]
        return {name: int(self._of(found, name)["counts"][counter]) for name in links}

    def change(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Set settings and read them back.

        Args:
            wanted: by link, values by setting.

        Raises:
            PartFailed: a link did not take them.
        """
        for name, settings in wanted.items():
            answer = exchange("POST", f"{self.url}/links/{name}?{urlencode(settings)}", allowed=self._allowed)
            if answer.status != 200:  # noqa: PLR2004
                raise PartFailed(f"the link `{name}` refused {dict(settings)}: {answer.text.strip()}")
        if not self.holds(wanted):
            raise PartFailed(f"the links at `{self.url}` do not read back as they were set")

    def holds(self, wanted: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether settings are as wanted.

        Raises:
            PartFailed: the link process does not answer, or has no such link.
        """
        return self.settings(wanted) == {
            name: {setting: _text(value) for setting, value in settings.items()} for name, settings in wanted.items()
        }

    def _read(self) -> dict[str, Any]:
        answer = exchange("GET", f"{self.url}/links", allowed=self._allowed)
        try:
            document: dict[str, Any] = json.loads(answer.text)
            if {"started_at", "links"} <= document.keys():
                return document
        except (ValueError, AttributeError):
            pass
        raise PartFailed(f"`{self.url}` is no control port of links")

    @staticmethod
    def _of(links: dict[str, Any], name: str) -> dict[str, Any]:
        if name not in links:
            known = ", ".join(f"`{known}`" for known in sorted(links))
            raise PartFailed(f"there is no link `{name}`", hint=f"there are {known}")
        found: dict[str, Any] = links[name]
        return found


def _text(value: str | float) -> str:
    """Numbers worded in one way, so that `100` and `100.0` are the same setting."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return str(value)
