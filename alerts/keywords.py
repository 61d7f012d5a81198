"""When to look at the keyword finder: the alerts of its document, with its limits, durations and severities."""

from slo import keywords
from slo.keywords import finder
from sloproof import BudgetAlerts, BurnPolicy, BurnTier, CauseAlert

_WAITING = (keywords.throughput, keywords.cost)

# What changes over days is judged over days, and wakes nobody.
over_days = BurnPolicy(
    tiers=(BurnTier(name="trickle", budget_share="0.10", long="3d", short="6h", severity="ticket", hold="2m"),),
    applies_to=_WAITING,
)
no_second_ticket = BudgetAlerts(below=None, exhausted_within=None, review_share=None, applies_to=_WAITING)

high_cpu = CauseAlert(
    service=finder,
    name="high-cpu",
    expression='avg by (pod) (rate(container_cpu_usage_seconds_total{job="keywords-containers",container!=""}[5m]))',
    above="0.8",
    hold="5m",
    severity="warning",
    summary="a pod uses more than 80 % of a CPU",
    first_step="see whether the autoscaler adds pods; at 20 pods it cannot, and load has to be shed",
    measures="a pod's use of CPU",
    unit="CPUs",
    consequence="analyses wait for a processor, and answers become slow before anything fails",
)

high_memory = CauseAlert(
    service=finder,
    name="high-memory",
    expression='container_memory_usage_bytes{job="keywords-containers",container!=""}'
    ' / container_spec_memory_limit_bytes{job="keywords-containers",container!=""}',
    above="0.85",
    hold="5m",
    severity="warning",
    summary="a container uses more than 85 % of its memory, and is killed at 100 %",
    first_step="restart the fullest pod while others serve; then compare its cache with the other pods'",
    measures="a container's use of its memory",
    unit="ratio",
    consequence="the container is killed in the middle of its requests, and comes back with a cold cache",
)

slow_answers = CauseAlert(
    service=finder,
    name="slow-answers",
    expression="histogram_quantile(0.95, sum by (le, endpoint) "
    '(rate(http_request_duration_seconds_bucket{job="keywords-services"}[5m])))',
    above=1,
    hold="5m",
    severity="warning",
    summary="one answer in twenty of an endpoint takes longer than 1 s",
    first_step="see whether it is analysing or searching; then look at the queue and the cache behind it",
    measures="the answer time that 19 of 20 requests of an endpoint stay under",
    unit="seconds",
    consequence="people wait for their keywords, and the latency objective burns",
)

server_errors = CauseAlert(
    service=finder,
    name="server-errors",
    # By endpoint, not by `service`: that label of an alert says whose alert it is.
    expression='sum by (endpoint) (rate(http_requests_total{job="keywords-services",status=~"5.."}[5m]))'
    ' / sum by (endpoint) (rate(http_requests_total{job="keywords-services"}[5m]))',
    above="0.05",
    hold="5m",
    severity="critical",
    summary="more than 5 % of an endpoint's requests fail",
    first_step="see which service answers with errors, and roll back what was released there last",
    measures="the share of an endpoint's requests that end with a server error",
    unit="ratio",
    consequence="one request in twenty of that endpoint, or more, gives no keywords at all, and people have to "
    "ask again",
)

cold_cache = CauseAlert(
    service=finder,
    name="cold-cache",
    expression='cache_hit_rate{job="keywords-services"}',
    below="0.8",
    hold="10m",
    severity="warning",
    summary="a cache answers fewer than 80 % of what it is asked for, and the rest goes to the database",
    first_step="see whether Redis evicts keys or was restarted; after a restart wait until it is warm again",
    measures="the share of questions that a cache answers",
    unit="ratio",
    consequence="the database gets the rest: answers become slow first, then they fail when it can take no more",
)
