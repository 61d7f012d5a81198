"""What the one process holds, and what it is short of first."""

from slo.monolith import REQUESTS_PER_SECOND_IT_HOLDS, api
from sloproof import Breakdown, Capacity, CustomPanels, Panel

monolith = CustomPanels(
    service=api,
    panels=(
        Panel(
            title="Throughput",
            description="Requests per second, and what the process is known to hold.",
            expression='sum(rate(http_requests_total{job="monolith"}[$__rate_interval]))',
            unit="reqps",
            legend="all",
            limit=REQUESTS_PER_SECOND_IT_HOLDS,
            width=8,
        ),
        Panel(
            title="Memory of the process",
            description="Resident memory; the cache and the rate limiter live in it.",
            expression='process_resident_memory_bytes{job="monolith"}',
            unit="bytes",
            legend="resident",
            limit=100_000_000,
            width=8,
        ),
        Panel(
            title="Writes that found the file locked",
            description="Statements per second that gave up because another one held the SQLite file.",
            expression='sum(rate(sqlite_busy_total{job="monolith"}[$__rate_interval]))',
            unit="ops",
            legend="given up",
            width=8,
        ),
    ),
)

by_route = Breakdown(
    service=api,
    label="route",
    requests='http_requests_total{job="monolith"}',
    errors='http_requests_total{job="monolith",code=~"5.."}',
    histogram='http_request_duration_seconds{job="monolith"}',
    description="Routes of the one process.",
)
memory = Capacity(
    service=api,
    title="Memory",
    description="Resident memory of the process, of the 100 MB that an instance may use.",
    expression='max(process_resident_memory_bytes{job="monolith"})',
    limit=100_000_000,
    unit="bytes",
    legend="resident",
)
