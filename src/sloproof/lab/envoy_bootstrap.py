"""The balancer's bootstrap: one listener, one cluster of interchangeable instances, and a fault filter that is idle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

DELAY_PERCENT = "fault.http.delay.fixed_delay_percent"
"""Runtime key: per cent of requests (0 to 100) that wait `DELAY_MILLISECONDS` before they are sent on."""
DELAY_MILLISECONDS = "fault.http.delay.fixed_duration_ms"
"""Runtime key: how long a delayed request waits."""
ABORT_PERCENT = "fault.http.abort.abort_percent"
"""Runtime key: per cent of requests (0 to 100) that are answered with `ABORT_STATUS` by the balancer itself."""
ABORT_STATUS = "fault.http.abort.http_status"
"""Runtime key: the status of an aborted request."""

IDLE_FAULTS: Mapping[str, int] = {
    DELAY_PERCENT: 0,
    DELAY_MILLISECONDS: 0,
    ABORT_PERCENT: 0,
    ABORT_STATUS: 503,
}
"""The static runtime layer: what each key is worth while no fault is set."""

ROUTE_FAULTS = "sloproof.route_fault"
"""A second fault filter, which each named route configures for itself: the first one goes on for all requests."""

HISTOGRAM_MILLISECONDS = (
    5, 10, 25, 50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 1000, 1500, 2000, 2500, 5000, 10000,
)  # fmt: skip
"""Bucket edges of the request-time histogram; each latency threshold of an SLO must be one of them.

