"""What the keyword finder promises, in the phase it is in: a gateway before analyzer, search engine and processor.

The document foresees three phases. Each has a row below; the objectives are those of `NOW`. A gate for the next phase
reads its row.

Metrics, as the document names them where it does:

- gateway, job `keywords`: the counter `request_rate`, which every Prometheus client writes as
  `request_rate_total{endpoint,method,status}`, and the histogram `response_time{endpoint,method}`. Its
  buckets (0.1, 0.5, 1, 2 and 5 s) cannot tell 200 ms, which phase 2 promises: one at 0.2 s has to be added,
- services, job `keywords-services`: `http_requests_total{service,endpoint,method,status}`,
  `http_request_duration_seconds{service,endpoint,method}` with the same buckets, `cache_hit_rate{cache_name}`,
  `active_connections{service}`, `queue_size{queue_name}`, `database_connections{database,state}`,
- containers, job `keywords-containers`, as cAdvisor names them: `container_cpu_usage_seconds_total`,
  `container_memory_usage_bytes`, `container_spec_memory_limit_bytes`, each with `pod` and `container`,
- job `keywords-cost`: the counter `cloud_cost_dollars_total`.
"""

from typing import NamedTuple

from sloproof import SLO, ErrorRatio, GaugeAbove, GaugeBelow, LatencyBelow, Service


class Phase(NamedTuple):
    """What one phase of growth promises, and how much of it."""

    requests_per_second: int  # in each region
    latency: str  # of 95 % of requests
    availability: str  # per cent


PHASES = {
    1: Phase(1_000, latency="500ms", availability="99.5"),
    2: Phase(10_000, latency="200ms", availability="99.9"),
    3: Phase(50_000, latency="100ms", availability="99.99"),
}
NOW = PHASES[2]  # the document's own targets

finder = Service(
    name="keywords",
    owner="keywords team",
    job="keywords",
    description="people analyse keywords and search among them",
    depends_on=("gateway", "keyword-analyzer", "search-engine", "data-processor", "PostgreSQL", "Redis cluster"),
    escalation="the platform team's on-call",
)

availability = SLO(
    service=finder,
    name="availability",
    objective=NOW.availability,
    sli=ErrorRatio(
        errors='request_rate_total{job="keywords",status=~"5.."}',
        total='request_rate_total{job="keywords"}',
    ),
    description="an analysis that fails has to be asked for again, and others build on its answer",
)

latency = SLO(
    service=finder,
    name="latency",
    objective="95",
    sli=LatencyBelow(NOW.latency, histogram='response_time{job="keywords"}'),
    by=("endpoint",),  # slow analyses would be lost among fast searches
    description="people wait for the answer before they type the next word",
)

throughput = SLO(
    service=finder,
    name="throughput",
    objective="95",
    sli=GaugeAbove(
        NOW.requests_per_second,
        # Only what is asked for can be served: a quiet night is not measured, and is no failure.
        gauge='sum by (region) (rate(request_rate_total{job="keywords",status!~"5.."}[5m]))'
        f' and (sum by (region) (rate(request_rate_total{{job="keywords"}}[5m])) >= {NOW.requests_per_second})',
        meaning=f"a second in which {NOW.requests_per_second} requests a second are served, of those in which so many "
        "are asked for",
    ),
    by=("region",),
    description="customers plan with the rate that was promised to them",
)

cost = SLO(
    service=finder,
    name="cost",
    objective="95",
    sli=GaugeBelow(
        "0.01",
        gauge='sum(rate(cloud_cost_dollars_total{job="keywords-cost"}[1h]))'
        ' / sum(rate(request_rate_total{job="keywords"}[1h]))',
        meaning="a second in which a request costs less than USD 0.01, over the last hour",
    ),
    description="above one cent a request, every customer costs more than they pay",
)
