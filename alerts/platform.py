"""When to wake somebody for the platform.

Regions, availability and replication use the default policy. At 99.999 % every tier can fire: the fast pair at 1 bad
request in 6,944, the slowest at 1 in 100,000.
"""

from slo import platform
from slo.platform import gateway
from sloproof import BudgetAlerts, BurnPolicy, BurnTier, CauseAlert

_WAITING = (platform.throughput, platform.cost)

# What changes over days is judged over days, and wakes nobody.
over_days = BurnPolicy(
    tiers=(BurnTier(name="trickle", budget_share="0.10", long="3d", short="6h", severity="ticket", hold="2m"),),
    applies_to=_WAITING,
)
no_second_ticket = BudgetAlerts(below=None, exhausted_within=None, review_share=None, applies_to=_WAITING)

slow_on_average = CauseAlert(
    service=gateway,
    name="slow-on-average",
    expression='sum by (region) (rate(http_request_duration_seconds_sum{job="platform"}[5m]))'
    ' / sum by (region) (rate(http_request_duration_seconds_count{job="platform"}[5m]))',
    above="0.1",
    hold="5m",
    severity="warning",
    summary="the mean answer of a region takes longer than 100 ms",
    first_step="compare the regions: one slow region has a local cause, three have a release or a shard in common",
    measures="a region's mean answer time",
    unit="seconds",
    consequence="people near that region wait longer than was promised, and the latency objective burns",
)

stale_replica = CauseAlert(
    service=gateway,
    name="stale-replica",
    expression='time() - min by (shard) (replication_heartbeat_timestamp_seconds{job="platform-database"})',
    above=60,
    hold="2m",
    severity="warning",
    summary="a replica of a shard is more than a minute behind, and 5 minutes are the most that may be lost",
    first_step="see whether one shard is behind, by a long transaction, or all, by the network between the regions",
    measures="the age of what the replica furthest behind has of a shard",
    unit="seconds",
    consequence="nobody notices until the shard fails over to it; what was written in that time is then lost",
)

shard_down = CauseAlert(
    service=gateway,
    name="shard-down",
    # A host that is gone takes its exporter along; then only Prometheus's own `up` still says so.
    expression='max by (shard) (pg_up{job="platform-database"} or up{job="platform-database"} * 0)',
    below=1,
    hold="1m",
    severity="critical",
    summary="a shard does not answer in any region, and every request for its keys fails",
    first_step="promote its freshest replica; the other three shards go on by themselves",
    measures="the best answer of a shard in all regions (1 is up, 0 is down)",
    consequence="a quarter of the keys cannot be read or written, and each request for them fails",
)

queue_down = CauseAlert(
    service=gateway,
    name="queue-down",
    expression='max by (region) (up{job="platform-queue"})',
    below=1,
    hold="1m",
    severity="critical",
    summary="the message queue of a region cannot be reached, and what is written there has to wait",
    first_step="see that producers keep their messages on disk; restart the broker before their disks are full",
    measures="the best answer of a region's queue (1 is up, 0 is down)",
    consequence="what is written in that region waits on the disks of its producers; when these are full, it is lost",
)

dead_letters = CauseAlert(
    service=gateway,
    name="dead-letters",
    expression='sum by (queue) (queue_dead_letter_messages{job="platform-queue"})',
    above=0,
    hold="1m",
    severity="warning",
    summary="messages were given up and lie in the dead-letter queue",
    first_step="read the oldest one: a message that no version can read is a bug, and the rest can be sent again",
    measures="the number of messages that a queue has given up",
    consequence="what these messages should have done does not happen, for those people alone; no objective shows it",
)
