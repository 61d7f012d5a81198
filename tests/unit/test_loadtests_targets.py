"""Which targets may be loaded or broken."""

import socket
from typing import Any

import pytest

from sloproof.errors import Refused, UsageError
from sloproof.targets import check_load_target, check_target


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(*_: Any, **__: Any) -> None:
        raise AssertionError("a target check must neither connect nor resolve")

    for name in ("socket", "getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, sent)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.9.9.9/path?query",
        "https://localhost",
        "http://LOCALHOST.:80",
        "http://[::1]:9000",
        "http://[::ffff:127.0.0.1]:9000",
        "127.0.0.1:5432",
        "::1",
        "http://127.1:80",
        "http://2130706433",
    ],
)
def test_loopback_is_always_allowed(url: str) -> None:
    check_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1",
        "http://example.test:8080",
        "http://0.0.0.0:80",
        "http://127.0.0.1.example.test",
        "http://127.0.0.1@192.0.2.1/",
        "http://localhost.example.test",
        "http://[2001:db8::1]:80",
        "192.0.2.1:5432",
        "http://3221225985",
    ],
)
def test_what_is_not_listed_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(Refused, match="nothing was sent") as refusal:
        check_target(url)
    assert "list" in refusal.value.hint and refusal.value.exit_code == 5


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://example.test:8080/x", "example.test"),
        ("http://Example.TEST:8080/x", "example.test:8080"),
        ("http://example.test", "example.test:80"),
        ("https://example.test", "example.test:443"),
        ("http://192.0.2.1:9", "192.0.2.1:9"),
        ("http://[2001:db8::1]:80", "[2001:DB8::1]:80"),
        ("http://[2001:db8:0::1]:80", "2001:db8::1"),
        ("postgresql://192.0.2.1", "192.0.2.1:5432"),
    ],
)
def test_a_listed_target_is_allowed(url: str, allowed: str) -> None:
    check_target(url, ["other.test", allowed])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://example.test:8081", "example.test:8080"),
        ("http://sub.example.test", "example.test"),
        ("http://example.test", "example.test:8080"),
    ],
)
def test_an_entry_allows_nothing_but_itself(url: str, allowed: str) -> None:
    with pytest.raises(Refused):
        check_target(url, [allowed])


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "100.100.100.200",
    ],
)
def test_metadata_addresses_are_refused_even_when_listed(host: str) -> None:
    with pytest.raises(Refused, match="metadata"):
        check_target(f"http://{host}/latest", [host])


@pytest.mark.parametrize("url", ["", "http://", "http://127.0.0.1\\@192.0.2.1", "http://127.0.0.1:99999", "http://a b"])
def test_a_target_that_cannot_be_read_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        check_target(url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "redis://127.0.0.1:6379", "127.0.0.1:8080", "localhost"])
def test_only_http_is_loaded(url: str) -> None:
    with pytest.raises(UsageError, match="only `http://` and `https://` are") as told:
        check_load_target(url)
    assert told.value.exit_code == 2 and told.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "HTTPS://localhost"])
def test_http_on_loopback_is_loaded(url: str) -> None:
    check_load_target(url)


def test_an_unlisted_address_is_refused_before_its_scheme_is_looked_at() -> None:
    with pytest.raises(Refused):
        check_load_target("ftp://192.0.2.1")