Envoy keeps two significant digits, so the bucket `le="500"` also holds what took up to 510 ms.
"""

_HTTP_CONNECTION_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_UPSTREAM_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_REPEATABLE_METHODS = "GET|HEAD|OPTIONS|PUT|DELETE"


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """What one balancer does.

    Args:
        name: label value of `envoy_http_conn_manager_prefix` and name of the cluster.
        port: where users call.
        admin_port: where its admin interface answers.
        instances: port of each instance, by name.
        route_timeout: seconds after which a request is answered with 504, retries included.
        try_timeout: seconds after which one try is given up and may be retried.
        repeatable_paths: paths whose POST changes nothing, so that it may be sent twice.
        named_routes: path of each route that can have faults of its own, by name; with all that is below it.
    """

    name: str
    port: int
    admin_port: int
    instances: Mapping[str, int]
    route_timeout: float = 5.0
    try_timeout: float = 2.5
    repeatable_paths: tuple[str, ...] = field(default=())
    named_routes: Mapping[str, str] = field(default_factory=dict)


def bootstrap(balancer: Balancer) -> str:
    """The bootstrap as JSON text, which Envoy reads as YAML.

    Args:
        balancer: what it listens on and whom it balances.

    Returns:
        Text that is the same for the same balancer.
    """
    document: JsonObject = {
        "node": {"id": balancer.name, "cluster": balancer.name},
        "admin": {"address": _address(balancer.admin_port), "profile_path": "/dev/null"},
        # Histograms are merged by a timer, counters are not. With `stats_flush_on_admin` a scrape shows the
        # histograms as they were at the scrape before it.
        "stats_flush_interval": "0.1s",
        "stats_config": {"histogram_bucket_settings": [_buckets()]},
        "layered_runtime": {
            "layers": [
                {"name": "idle", "static_layer": _idle(balancer)},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "static_resources": {"listeners": [_listener(balancer)], "clusters": [_cluster(balancer)]},
    }
    return json.dumps(document, indent=2) + "\n"


def _address(port: int) -> JsonObject:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _buckets() -> JsonObject:
    return {"match": {"suffix": "_rq_time"}, "buckets": list(HISTOGRAM_MILLISECONDS)}


def _typed(message: str, **fields: Any) -> JsonObject:
    return {"@type": f"type.googleapis.com/{message}", **fields}


def _listener(balancer: Balancer) -> JsonObject:
    manager = _typed(
        _HTTP_CONNECTION_MANAGER,
        stat_prefix=balancer.name,
        codec_type="AUTO",
        use_remote_address=True,
        request_timeout="15s",
        stream_idle_timeout="30s",
        common_http_protocol_options={"idle_timeout": "120s"},
        http_filters=[_fault_filter(), _route_fault_filter(), _router_filter()],
        route_config=_routes(balancer),
    )
    return {
        "name": "users",
        "address": _address(balancer.port),
        "per_connection_buffer_limit_bytes": 1_048_576,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _idle(balancer: Balancer) -> JsonObject:
    of_routes = {_of_route(key, name): value for name in balancer.named_routes for key, value in IDLE_FAULTS.items()}
    return {**IDLE_FAULTS, **of_routes}


def _of_route(key: str, route: str) -> str:
    return key.replace("fault.http.", f"fault.http.route.{route}.", 1)


def _fault_filter() -> JsonObject:
    never = {"numerator": 0, "denominator": "HUNDRED"}
    return {
        "name": "envoy.filters.http.fault",
        "typed_config": _typed(
            "envoy.extensions.filters.http.fault.v3.HTTPFault",
            delay={"fixed_delay": "0.001s", "percentage": never},
            abort={"http_status": IDLE_FAULTS[ABORT_STATUS], "percentage": never},
        ),
    }


def _route_fault_filter() -> JsonObject:
    return {
        "name": ROUTE_FAULTS,
        "typed_config": _typed("envoy.extensions.filters.http.fault.v3.HTTPFault"),
    }


def _faults_of(route: str) -> JsonObject:
    never = {"numerator": 0, "denominator": "HUNDRED"}
    return {
        ROUTE_FAULTS: _typed(
            "envoy.extensions.filters.http.fault.v3.HTTPFault",
            delay={"fixed_delay": "0.001s", "percentage": never},
            abort={"http_status": IDLE_FAULTS[ABORT_STATUS], "percentage": never},
            delay_percent_runtime=_of_route(DELAY_PERCENT, route),
            delay_duration_runtime=_of_route(DELAY_MILLISECONDS, route),
            abort_percent_runtime=_of_route(ABORT_PERCENT, route),
            abort_http_status_runtime=_of_route(ABORT_STATUS, route),
        )
    }


def _router_filter() -> JsonObject:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": _typed("envoy.extensions.filters.http.router.v3.Router"),
    }


def _routes(balancer: Balancer) -> JsonObject:
    repeatable = {"name": ":method", "string_match": {"safe_regex": {"regex": _REPEATABLE_METHODS}}}
    repeated = _action(balancer, "connect-failure,refused-stream,reset,retriable-status-codes")
    careful = _action(balancer, "connect-failure,refused-stream,reset-before-request")
    routes: list[JsonObject] = []
    for name, path in balancer.named_routes.items():
        match, faults = {"path_separated_prefix": path}, {"typed_per_filter_config": _faults_of(name)}
        otherwise = repeated if path in balancer.repeatable_paths else careful
        routes.append({"match": {**match, "headers": [repeatable]}, "route": repeated, **faults})
        routes.append({"match": match, "route": otherwise, **faults})
    routes += [
        {"match": {"prefix": "/", "headers": [repeatable]}, "route": repeated},
        *({"match": {"path": path}, "route": repeated} for path in balancer.repeatable_paths),
        # A write that an instance may have carried out is never sent twice.
        {"match": {"prefix": "/"}, "route": careful},
    ]
    return {"name": "users", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


def _action(balancer: Balancer, retry_on: str) -> JsonObject:
    return {
        "cluster": balancer.name,
        "timeout": f"{balancer.route_timeout}s",
        "retry_policy": {
            "retry_on": retry_on,
            "retriable_status_codes": [503],
            "num_retries": 2,
            "per_try_timeout": f"{balancer.try_timeout}s",
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": _typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
                }
            ],
            "host_selection_retry_max_attempts": 3,
        },
    }


def _cluster(balancer: Balancer) -> JsonObject:
    return {
        "name": balancer.name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "lb_policy": "LEAST_REQUEST",
        "common_lb_config": {
            # No panic: with every instance out, users get a 503 at once instead of a walk through dead hosts.
            "healthy_panic_threshold": {"value": 0},
            # By default a change of health that follows another waits a second; requests go by the old one until then.
            "update_merge_window": "0s",
        },
        "health_checks": [_health_check()],
        "outlier_detection": _outlier_detection(),
        "circuit_breakers": {"thresholds": [_circuit_breaker()]},
        "typed_extension_protocol_options": {_UPSTREAM_HTTP: _upstream_http()},
        "load_assignment": {
            "cluster_name": balancer.name,
            "endpoints": [{"lb_endpoints": [_endpoint(name, port) for name, port in balancer.instances.items()]}],
        },
    }


def _health_check() -> JsonObject:
    return {
        "timeout": "0.5s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 2,
        # Without the range a single answer outside of 200 takes the instance out, whatever the threshold.
        "http_health_check": {"path": "/healthz", "retriable_statuses": [{"start": 500, "end": 600}]},
    }


def _outlier_detection() -> JsonObject:
    return {
        "interval": "1s",
        "base_ejection_time": "5s",
        "max_ejection_time": "30s",
        "max_ejection_percent": 50,
        "consecutive_5xx": 5,
        "consecutive_gateway_failure": 3,
        "enforcing_consecutive_gateway_failure": 100,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        # Success rates need five hosts and a hundred requests an interval; two instances never give that.
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
    }


def _circuit_breaker() -> JsonObject:
    return {
        "priority": "DEFAULT",
        "max_connections": 256,
        "max_pending_requests": 256,
        "max_requests": 512,
        "retry_budget": {"budget_percent": {"value": 20.0}, "min_retry_concurrency": 5},
        "track_remaining": True,
    }


def _upstream_http() -> JsonObject:
    return _typed(
        _UPSTREAM_HTTP,
        # Shorter than the instances' keep-alive, so that it is never the instance that closes an idle connection.
        common_http_protocol_options={"idle_timeout": "20s"},
        explicit_http_config={"http_protocol_options": {}},
    )


def _endpoint(name: str, port: int) -> JsonObject:
    return {"endpoint": {"hostname": name, "address": _address(port)}}
