"""Spares the handling of cookies where there are none. Only in the generator process: it imports Locust.

The standard library's jar goes through its policy twice for each request, which costs about as much as all that is
counted of it. A target without cookies is the common case, and a generator's time is what limits its rate.
"""

from http.cookiejar import CookieJar
from typing import Any

from geventhttpclient.header import Headers
from locust.contrib import fasthttp

_SETTING = ("set-cookie", "set-cookie2")


class SparingJar(CookieJar):
    """A cookie jar that only looks closer when it holds a cookie or is handed one."""

    def add_cookie_header(self, request: Any) -> None:
        """Send along what the jar holds for this request."""
        if self.__dict__["_cookies"]:
            super().add_cookie_header(request)

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep what this answer sets."""
        headers = response.headers
        if not isinstance(headers, Headers) or any(dict.__contains__(headers, name) for name in _SETTING):
            super().extract_cookies(response, request)


def spare_cookies() -> None:
    """Give each fast client that is made from now on such a jar."""
    setattr(fasthttp, "CookieJar", SparingJar)  # noqa: B010 Locust has no other way in
