"""What the objectives do not show of the task service: who does the work, and what the balancer saves users from."""

from slo.tasks import api
from sloproof import Breakdown, Capacity, CustomPanels, Panel, Step

REQUESTS = 'sum by (instance) (rate(http_requests_total{job="tasks-api"}[$__rate_interval]))'
ALL_REQUESTS = 'sum(rate(http_requests_total{job="tasks-api"}[$__rate_interval]))'

tasks = CustomPanels(
    service=api,
    panels=(
        Panel(
            title="Share of requests by instance",
            description="Who answers, as the instances count it; two healthy instances have about one half each. "
            "An instance that falls to zero is out of the balancer or dead.",
            expression=f"{REQUESTS} / scalar({ALL_REQUESTS})",
            unit="percentunit",
            legend="{{instance}}",
            stacked=True,
        ),
        Panel(
            title="Requests by instance",
            description="Requests per second that each instance answered, the balancer's retries included.",
            expression=REQUESTS,
            unit="reqps",
            legend="{{instance}}",
        ),
        Panel(
            title="Instances that the balancer uses",
            description="Healthy instances as Envoy sees them, by `/healthz` and by what they answer. "
            "Below two there is no spare; at zero every request fails.",
            expression='envoy_cluster_membership_healthy{job="tasks-balancer",envoy_cluster_name="tasks"}',
            unit="none",
            legend="healthy",
            width=8,
        ),
        Panel(
            title="Cache hit rate",
            description="Of the look-ups in the cache, the part that was answered from it. Low after a restart and "
            "under many writes; low for long means that the database does all the work.",
            expression='sum(rate(cache_requests_total{job="tasks-api",result="hit"}[$__rate_interval])) / '
            'sum(rate(cache_requests_total{job="tasks-api",result=~"hit|miss"}[$__rate_interval]))',
            unit="percentunit",
            legend="hits",
            kind="gauge",
            steps=(
                Step(colour="red"),
                Step(at="0.4", colour="orange"),
                Step(at="0.6", colour="yellow"),
                Step(at="0.8", colour="green"),
            ),
            width=8,
        ),
        Panel(
            title="Retries",
            description="Requests per second that the balancer sent a second time. Users do not see them yet: "
            "many retries are errors that will show once the retry budget is used up.",
            expression='rate(envoy_cluster_upstream_rq_retry{job="tasks-balancer",envoy_cluster_name="tasks"}'
            "[$__rate_interval])",
            unit="reqps",
            legend="retries",
            width=8,
        ),
        Panel(
            title="Server errors by instance and code",
            description="5xx answers per second as the instances count them. Errors at the balancer without errors "
            "here come from the balancer itself or from an instance that died.",
            expression='sum by (instance, code) (rate(http_requests_total{job="tasks-api",code=~"5.."}'
            "[$__rate_interval]))",
            unit="reqps",
            legend="{{instance}} {{code}}",
            width=8,
        ),
        Panel(
            title="p95 latency by route, inside the instances",
            description="Without the balancer's queue and retries. Slow users and fast instances: the time is lost "
            "before the instances. One slow route: look at its query.",
            expression="histogram_quantile(0.95, sum by (le, route) (rate("
            'http_request_duration_seconds_bucket{job="tasks-api"}[$__rate_interval])))',
            unit="s",
            legend="{{route}}",
            width=24,
        ),
    ),
)

by_route = Breakdown(
    service=api,
    label="route",
    requests='http_requests_total{job="tasks-api"}',
    errors='http_requests_total{job="tasks-api",code=~"5.."}',
    histogram='http_request_duration_seconds{job="tasks-api"}',
    description="Routes as the instances know them, without what the balancer answers itself.",
)
by_instance = Breakdown(
    service=api,
    label="instance",
    requests='http_requests_total{job="tasks-api"}',
    errors='http_requests_total{job="tasks-api",code=~"5.."}',
    histogram='http_request_duration_seconds{job="tasks-api"}',
    even=True,
    description="The API instances behind the balancer, which are to share the requests evenly.",
)

balancer_connections = Capacity(
    service=api,
    title="Connections to the instances",
    description="Connections that the balancer holds open to the instances. At the limit its circuit breaker opens "
    "and requests fail at once; add an instance before.",
    expression='sum(envoy_cluster_upstream_cx_active{job="tasks-balancer",envoy_cluster_name="tasks"})',
    limit=256,  # `max_connections` of the balancer's circuit breaker
    unit="none",
    legend="open",
)
balancer_memory = Capacity(
    service=api,
    title="Memory of the balancer",
    description="What the balancer has allocated. It grows with connections and routes, not with time: growth under "
    "even traffic is a leak.",
    expression='envoy_server_memory_allocated{job="tasks-balancer"}',
    limit=512 * 2**20,
    unit="bytes",
    legend="allocated",
)
