"""An objective of every kind, some by labels and by slices."""

from sloproof import SLO, Service
from sloproof.slo import (
    AllOf,
    AnyIndicator,
    Composite,
    ErrorRatio,
    FreshWithin,
    GaugeAbove,
    GaugeBelow,
    GoodRatio,
    HistogramBelow,
    LatencyBelow,
    NativeLatencyBelow,
    ProbeUp,
    RawRatio,
    ThroughputAtLeast,
)

every = Service(name="every", owner="every team", job="every")
ERRORS = ErrorRatio(errors='requests_total{job="every",code=~"[[:digit:]]+"}', total='requests_total{job="every"}')
LATENCY = LatencyBelow("500ms", histogram='took_seconds{job="every"}')
LAG = GaugeBelow("5", gauge="lag_seconds")
KINDS: dict[str, AnyIndicator] = {
    "error-ratio": ERRORS,
    "good-ratio": GoodRatio(good='requests_total{code="200"}', total="requests_total"),
    "latency-below": LATENCY,
    "histogram-below": HistogramBelow("0.1", histogram="layout_shift"),
    "native-latency-below": NativeLatencyBelow("250ms", histogram="native_seconds"),
    "probe-up": ProbeUp(probe='up{job="every"}'),
    "gauge-below": GaugeBelow("0.7", gauge="max by (instance) (memory_used / memory_limit)"),
    "gauge-above": GaugeAbove("0.8", gauge="sum(rate(hits_total[5m])) / sum(rate(reads_total[5m]))"),
    "throughput-at-least": ThroughputAtLeast("30", requests='requests_total{job="every"}'),
    "fresh-within": FreshWithin("1h", last_success="backup_timestamp_seconds"),
    "raw-ratio": RawRatio(errors='rate(jobs_total{state="failed"}[$window])', total="rate(jobs_total[$window])"),
    "composite": Composite(parts=((ERRORS, "2"), (LAG, 1))),
    "all-of": AllOf(parts=(ERRORS, LATENCY)),
}

kinds = [SLO(service=every, name=name, objective="99", sli=sli) for name, sli in KINDS.items()]
split = [
    SLO(service=every, name=f"split-{name}", objective="99", sli=KINDS[name], by=("instance",))
    for name in ("error-ratio", "gauge-below", "native-latency-below")
]
sliced = [
    SLO(
        service=every,
        name=f"sliced-{name}",
        objective="99",
        sli=KINDS[name],
        budgeting="slices",
        slice_objective="95",
        by=("instance",),
    )
    for name in ("latency-below", "gauge-below")
]
