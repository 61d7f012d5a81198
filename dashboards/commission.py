"""What the commission engine's document wants on its boards: saturation, web vitals, cost, users, a migration."""

from slo.commission import engine
from sloproof import Breakdown, Capacity, CustomPanels, Panel

CONTAINERS = 'job="commission-containers",container!=""'
DATABASE = 'job="commission-database"'
RUM = 'job="commission-rum"'


def vital(title: str, description: str, metric: str, unit: str, limit: str) -> Panel:
    """The value that 75 % of visits stay within, against the limit that is promised for them."""
    return Panel(
        title=title,
        description=f"{description} The line is what three of four visits stay within; the limit is what is promised.",
        expression=f"histogram_quantile(0.75, sum by (le) (rate({metric}_bucket{{{RUM}}}[$__rate_interval])))",
        unit=unit,
        legend="p75",
        limit=limit,
        width=6,
    )


saturation = CustomPanels(
    service=engine,
    panels=(
        Panel(
            title="Throughput",
            description="Requests per second at the front end. 30 to 40 must be carried; above 50 for long is more "
            "than was planned for.",
            expression='sum(rate(http_requests_total{job="commission"}[$__rate_interval]))',
            unit="reqps",
            legend="all",
            limit=50,
            width=8,
        ),
        Panel(
            title="CPU by pod",
            description="What each pod uses of its CPU. 70 % is promised; from 85 % on an alert fires.",
            expression=f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval])) / "
            f"(sum by (pod) (container_spec_cpu_quota{{{CONTAINERS}}}) / "
            f"max by (pod) (container_spec_cpu_period{{{CONTAINERS}}}))",
            unit="percentunit",
            legend="{{pod}}",
            limit="0.7",
            width=8,
        ),
        Panel(
            title="Memory by pod",
            description="What each container uses of its memory. 70 % is promised; at 100 % it is killed.",
            expression=f"container_memory_working_set_bytes{{{CONTAINERS}}} / "
            f"container_spec_memory_limit_bytes{{{CONTAINERS}}}",
            unit="percentunit",
            legend="{{pod}} {{container}}",
            limit="0.7",
            width=8,
        ),
    ),
)

web_vitals = CustomPanels(
    service=engine,
    panels=(
        vital("LCP", "Until the largest part of a page is there.", "web_vitals_lcp_seconds", "s", "2.5"),
        vital("FID", "Until a page reacts to the first click.", "web_vitals_fid_seconds", "s", "0.1"),
        vital("CLS", "How far a page moves while it loads.", "web_vitals_cls", "none", "0.1"),
        vital("TTFB", "Until the first byte of a page.", "web_vitals_ttfb_seconds", "s", "0.3"),
    ),
)

business = CustomPanels(
    service=engine,
    panels=(
        Panel(
            title="Cost against the month's budget",
            description="What CPU and memory have cost this month, of its budget. From 80 % on a ticket is opened.",
            expression='sum(cloud_cost_month_to_date_dollars{job="commission-business"})'
            ' / sum(cloud_cost_budget_dollars{job="commission-business"})',
            unit="percentunit",
            legend="spent",
            limit="0.8",
            width=8,
        ),
        Panel(
            title="Bounce rate",
            description="Visits that end on their first page. Below 30 % is promised.",
            expression='analytics_bounce_ratio{job="commission-business"}',
            unit="percentunit",
            legend="bounced",
            limit="0.3",
            width=8,
        ),
        Panel(
            title="CSAT",
            description="Of those who were asked, the part that is satisfied. 90 % is promised; below 80 % a ticket "
            "is opened.",
            expression='survey_csat_ratio{job="commission-business"}',
            unit="percentunit",
            legend="satisfied",
            width=8,
        ),
    ),
)

database_migration = CustomPanels(
    service=engine,
    panels=(
        Panel(
            title="Migrate? SQLite locks a minute",
            description="Locks on the SQLite file, a minute. More than 5 in one minute of twenty: plan PostgreSQL.",
            expression=f"sum(rate(sqlite_locks_total{{{DATABASE}}}[$__rate_interval])) * 60",
            unit="none",
            legend="locks",
            limit=5,
            width=6,
        ),
        Panel(
            title="Migrate? Connections in use",
            description="Connections to the database at once. Above 80 it is time for a managed one.",
            expression=f'sum(db_connections{{{DATABASE},state="active"}})',
            unit="none",
            legend="active",
            limit=80,
            width=6,
        ),
        Panel(
            title="Migrate? Connection and lock errors",
            description="Requests to the database that found no connection or waited too long for a lock. Above 0.5 % "
            "it is time for a managed one.",
            expression=f'sum by (result) (rate(db_requests_total{{{DATABASE},result=~"connection_error|lock_timeout"}}'
            f"[$__rate_interval])) / scalar(sum(rate(db_requests_total{{{DATABASE}}}[$__rate_interval])))",
            unit="percentunit",
            legend="{{result}}",
            limit="0.005",
            width=6,
        ),
        Panel(
            title="Migrate? p95 of queries",
            description="What 95 % of the queries stayed within. Above 200 ms schema and queries have to change.",
            expression="histogram_quantile(0.95, sum by (le) "
            f"(rate(db_request_duration_seconds_bucket{{{DATABASE}}}[$__rate_interval])))",
            unit="s",
            legend="p95",
            limit="0.2",
            width=6,
        ),
    ),
)

by_route = Breakdown(
    service=engine,
    label="route",
    requests='http_requests_total{job="commission"}',
    errors='http_requests_total{job="commission",status_code=~"5.."}',
    histogram='http_request_duration_seconds{job="commission"}',
    description="Routes of the front end.",
)
by_tenant = Breakdown(
    service=engine,
    label="tenant",
    requests='http_requests_total{job="commission"}',
    errors='http_requests_total{job="commission",status_code=~"5.."}',
    histogram='http_request_duration_seconds{job="commission"}',
    description="Shops. One that is wholly broken is lost among a hundred that work, unless one looks here.",
)

cpu = Capacity(
    service=engine,
    title="CPU",
    description="The busiest pod's share of its CPU.",
    expression=f"max(sum by (pod) (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval])) / "
    f"(sum by (pod) (container_spec_cpu_quota{{{CONTAINERS}}}) / "
    f"max by (pod) (container_spec_cpu_period{{{CONTAINERS}}})))",
    limit=1,
    unit="percentunit",
    legend="busiest pod",
)
connections = Capacity(
    service=engine,
    title="Database connections",
    description="Connections that are in use. Beyond 80 new ones wait, then fail.",
    expression=f'sum(db_connections{{{DATABASE},state="active"}})',
    limit=80,
    unit="none",
    legend="in use",
)
