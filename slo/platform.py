"""What the platform promises: three regions, each with services behind a gateway, a cache, a queue and four shards.

Its document promises what no alert can save. 99.999 % of 30 days leaves 26 seconds; from the start of a full outage to
the first page a scrape, an evaluation and Alertmanager's wait go by, which is longer than that. Whole outages are for
the routing between regions to survive. The burn alerts see the rest: when 1 request in 6,944 fails the fast pair pages,
with nearly all of the budget left.

Every target carries the label `region`, set where it is scraped. Metrics, as the document names them where it does:

- gateway, job `platform`: `http_requests_total{method,route,status_code,service}`,
  `http_request_duration_seconds{method,route,service}` (its first bucket is 0.1 s), `active_connections{service}`,
- probes of each region's front door, job `platform-probe`, as the blackbox exporter names them: `probe_success`,
- databases, job `platform-database`, each target with the label `shard` too: `pg_up{shard}`, and on the replicas
  `replication_heartbeat_timestamp_seconds{shard}`: the Unix time that the primary wrote last and the replica has,
- queues, job `platform-queue`: `queue_dead_letter_messages{queue}`,
- job `platform-cost`: `cloud_cost_forecast_month_dollars`.
"""

from sloproof import SLO, ErrorRatio, FreshWithin, GaugeAbove, GaugeBelow, LatencyBelow, ProbeUp, Service

PEAK_REQUESTS_PER_SECOND = 1_000_000
SIMULTANEOUS_USERS = 1_000_000
RECOVERY_TIME = "15m"  # the longer end of 5 to 15 minutes; experiments measure it
RECOVERY_POINT = "5m"  # the longer end of 1 to 5 minutes
DOLLARS_A_MONTH = (7_700, 22_400)

gateway = Service(
    name="platform",
    owner="global platform team",
    job="platform",
    description="users, orders and products of every customer, in three regions",
    depends_on=("DNS", "regional balancers", "user, order and product services", "Redis", "queues", "4 shards"),
    escalation="the incident commander on call",
)

availability = SLO(
    service=gateway,
    name="availability",
    objective="99.999",
    sli=ErrorRatio(
        errors='http_requests_total{job="platform",status_code=~"5.."}',
        total='http_requests_total{job="platform"}',
    ),
    by=("region",),  # the errors of one region would be diluted by two that work
    minimum_bad_events=20,  # at this objective 3 unlucky requests in 20,000 are already a burn of 15
    description="customers run their own shops on it, and theirs stop when it stops",
)

latency = SLO(
    service=gateway,
    name="latency",
    objective="95",
    sli=LatencyBelow("100ms", histogram='http_request_duration_seconds{job="platform"}'),
    by=("region",),
    description="a page of a customer's shop waits for several of these answers in a row",
)

throughput = SLO(
    service=gateway,
    name="throughput",
    objective="95",
    sli=GaugeAbove(
        "100000",
        # Only what is asked for can be served: a quiet night is not measured, and is no failure.
        gauge='sum(rate(http_requests_total{job="platform",status_code!~"5.."}[5m]))'
        ' and (sum(rate(http_requests_total{job="platform"}[5m])) >= 100000)',
        meaning="a second in which 100,000 requests a second are served, of those in which so many are asked for",
    ),
    description="at the rate of an ordinary sale every customer must still be served",
)

recovery = SLO(
    service=gateway,
    name="recovery",
    objective="99.965",  # 15 of the 43,200 minutes of 30 days: one loss of a region, recovered as slowly as promised
    sli=ProbeUp(probe='probe_success{job="platform-probe"}', meaning="a probe that a region's front door answered"),
    by=("region",),
    description="a region that does not come back leaves the other two to carry its users",
)

replication = SLO(
    service=gateway,
    name="replication",
    objective="99.9",
    sli=FreshWithin(RECOVERY_POINT, last_success='replication_heartbeat_timestamp_seconds{job="platform-database"}'),
    by=("shard",),
    description="what has not been copied is lost with its region: orders that customers were told are placed",
)

cost = SLO(
    service=gateway,
    name="cost",
    objective="95",
    sli=GaugeBelow(
        DOLLARS_A_MONTH[1],
        gauge='sum(cloud_cost_forecast_month_dollars{job="platform-cost"})',
        meaning="a second in which the month is foreseen to cost at most USD 22,400",
    ),
    description="the customers' prices were worked out with it",
)
