"""What an address said instead of what it was asked for, in words: a login page, a proxy's error, another program."""

import json
import re
from http import HTTPStatus
from typing import Any

from sloproof.errors import PartFailed

_LONGEST = 200
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_WORDS_OF = ("error", "message", "detail")
"""Keys under which servers say what is wrong."""
_LOGIN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_BEHIND = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


def instead(body: str) -> str:
    """What a body is that should have been a part's JSON.

    Args:
        body: as it came.
    """
    if not body.strip():
        return "nothing at all"
    if _PAGE.match(body):
        title = _title(body)
        return f"a web page, `{title}`" if title else "a web page"
    try:
        json.loads(body)
    except ValueError:
        return f"no JSON: `{_short(body)}`"
    return "JSON of another kind"


def unsuccessful(part: str, url: str, status: int, body: str) -> PartFailed:
    """The error for an answer whose status is not of the 200s.

    Args:
        part: its name, such as `Prometheus`.
        url: what was asked.
        status: the HTTP status.
        body: what came with it.
    """
    said = _said(body)
    return PartFailed(f"`{url}` answered with status {status}{f': {said}' if said else ''}", hint=_hint(part, status))


def _hint(part: str, status: int) -> str:
    if status in _LOGIN:
        return "write a user and a password into its address, as in `http://user:password@host:port`"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"something before {part} sends you elsewhere, to a login perhaps; give the address of {part} itself"
    if status == HTTPStatus.NOT_FOUND:
        return f"see whether {part} listens on this port, and below which path"
    if status in _BEHIND:
        return f"see whether {part} runs and has started, and what stands before it"
    return f"look into the log of {part}"


def _said(body: str) -> str:
    if _PAGE.match(body):
        return _title(body)
    try:
        document: Any = json.loads(body)
    except ValueError:
        return _short(body)
    words = [document[key] for key in _WORDS_OF if isinstance(document, dict) and isinstance(document.get(key), str)]
    return _short(words[0] if words else body)


def _title(page: str) -> str:
    found = _TITLE.search(page)
    return _short(found[1]) if found else ""


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
