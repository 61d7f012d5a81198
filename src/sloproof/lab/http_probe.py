"""Asks a part over HTTP whether it can do its work; loopback only, no proxies, no redirects."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 2.0
_OK = 200


def healthy(url: str, timeout: float = TIMEOUT) -> bool:
    """Whether a GET of the URL answers 200 within the time-out."""
    try:
        return get(url, timeout)[0] == _OK
    except OSError:
        return False


def read_json(url: str, timeout: float = TIMEOUT) -> Any:
    """The JSON that a GET answers; None when nothing answers, or not with 200 and JSON."""
    try:
        status, body = get(url, timeout)
        return json.loads(body) if status == _OK else None
    except (OSError, ValueError):
        return None


def get(url: str, timeout: float = TIMEOUT) -> tuple[int, bytes]:
    """Status and body of a GET.

    Raises:
        OSError: nothing answers, or not in HTTP.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout)
    try:
        connection.request("GET", f"{place.path or '/'}{'?' + place.query if place.query else ''}")
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise OSError(f"`{url}` does not speak HTTP: {error!r}") from error
    finally:
        connection.close()
