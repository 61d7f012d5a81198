"""What the task service promises, judged where its users stand: at the balancer.

The balancer alone sees what a user gets. When an instance is killed, the requests it was answering
end as errors that the dead instance never counts, and retries that save a request are invisible to
the instances. A delay on the way to an instance is in the balancer's histogram and not in theirs.
"""

from sloproof import SLO, ErrorRatio, LatencyBelow, Service

api = Service(
    name="tasks",
    owner="tasks team",
    job="tasks-balancer",
    description="people keep their to-do lists with it",
    depends_on=("Envoy (balancer)", "a1 and a2 (API instances)", "PostgreSQL"),
    escalation="the platform team's on-call",
)

availability = SLO(
    service=api,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(
        errors='envoy_http_downstream_rq_xx{job="tasks-balancer",envoy_http_conn_manager_prefix="tasks",envoy_response_code_class="5"}',
        total='envoy_http_downstream_rq_completed{job="tasks-balancer",envoy_http_conn_manager_prefix="tasks"}',
    ),
    description="a request that fails loses what somebody typed",
)

latency = SLO(
    service=api,
    name="latency",
    objective="95",
    sli=LatencyBelow(
        "500ms",
        histogram='envoy_http_downstream_rq_time{job="tasks-balancer",envoy_http_conn_manager_prefix="tasks"}',
        unit="milliseconds",
    ),
    description="above half a second people press the button twice",
)
