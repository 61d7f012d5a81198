"""Which addresses load and faults may be aimed at; decided from the text alone, no name is ever resolved."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from sloproof.errors import Refused, UsageError

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379}
_LOADED = ("http", "https")
# Where clouds hand out credentials: the link-local services, AWS over IPv6, Alibaba, Azure, Google.
_METADATA_NETWORKS = tuple(
    ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32")
)
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata", "instance-data"})
# The spellings that the C library reads as an IPv4 address: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1.
_LOOSE_IPV4 = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x20\x7f]")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Objection:
    """Why an address is no target.

    Args:
        what: the sentence.
        hint: what the reader can do.
    """

    what: str
    hint: str


def objection_to(url: str, allowed: Sequence[str] = ()) -> Objection | None:
    """Why nothing may be sent to an address; None where it may.

    Loopback (127.0.0.0/8, ::1, `localhost`) is always allowed, cloud metadata addresses never are.

    Args:
        url: `http://127.0.0.1:8080/path`, or any `scheme://host:port`, or a bare `host:port`.
        allowed: entries `host` (every port) or `host:port`; IPv6 addresses with a port in brackets.

    Raises:
        UsageError: the URL or an entry cannot be read.
    """
    host, port = _host_and_port(url)
    if _is_metadata(host):
        return Objection(
            f"`{host}` is a cloud metadata address, which is never a target", "aim at a service of your own"
        )
    if is_loopback(host) or (host, None) in (listed := _entries(allowed)) or (host, port) in listed:
        return None
    name = _join(host, port)
    return Objection(
        f"`{name}` is not a listed target",
        f"list `{name}` among the allowed targets of the workspace, or aim at loopback",
    )


def check_target(url: str, allowed: Sequence[str] = ()) -> None:
    """Refuse a target that the workspace does not list, before anything is sent to it.

    Args:
        url: as for `objection_to`.
        allowed: as for `objection_to`.

    Raises:
        Refused: the target is neither loopback nor listed, or is a metadata address.
        UsageError: the URL or an entry cannot be read.
    """
    if (objection := objection_to(url, allowed)) is not None:
        raise Refused(f"{objection.what}; nothing was sent to it", hint=objection.hint)


def check_load_target(url: str, allowed: Sequence[str] = ()) -> None:
    """Refuse what `check_target` refuses, and every address that no HTTP user can load.

    Args:
        url: `http://127.0.0.1:8080` or `https://shop.example`.
        allowed: as for `check_target`.

    Raises:
        Refused: as for `check_target`.
        UsageError: the address is of another scheme or of none, or cannot be read.
    """
    check_target(url, allowed)
    if urlsplit(url).scheme not in _LOADED:
        raise UsageError(
            f"`{url}` is no address that can be loaded: only `http://` and `https://` are",
            hint="write it as `http://127.0.0.1:8080`",
        )


def _entries(allowed: Sequence[str]) -> set[tuple[str, int | None]]:
    return {_host_and_port(entry, default_port=False) for entry in allowed}


def _host_and_port(text: str, *, default_port: bool = True) -> tuple[str, int | None]:
    if not text or _AMBIGUOUS.search(text):
        raise UsageError(f"`{text}` is not a target", hint="write it as `http://127.0.0.1:8080`")
    try:
        parts = _split(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"`{text}` is not a target: {error}", hint="write it as `http://127.0.0.1:8080`") from error
    if not host:
        raise UsageError(f"`{text}` names no host", hint="write it as `http://127.0.0.1:8080`")
    if port is None and default_port:
        port = _PORTS.get(parts.scheme)
    return _canonical(host), port


def _split(text: str) -> SplitResult:
    if "://" in text:
        return urlsplit(text)
    if text.count(":") > 1 and not text.startswith("["):
        return urlsplit(f"//[{text}]")
    return urlsplit(f"//{text}")


def _canonical(host: str) -> str:
    address = _address(host)
    return str(address) if address else host.rstrip(".").lower()


def _address(host: str) -> Address | None:
    """The IP address that a connection to this text would use, without asking a name server."""
    try:
        address: Address = ip_address(host)
    except ValueError:
        if not _LOOSE_IPV4.fullmatch(host):
            return None
        try:
            address = IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_metadata(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host in _METADATA_NAMES
    return any(address in network for network in _METADATA_NETWORKS if network.version == address.version)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _join(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
