"""When to wake the commission team, or to write them a mail: every limit of their document.

Where the document gives a limit and no duration, the hold here is ours: as short as the value is steady.
Errors and latency wake somebody through their budgets (the default policy) and at the document's limit for errors;
everything else waits for the morning. These are also the limits at which a canary is rolled back.
"""

from slo import commission
from slo.commission import engine
from sloproof import BudgetAlerts, BurnPolicy, BurnTier, CauseAlert

_WAITING = (
    commission.throughput,
    commission.cpu,
    commission.memory,
    commission.cost,
    commission.largest_contentful_paint,
    commission.first_input_delay,
    commission.cumulative_layout_shift,
    commission.time_to_first_byte,
    commission.weekly_burn,
    commission.bounce_rate,
    commission.satisfaction,
    commission.backups,
)

# What changes over days is judged over days, and wakes nobody.
over_days = BurnPolicy(
    tiers=(BurnTier(name="trickle", budget_share="0.10", long="3d", short="6h", severity="ticket", hold="2m"),),
    applies_to=_WAITING,
)
no_second_ticket = BudgetAlerts(below=None, exhausted_within=None, review_share=None, applies_to=_WAITING)

# More than a fifth of the budget in one week: the document asks for a review.
weekly_review = BudgetAlerts(
    review_share=20, review_window="7d", applies_to=(commission.availability, commission.latency)
)

slow_answers = CauseAlert(
    service=engine,
    name="slow-answers",
    expression="histogram_quantile(0.95, sum by (le, route) "
    '(rate(http_request_duration_seconds_bucket{job="commission"}[5m])))',
    above="0.7",
    hold="5m",
    severity="warning",
    summary="one answer in twenty takes longer than 700 ms on a route",
    first_step="see which route it is, then whether the database or the cache answers it slowly",
    measures="the answer time that 19 of 20 requests of a route stay under",
    unit="seconds",
    consequence="visitors leave the slow pages, and the latency objective burns",
)

server_errors = CauseAlert(
    service=engine,
    name="server-errors",
    # At least 3 errors in that minute: one unlucky request of a quiet night wakes nobody.
    expression='sum(rate(http_requests_total{job="commission",status_code=~"5.."}[1m]))'
    ' / sum(rate(http_requests_total{job="commission"}[1m]))'
    ' and (sum(increase(http_requests_total{job="commission",status_code=~"5.."}[1m])) >= 3)',
    above="0.005",
    hold="0s",
    severity="critical",
    summary="more than 5 of 1,000 requests failed within a minute",
    first_step="roll the last release back if it is younger than an hour; then see which tenants and routes fail",
    measures="the share of requests that end with a server error",
    unit="ratio",
    consequence="shops lose orders with each failed request; at this rate a whole budget of 30 d lasts less than 6 d",
)

high_cpu = CauseAlert(
    service=engine,
    name="high-cpu",
    expression='sum by (pod) (rate(container_cpu_usage_seconds_total{job="commission-containers",container!=""}[2m]))'
    ' / (sum by (pod) (container_spec_cpu_quota{job="commission-containers",container!=""})'
    ' / max by (pod) (container_spec_cpu_period{job="commission-containers",container!=""}))',
    above="0.85",
    hold="3m",
    severity="warning",
    summary="a container uses more than 85 % of its CPU",
    first_step="add a replica of the commission engine, up to five; then find out what it computes",
    measures="a container's use of the CPU that it may use",
    unit="ratio",
    consequence="a burst of orders finds no room: answers become slow before a new replica is up",
)

high_memory = CauseAlert(
    service=engine,
    name="high-memory",
    expression='container_memory_working_set_bytes{job="commission-containers",container!=""}'
    ' / container_spec_memory_limit_bytes{job="commission-containers",container!=""}',
    above="0.85",
    hold="3m",
    severity="warning",
    summary="a container uses more than 85 % of its memory, and is killed at 100 %",
    first_step="restart the fullest replica while another one serves; then compare its memory with the last release's",
    measures="a container's use of its memory",
    unit="ratio",
    consequence="the container is killed in the middle of its requests, and the other replicas get its load",
)

