from sloproof import SLO, ErrorRatio, LatencyBelow, Service

shop = Service(name="overview", owner="shop team", job="shop")

availability = SLO(
    service=shop,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(
        errors='http_requests_total{job="shop",code=~"5.."}',
        total='http_requests_total{job="shop"}',
    ),
)
latency = SLO(
    service=shop,
    name="latency",
    objective="95",
    sli=LatencyBelow("500ms", histogram='http_request_duration_seconds{job="shop"}'),
)
