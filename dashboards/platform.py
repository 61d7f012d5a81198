"""The platform's regions, routes and shards beside each other, and what fills up."""

from slo.platform import DOLLARS_A_MONTH, gateway
from sloproof import Breakdown, Capacity, CustomPanels, Panel

platform = CustomPanels(
    service=gateway,
    panels=(
        Panel(
            title="Throughput by service",
            description="Requests per second of each service behind the gateways, all regions together.",
            expression='sum by (service) (rate(http_requests_total{job="platform"}[$__rate_interval]))',
            unit="reqps",
            legend="{{service}}",
        ),
        Panel(
            title="Connections by service",
            description="Connections that are open to each service. They grow when answers become slow.",
            expression='sum by (service) (active_connections{job="platform"})',
            unit="short",
            legend="{{service}}",
        ),
        Panel(
            title="Age of the freshest copy, by shard",
            description="How far the slowest replica of each shard is behind: what would be lost with its region. "
            "5 minutes are the most that may be.",
            expression='time() - min by (shard) (replication_heartbeat_timestamp_seconds{job="platform-database"})',
            unit="s",
            legend="{{shard}}",
            limit=300,
        ),
        Panel(
            title="Dead letters",
            description="Messages that no consumer could work off. They are not lost: find the poison, then replay.",
            expression='sum by (queue) (queue_dead_letter_messages{job="platform-queue"})',
            unit="short",
            legend="{{queue}}",
        ),
        Panel(
            title="Month's cost, as it is foreseen",
            description="What the month will cost. Between USD 7,700 and 22,400 was reckoned with.",
            expression='sum(cloud_cost_forecast_month_dollars{job="platform-cost"})',
            unit="currencyUSD",
            legend="forecast",
            limit=DOLLARS_A_MONTH[1],
        ),
    ),
)

by_region = Breakdown(
    service=gateway,
    label="region",
    requests='http_requests_total{job="platform"}',
    errors='http_requests_total{job="platform",status_code=~"5.."}',
    histogram='http_request_duration_seconds{job="platform"}',
    description="Regions. When one is lost, the other two carry its users.",
)
by_route = Breakdown(
    service=gateway,
    label="route",
    requests='http_requests_total{job="platform"}',
    errors='http_requests_total{job="platform",status_code=~"5.."}',
    histogram='http_request_duration_seconds{job="platform"}',
    description="Routes of the gateway, all regions together.",
)
requests = Capacity(
    service=gateway,
    title="Requests",
    description="Requests per second of all regions, of the peak that the platform is built for.",
    expression='sum(rate(http_requests_total{job="platform"}[$__rate_interval]))',
    limit=1_000_000,
    unit="reqps",
    legend="all regions",
)