more_traffic_than_planned = CauseAlert(
    service=engine,
    name="more-traffic-than-planned",
    expression='sum(rate(http_requests_total{job="commission"}[2m]))',
    above=50,
    hold="5m",
    severity="warning",
    summary="more than 50 requests a second arrive, and 40 were planned for",
    first_step="see which tenant sends them; add a replica when latency rises",
    measures="the rate of arriving requests",
    unit="requests a second",
    consequence="replicas fill up: answers become slow first, then they fail",
)

expensive_month = CauseAlert(
    service=engine,
    name="expensive-month",
    expression='sum(cloud_cost_month_to_date_dollars{job="commission-business"})'
    ' / sum(cloud_cost_budget_dollars{job="commission-business"})',
    above="0.8",
    hold="15m",
    severity="ticket",
    summary="more than 80 % of the month's budget for CPU and memory is spent",
    first_step="compare the number of replicas with the traffic, and lower the maximum if they do not fall at night",
    measures="what is spent of the month's budget for CPU and memory",
    unit="ratio",
    consequence="no visitor notices; what the rest of the month costs, nobody pays for",
)

slow_pages = CauseAlert(
    service=engine,
    name="slow-pages",
    expression='1 - sum(rate(web_vitals_lcp_seconds_bucket{job="commission-rum",le=~"3|3.0"}[1d]))'
    ' / sum(rate(web_vitals_lcp_seconds_count{job="commission-rum"}[1d]))',
    above="0.1",
    hold="5m",
    severity="ticket",
    summary="one visitor in ten waited longer than 3 s for the largest part of a page, over a day",
    first_step="see which pages grew in the last releases, and whether their images come from the edge cache",
    runs_every="5m",
    measures="the share of visitors who wait longer than 3 s for the largest part of a page",
    unit="ratio",
    consequence="they leave before they have seen what is sold",
)

late_reactions = CauseAlert(
    service=engine,
    name="late-reactions",
    expression='1 - sum(rate(web_vitals_fid_seconds_bucket{job="commission-rum",le="0.2"}[1d]))'
    ' / sum(rate(web_vitals_fid_seconds_count{job="commission-rum"}[1d]))',
    above="0.05",
    hold="5m",
    severity="ticket",
    summary="one visitor in twenty waited longer than 200 ms for a reaction to the first click, over a day",
    first_step="see which scripts were added to the pages in the last releases",
    runs_every="5m",
    measures="the share of visitors who wait longer than 200 ms after their first click",
    unit="ratio",
    consequence="they click again, or leave: a page that does not react looks broken",
)

moving_pages = CauseAlert(
    service=engine,
    name="moving-pages",
    expression='1 - sum(rate(web_vitals_cls_bucket{job="commission-rum",le="0.25"}[1d]))'
    ' / sum(rate(web_vitals_cls_count{job="commission-rum"}[1d]))',
    above="0.05",
    hold="5m",
    severity="ticket",
    summary="for one visitor in twenty the page moved by more than 0.25, over a day",
    first_step="look for images and banners without a height in what was released last",
    runs_every="5m",
    measures="the share of visitors for whom the page moves by more than 0.25",
    unit="ratio",
    consequence="they hit the wrong button, and order what they did not want",
)

late_first_byte = CauseAlert(
    service=engine,
    name="late-first-byte",
    expression='histogram_quantile(0.95, sum by (le) (rate(web_vitals_ttfb_seconds_bucket{job="commission-rum"}[5m])))',
    above="0.5",
    hold="5m",
    severity="warning",
    summary="one visitor in twenty waits longer than 500 ms for the first byte",
    first_step="compare with the latency of the routes: slow there is the engine, fast there is the edge",
    measures="the time to the first byte that 19 of 20 visitors stay under",
    unit="seconds",
    consequence="every page appears later, whatever else is fast",
)

