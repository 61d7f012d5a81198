"""What a balancer says of an instance behind a URL."""

from urllib.parse import urlsplit

from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.errors import PartFailed


def why_taken_out(envoy_admin: str, url: str, *, allowed: tuple[str, ...] = ()) -> str | None:
    """Why the balancer sends nothing to the instance behind a URL.

    Args:
        envoy_admin: base URL of the balancer's admin port.
        url: any URL of the instance.
        allowed: targets beyond loopback that the workspace lists.

    Returns:
        The reason, or None when it gets traffic or the balancer cannot say.
    """
    parts = urlsplit(url)
    try:
        return EnvoyAdmin(envoy_admin, allowed=allowed).taken_out(parts.hostname or "", parts.port or 80)
    except PartFailed:
        return None
