"""What the commission engine promises: shops calculate and show commissions with it, each shop a tenant.

A front end renders the pages (SSR) and calls the commission engine, which has a database, a Redis cache and an edge
cache before it. Requests are judged at the front end, where users stand. CPU, memory, cost and what visitors think are
judged by time: bad seconds of all seconds. The document gives their limits and no share of time; 95 % is ours. It
gives no share of visitors for the web vitals either; 75 % is the share by which browsers' makers judge them.

Metrics:

- front end, job `commission`: `http_requests_total{route,tenant,status_code}`,
  `http_request_duration_seconds{route,tenant}` with a bucket at 0.5 s,
- browsers, job `commission-rum`, as histograms: `web_vitals_lcp_seconds` (buckets at 2.5 and 3),
  `web_vitals_fid_seconds` (0.1 and 0.2), `web_vitals_cls` (0.1 and 0.25), `web_vitals_ttfb_seconds` (0.3 and 0.5),
- containers, job `commission-containers`, as cAdvisor names them: `container_cpu_usage_seconds_total`,
  `container_spec_cpu_quota`, `container_spec_cpu_period`, `container_memory_working_set_bytes`,
  `container_spec_memory_limit_bytes`, each with `pod` and `container`,
- figures that other tools keep, job `commission-business`: `cloud_cost_month_to_date_dollars`,
  `cloud_cost_budget_dollars`, `analytics_bounce_ratio`, `survey_csat_ratio`, `backup_last_success_timestamp_seconds`,
  `audit_log_retention_seconds`,
- database, job `commission-database`: `db_requests_total{result}`, `db_request_duration_seconds`,
  `db_connections{state}`, `sqlite_locks_total`.
"""

from sloproof import SLO, ErrorRatio, FreshWithin, GaugeAbove, GaugeBelow, HistogramBelow, LatencyBelow, Service

RECOVERY_TIME = "1h"  # until a second region serves; measured by an experiment

engine = Service(
    name="commission",
    owner="commission team",
    job="commission",
    description="shops see their catalogue and their commissions with it",
    depends_on=("edge cache", "front end", "commission engine replicas", "Redis", "database"),
    escalation="the platform team's on-call",
)

availability = SLO(
    service=engine,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(
        errors='http_requests_total{job="commission",status_code=~"5.."}',
        total='http_requests_total{job="commission"}',
    ),
    by=("tenant",),  # one shop that is wholly broken would be lost among a hundred that work
    description="a shop that gets errors cannot take orders",
)

latency = SLO(
    service=engine,
    name="latency",
    objective="95",
    sli=LatencyBelow("500ms", histogram='http_request_duration_seconds{job="commission"}'),
    by=("route",),  # a slow calculation would be lost among fast catalogue pages
    description="visitors leave pages that let them wait",
)

throughput = SLO(
    service=engine,
    name="throughput",
    objective="95",
    sli=GaugeAbove(
        "30",
        # Only what is asked for can be served: a quiet night is not measured, and is no failure.
        gauge='sum(rate(http_requests_total{job="commission",status_code!~"5.."}[5m]))'
        ' and (sum(rate(http_requests_total{job="commission"}[5m])) >= 30)',
        meaning="a second in which at least 30 requests a second are served, of those in which so many are asked for",
    ),
    description="at 30 to 40 requests a second the engine must still keep up: that is a day of sales",
)

cpu = SLO(
    service=engine,
    name="cpu",
    objective="95",
    sli=GaugeBelow(
        "0.7",
        gauge='sum by (pod) (rate(container_cpu_usage_seconds_total{job="commission-containers",container!=""}[5m]))'
        ' / (sum by (pod) (container_spec_cpu_quota{job="commission-containers",container!=""})'
        ' / max by (pod) (container_spec_cpu_period{job="commission-containers",container!=""}))',
        meaning="a second in which every container uses at most 70 % of its CPU",
    ),
    description="above it a burst of orders finds no room, and answers become slow before a new replica is up",
)

memory = SLO(
    service=engine,
    name="memory",
    objective="95",
    sli=GaugeBelow(
        "0.7",
        gauge='container_memory_working_set_bytes{job="commission-containers",container!=""}'
        ' / container_spec_memory_limit_bytes{job="commission-containers",container!=""}',
        meaning="a second in which every container uses at most 70 % of its memory",
    ),
    description="a container that reaches its limit is killed in the middle of its requests",
)

cost = SLO(
    service=engine,
    name="cost",
    objective="99",
    sli=GaugeBelow(
        "1",
        gauge='sum(cloud_cost_month_to_date_dollars{job="commission-business"})'
        ' / sum(cloud_cost_budget_dollars{job="commission-business"})',
        meaning="a second in which CPU and memory have cost no more than the month's budget",
    ),
    description="the product is paid for as it is used: cost above the budget is paid by nobody",
)

largest_contentful_paint = SLO(
    service=engine,
    name="lcp",
    objective="75",
    sli=HistogramBelow(
        "2.5",
        histogram='web_vitals_lcp_seconds{job="commission-rum"}',
        meaning="a page whose largest part is there within 2.5 s",
    ),
    description="until then visitors look at an empty page",
)

first_input_delay = SLO(
    service=engine,
    name="fid",
    objective="75",
    sli=HistogramBelow(
        "0.1",
        histogram='web_vitals_fid_seconds{job="commission-rum"}',
        meaning="a page that reacts to the first click within 100 ms",
    ),
    description="a page that does not react is clicked again, or left",
)

cumulative_layout_shift = SLO(
    service=engine,
    name="cls",
    objective="75",
    sli=HistogramBelow(
        "0.1",
        histogram='web_vitals_cls{job="commission-rum"}',
        meaning="a page that moves by at most 0.1 while it loads",
    ),
    description="people press the wrong button when the page moves under their finger",
)

time_to_first_byte = SLO(
    service=engine,
    name="ttfb",
    objective="75",
    sli=HistogramBelow(
        "0.3",
        histogram='web_vitals_ttfb_seconds{job="commission-rum"}',
        meaning="a page whose first byte arrives within 300 ms",
    ),
    description="nothing can be shown before it",
)

weekly_burn = SLO(
    service=engine,
    name="weekly-burn",
    objective="95",
    sli=GaugeBelow(
        "0.05",
        # Of the last 7 days, bad events in units of the budget of 30 days at 99.9 %; the worst tenant counts.
        gauge='slo:error:ratio_7d{service="commission",slo="availability"} / 0.001 * 7 / 30',
        meaning="a second in which the last 7 days have cost at most 5 % of the availability budget",
    ),
    description="a team that spends its budget every week has none left for the day it needs it",
)

bounce_rate = SLO(
    service=engine,
    name="bounce-rate",
    objective="95",
    sli=GaugeBelow(
        "0.3",
        gauge='analytics_bounce_ratio{job="commission-business"}',
        meaning="a second in which at most 30 % of visits end on their first page",
    ),
    description="visitors who leave at once buy nothing",
)

satisfaction = SLO(
    service=engine,
    name="csat",
    objective="95",
    sli=GaugeAbove(
        "0.9",
        gauge='survey_csat_ratio{job="commission-business"}',
        meaning="a second in which at least 90 % of those who were asked are satisfied",
    ),
    description="it is what users say themselves",
)

backups = SLO(
    service=engine,
    name="backups",
    objective="99",
    sli=FreshWithin("26h", last_success='backup_last_success_timestamp_seconds{job="commission-business"}'),
    description="there is one snapshot a day; what came after the last one is lost when the database is lost",
)
