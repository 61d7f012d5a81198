"""What may hurt the task service's users soon, and is not felt by them yet.

Burn-rate tiers come from the default policy: 1h/5m and 6h/30m page, 1d/2h and 3d/6h open a ticket.
"""

from slo.tasks import api
from sloproof import CauseAlert

no_spare_instance = CauseAlert(
    service=api,
    name="no-spare-instance",
    expression='envoy_cluster_membership_healthy{job="tasks-balancer",envoy_cluster_name="tasks"}',
    below=2,
    hold="2m",
    severity="warning",
    summary="the balancer has no spare instance left: users notice nothing until the next one is lost",
    first_step="see with `sloproof lab status` which instance does not answer, and read its log",
    measures="the number of instances that the balancer sends requests to",
    consequence="nobody notices while the other instance holds; if that one goes too, every request fails and "
    "the availability alerts page",
)