visitors_leave = CauseAlert(
    service=engine,
    name="visitors-leave",
    expression='avg_over_time(analytics_bounce_ratio{job="commission-business"}[1d])',
    above="0.4",
    hold="0s",
    severity="ticket",
    summary="more than 40 % of visits ended on their first page, over a day",
    first_step="compare the day's latency and web vitals with the week before; then ask where the visitors came from",
    runs_every="5m",
    measures="the share of visits that end on their first page",
    unit="ratio",
    consequence="shops sell less, and nobody tells them why",
)

unhappy_users = CauseAlert(
    service=engine,
    name="unhappy-users",
    expression='survey_csat_ratio{job="commission-business"}',
    below="0.8",
    hold="1h",
    severity="ticket",
    summary="fewer than 80 % of the users who were asked are satisfied",
    first_step="read the answers of those who are not, and put what they name before new features",
    measures="the share of satisfied users among those who were asked",
    unit="ratio",
    consequence="they do not come back, and no other alert shows why",
)

sqlite_locks = CauseAlert(
    service=engine,
    name="sqlite-locks",
    # Locks a minute, measured over two; then the minute that 19 of 20 stay under.
    expression="quantile_over_time(0.95, "
    '(sum(increase(sqlite_locks_total{job="commission-database"}[2m])) / 2)[1h:1m])',
    above=5,
    hold="0s",
    severity="ticket",
    summary="in one minute of twenty SQLite was locked more than 5 times",
    first_step="see which writes wait for each other; if they cannot be fewer, plan the move to PostgreSQL",
    runs_every="1m",
    measures="what 19 of 20 minutes of the last hour stay under",
    unit="locks a minute",
    consequence="writes wait, then end with a lock time-out, and shops see an error when they save",
)

many_connections = CauseAlert(
    service=engine,
    name="many-connections",
    expression='sum(db_connections{job="commission-database",state="active"})',
    above=80,
    hold="5m",
    severity="warning",
    summary="more than 80 connections to the database are in use",
    first_step="see which replica holds most of them, and restart it if they do not fall with its traffic",
    measures="the number of connections to the database in use",
    consequence="the next replica gets none, and its requests fail",
)

database_errors = CauseAlert(
    service=engine,
    name="database-errors",
    expression='sum(rate(db_requests_total{job="commission-database",result=~"connection_error|lock_timeout"}[5m]))'
    ' / sum(rate(db_requests_total{job="commission-database"}[5m]))',
    above="0.005",
    hold="5m",
    severity="warning",
    summary="more than 5 of 1,000 requests to the database end without a connection or wait too long for a lock",
    first_step="see whether connections or locks are the larger part; the panels of both are on the dashboard",
    measures="the share of requests to the database that get no connection or wait too long for a lock",
    unit="ratio",
    consequence="each of them becomes a failed or a late page, and the availability objective burns",
)

slow_queries = CauseAlert(
    service=engine,
    name="slow-queries",
    expression="histogram_quantile(0.95, sum by (le) "
    '(rate(db_request_duration_seconds_bucket{job="commission-database"}[5m])))',
    above="0.2",
    hold="5m",
    severity="warning",
    summary="one query in twenty takes longer than 200 ms",
    first_step="ask the database for its slowest statements, and look for one that lost its index",
    measures="the time that 19 of 20 queries stay under",
    unit="seconds",
    consequence="every page that needs the database is late, and the latency objective burns",
)

audit_logs_kept_too_short = CauseAlert(
    service=engine,
    name="audit-logs-kept-too-short",
    expression='audit_log_retention_seconds{job="commission-business"}',
    below=90 * 24 * 60 * 60,
    hold="1h",
    severity="ticket",
    summary="audit logs are kept for less than 90 days",
    first_step="raise the retention again before the next deletion runs; what is gone cannot be brought back",
    measures="the time for which audit logs are kept",
    unit="seconds",
    consequence="no visitor notices; at the next audit a part of the proof is missing for good",
)
