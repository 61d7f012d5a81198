"""Envoy's admin port: runtime keys that are read back after they are set, fault counters, hosts taken out."""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sloproof.chaos.http_exchange import exchange
from sloproof.errors import PartFailed

ADMIN_LAYER = "admin"
_MILLION = 1_000_000
_NO_ADMIN_PORT = "Envoy has an admin port where its bootstrap has an `admin` block; the fault's `envoy` must be its URL"


class EnvoyAdmin:
    """One Envoy, reached through its admin port.

    Args:
        url: base URL of the admin port.
        allowed: targets beyond loopback that the workspace lists.
    """

    def __init__(self, url: str, *, allowed: Sequence[str] = ()) -> None:
        self.url = url.rstrip("/")
        self._allowed = tuple(allowed)

    def overrides(self, keys: Sequence[str]) -> dict[str, str]:
        """What the admin layer says of these runtime keys.

        Args:
            keys: runtime keys.

        Returns:
            The value of each; an empty string where the admin layer does not override it.

        Raises:
            PartFailed: Envoy does not answer, or has no admin layer.
        """
        layer = self._admin_layer()
        return {key: layer.get(key, "") for key in keys}

    def overridden(self, prefix: str) -> dict[str, str]:
        """Every runtime key that the admin layer overrides at this moment.

        Args:
            prefix: how the key begins.

        Returns:
            The value of each.

        Raises:
            PartFailed: Envoy does not answer, or has no admin layer.
        """
        return {key: value for key, value in self._admin_layer().items() if value and key.startswith(prefix)}

    def _admin_layer(self) -> dict[str, str]:
        runtime = self._json("/runtime")
        layers = runtime.get("layers", [])
        if ADMIN_LAYER not in layers:
            raise PartFailed(
                f"the Envoy at `{self.url}` has no runtime layer `{ADMIN_LAYER}`",
                hint="add an `admin_layer` of that name to `layered_runtime` in its bootstrap",
            )
        place = layers.index(ADMIN_LAYER)
        return {key: str(entry["layer_values"][place]) for key, entry in runtime.get("entries", {}).items()}

    def override(self, values: Mapping[str, str]) -> None:
        """Set runtime keys in one step and read them back.

        Args:
            values: value of each key; an empty string takes the override away.

        Raises:
            PartFailed: Envoy does not answer, refuses, or says something else afterwards.
        """
        self.set(values)
        seen = self.overrides(list(values))
        wrong = [f"`{key}` is `{seen[key]}`, not `{value}`" for key, value in values.items() if seen[key] != value]
        if wrong:
            raise PartFailed(f"the Envoy at `{self.url}` does not show what was set: {'; '.join(wrong)}")

    def set(self, values: Mapping[str, str]) -> None:
        """Set runtime keys in one step, without reading them back.

        Args:
            values: value of each key; an empty string takes the override away.

        Raises:
            PartFailed: Envoy does not answer, or refuses.
        """
        answer = exchange("POST", f"{self.url}/runtime_modify?{urlencode(values)}", allowed=self._allowed)
        if answer.status != http.client.OK:
            raise PartFailed(f"the Envoy at `{self.url}` refused the runtime keys: {answer.text.strip()}")

    def keys(self) -> frozenset[str]:
        """Every runtime key that some layer has a value for.

        Raises:
            PartFailed: Envoy does not answer.
        """
        return frozenset(self._json("/runtime").get("entries", {}))

    def injected(self, counter: str) -> int:
        """How many requests the fault filter has spoilt since Envoy started.

        Args:
            counter: `delays_injected` or `aborts_injected`.

        Returns:
            The sum over all listeners; zero before the filter has seen a request.
        """
        wanted = urlencode({"filter": rf"\.fault\.{counter}$", "format": "json"})
        stats = self._json(f"/stats?{wanted}")
        return sum(int(stat.get("value", 0)) for stat in stats.get("stats", []) if "name" in stat)

    def started_at(self) -> float:
        """When this Envoy process began, epoch seconds, exact to about a second."""
        return time.time() - float(self._json("/server_info")["uptime_current_epoch"].removesuffix("s"))

    def taken_out(self, host: str, port: int) -> str | None:
        """Why the balancer sends nothing to an upstream host.

        Args:
            host: its address.
            port: its port.

        Returns:
            The reason in Envoy's words, or None when it gets traffic.

        Raises:
            PartFailed: Envoy does not answer, or does not know the host.
        """
        for cluster in self._json("/clusters?format=json").get("cluster_statuses", []):
            for upstream in cluster.get("host_statuses", []):
                address = upstream.get("address", {}).get("socket_address", {})
                if (address.get("address"), address.get("port_value")) == (host, port):
                    return _reason(upstream.get("health_status", {}))
        raise PartFailed(f"the Envoy at `{self.url}` has no upstream `{host}:{port}`")

    def _json(self, path: str) -> Any:
        try:
            answer = exchange("GET", self.url + path, allowed=self._allowed)
        except PartFailed as error:
            error.hint = error.hint or _NO_ADMIN_PORT
            raise
        try:
            if answer.status == http.client.OK:
                return json.loads(answer.text)
        except ValueError:
            pass
        raise PartFailed(f"`{self.url}{path}` is not an Envoy's answer (status {answer.status})")


def percentage(percent: Decimal) -> str:
    """A percentage as a runtime value: a whole number, else parts of a million.

    Args:
        percent: above 0, up to 100, with at most four decimals.
    """
    if percent == percent.to_integral_value():
        return str(int(percent))
    return json.dumps({"numerator": int(percent * _MILLION / 100), "denominator": "MILLION"}, separators=(",", ":"))


def _reason(health: Mapping[str, Any]) -> str | None:
    reasons = [name.replace("_", " ") for name, value in sorted(health.items()) if value is True]
    if not reasons and health.get("eds_health_status", "HEALTHY") == "HEALTHY":
        return None
    return ", ".join(reasons) or str(health["eds_health_status"]).lower()
