"""What the objectives do not show of the task service: who does the work, and what the balancer saves users from."""

from slo.tasks import api
from sloproof import CustomPanels, Panel

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
