"""The panels that the keyword finder's document asks for by name, and its endpoints and regions beside each other."""

from slo.keywords import finder
from sloproof import Breakdown, Capacity, CustomPanels, Panel, Step

CONTAINERS = 'job="keywords-containers",container!=""'

keywords = CustomPanels(
    service=finder,
    panels=(
        Panel(
            title="Throughput by service",
            description="Requests per second of each service behind the gateway. One that falls while the others stay "
            "is down, or is no longer asked.",
            expression='sum by (service) (rate(http_requests_total{job="keywords-services"}[$__rate_interval]))',
            unit="reqps",
            legend="{{service}}",
        ),
        Panel(
            title="p95 latency by endpoint",
            description="What 95 % of the answers of each endpoint stayed within. 200 ms is promised at the gateway; "
            "from 1 s on an alert fires.",
            expression="histogram_quantile(0.95, sum by (le, endpoint) "
            '(rate(http_request_duration_seconds_bucket{job="keywords-services"}[$__rate_interval])))',
            unit="s",
            legend="{{endpoint}}",
            limit=1,
        ),
        Panel(
            title="CPU by pod",
            description="CPUs that each pod uses. From 70 % on the autoscaler adds pods; from 80 % on an alert fires.",
            expression=f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval]))",
            unit="percentunit",
            legend="{{pod}}",
            limit="0.8",
        ),
        Panel(
            title="Memory by pod",
            description="What each container uses of its limit. From 80 % on the autoscaler adds pods; at 100 % the "
            "container is killed.",
            expression=f"container_memory_usage_bytes{{{CONTAINERS}}} / "
            f"container_spec_memory_limit_bytes{{{CONTAINERS}}}",
            unit="percentunit",
            legend="{{pod}} {{container}}",
            limit="0.85",
        ),
        Panel(
            title="Number of pods",
            description="Pods that run now. The autoscaler keeps between 2 and 20 of each service.",
            expression=f"count(count by (pod) (container_spec_memory_limit_bytes{{{CONTAINERS}}}))",
            unit="none",
            kind="figure",
            width=6,
        ),
        Panel(
            title="Cache hit rate",
            description="What each cache answers of what it is asked. Below 0.4 the database does nearly all the work; "
            "from 0.8 on all is well.",
            expression='cache_hit_rate{job="keywords-services"}',
            unit="percentunit",
            legend="{{cache_name}}",
            kind="gauge",
            steps=(
                Step(colour="dark-red"),
                Step(at="0.4", colour="red"),
                Step(at="0.6", colour="yellow"),
                Step(at="0.8", colour="green"),
            ),
            width=6,
        ),
        Panel(
            title="Queue size",
            description="Work that waits in each queue. One that only grows is fed faster than it is worked off.",
            expression='queue_size{job="keywords-services"}',
            unit="short",
            legend="{{queue_name}}",
        ),
        Panel(
            title="Cost of a request",
            description="Dollars a request, over the last hour. More than one cent is more than customers pay.",
            expression='sum(rate(cloud_cost_dollars_total{job="keywords-cost"}[$__rate_interval]))'
            ' / sum(rate(request_rate_total{job="keywords"}[$__rate_interval]))',
            unit="currencyUSD",
            legend="a request",
            limit="0.01",
        ),
    ),
)

by_endpoint = Breakdown(
    service=finder,
    label="endpoint",
    requests='request_rate_total{job="keywords"}',
    errors='request_rate_total{job="keywords",status=~"5.."}',
    histogram='response_time{job="keywords"}',
    description="Endpoints as the gateway counts them: analyses are slow, searches are fast.",
)
by_region = Breakdown(
    service=finder,
    label="region",
    requests='request_rate_total{job="keywords"}',
    errors='request_rate_total{job="keywords",status=~"5.."}',
    histogram='response_time{job="keywords"}',
    description="Regions, each of which is promised its own throughput.",
)

cpu = Capacity(
    service=finder,
    title="CPU",
    description="The busiest pod's CPUs, of the one that each may use.",
    expression=f"max(sum by (pod) (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval])))",
    limit=1,
    unit="percentunit",
    legend="busiest pod",
)
connections = Capacity(
    service=finder,
    title="Database connections",
    description="Connections to the database that are in use; PostgreSQL allows 100 as it comes.",
    expression='sum(database_connections{job="keywords-services",state="active"})',
    limit=100,
    unit="none",
    legend="in use",
)
