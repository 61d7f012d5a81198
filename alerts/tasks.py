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
    summary="the balancer uses fewer than two instances, and losing one more is an outage",
    first_step="see with `sloproof lab status` which instance does not answer, and read its log",
)
