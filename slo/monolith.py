"""What the monolith promises: one process, one SQLite file, and its rate limit and cache in its own memory.

It exists to show what such a shape cannot do. Its owners asked for 1,000 users at once; the process holds a tenth of
that, so its gate closes. The numbers are estimates of its owners, not measurements.

Metrics, as the process shows them itself with a Prometheus client (there is nothing in front of it):

- `http_requests_total{method,route,code}` and `http_request_duration_seconds{method,route}`, with a bucket at 0.2 s,
- `process_resident_memory_bytes` and `process_start_time_seconds`, which every Prometheus client has,
- `sqlite_busy_total`: statements that found the file locked and gave up.
"""

from sloproof import SLO, ErrorRatio, GaugeBelow, LatencyBelow, Service

# What the owners estimate; capacity tests measure it.
USERS_IT_HOLDS = 100  # at once; 200 with luck
USERS_ASKED_FOR = 1000
REQUESTS_PER_SECOND_IT_HOLDS = 100

api = Service(
    name="monolith",
    owner="monolith team",
    job="monolith",
    description="people use the first version of the product with it",
    depends_on=("the one process", "the SQLite file", "the disk that holds the file and the logs"),
    escalation="the platform team's on-call",
)

availability = SLO(
    service=api,
    name="availability",
    objective="99",  # every release stops the process: more cannot be promised
    sli=ErrorRatio(
        errors='http_requests_total{job="monolith",code=~"5.."}',
        total='http_requests_total{job="monolith"}',
    ),
    description="there is no second instance: whoever gets an error has nowhere else to go",
)

latency = SLO(
    service=api,
    name="latency",
    objective="95",
    sli=LatencyBelow("200ms", histogram='http_request_duration_seconds{job="monolith"}'),
    description="one slow statement or log line holds up everybody behind it",
)

memory = SLO(
    service=api,
    name="memory",
    objective="99",
    sli=GaugeBelow(
        "100000000",
        gauge='process_resident_memory_bytes{job="monolith"}',
        meaning="a second in which the process uses at most 100 MB",
    ),
    description="the cache and the rate limiter live in the process and are lost when it is killed for its memory",
)
