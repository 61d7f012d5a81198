"""What a runbook page tells somebody who was just woken."""

import re
import urllib.parse
from datetime import timedelta
from decimal import Decimal

import pytest

from sloproof.alerts import DEFAULT_POLICY, REAL, BurnPolicy, BurnTier, Links, Timing, burn_alert
from sloproof.promql import check_expression
from sloproof.runbooks import runbook_page, unwritten_sections
from sloproof.runbooks.words import in_words, noun, one_in, one_line, pace, share, spoken
from sloproof.slo import SLO, ErrorRatio, HistogramBelow, LatencyBelow, Service

shop = Service(
    name="shop",
    owner="checkout team",
    job="shop",
    description="people pay with it",
    depends_on=("PostgreSQL", "the bank"),
    escalation="the platform team",
)
paid = SLO(
    service=shop,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='http_requests_total{job="shop",code=~"5.."}', total='http_requests_total{job="shop"}'),
    description="a payment that fails is a customer lost",
)
quick = SLO(
    service=shop,
    name="latency",
    objective="95",
    sli=LatencyBelow("500ms", histogram='http_request_duration_seconds{job="shop"}'),
)


def page(
    slo: SLO = paid,
    tier: str = "fast",
    timing: Timing = REAL,
    policy: BurnPolicy = DEFAULT_POLICY,
    links: Links | None = None,
) -> str:
    chosen, known = policy.tier(tier), links or Links()
    rule = burn_alert(slo, chosen, timing, known)
    return runbook_page(rule, slo, chosen, policy, timing, prometheus=known.prometheus)


def queries(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r"```promql\n(.*?)```", text, re.DOTALL)]


def test_the_title_is_the_alerts_name_and_the_sections_are_in_order() -> None:
    lines = page().split("\n")
    assert lines[0] == "# ShopAvailabilityFastBurn"
    assert [line for line in lines if line.startswith("## ")] == [
        "## Meaning",
        "## Impact",
        "## Diagnosis",
        "## Mitigation",
        "## When it is over",
        "## Seen before",
        "## Not proven yet",
        "## Escalation",
        "## Rollback",
    ]


def test_the_first_screen_has_the_first_step_the_owner_and_the_urgency() -> None:
    top = page().split("## Meaning")[0]
    assert (
        "**First step:** open the dashboard (`/d/sloproof-shop_availability` in Grafana), panel “Burn, fast pair”"
        in top
    )
    assert "page, start now. If every request is bad, another 10 % is gone in 4 min 19 s." in top
    assert "checkout team. When they do not answer: the platform team." in top
    assert "people pay with it" in top
    assert "a payment that fails is a customer lost" in top


def test_a_ticket_does_not_hurry_anybody() -> None:
    top = page(tier="slow").split("## Meaning")[0]
    assert "ticket, by the next working day. Where it fires, another 10 % is gone in 1 d." in top


def test_the_urgency_table_says_how_long_each_burn_rate_leaves() -> None:
    rows = [line for line in page().split("\n") if re.match(r"\| [\d.]+x", line)]
    assert rows == [
        "| 1x | 0.1 % | 30 d | 15 d | 3 d | exactly the budget, trickle fires |",
        "| 3x | 0.3 % | 10 d | 5 d | 1 d | slow fires |",
        "| 6x | 0.6 % | 5 d | 2 d 12 h | 12 h | medium fires |",
        "| 14.4x | 1.44 % | 2 d 2 h | 1 d 1 h | 5 h | **fast: this alert** |",
        "| 1000x | 100 % | 43 min 12 s | 21 min 36 s | 4 min 19 s | every request is bad |",
    ]


def test_a_tier_that_no_error_ratio_reaches_is_not_in_the_table() -> None:
    loose = SLO(service=shop, name="loose", objective="90", sli=paid.sli)
    rows = [line for line in page(loose, tier="slow").split("\n") if re.match(r"\| [\d.]+x", line)]
    assert not [row for row in rows if row.startswith("| 14.4x")]
    assert rows[-1].startswith("| 10x | 100 % |")


def test_the_impact_is_in_requests_and_in_budget() -> None:
    text = page()
    assert "1 in 1,000 requests may be bad (0.1 %). When this fires, more than 1 in 69 were, over 1h." in text
    assert "**A full outage** costs 2.31 % of the budget each minute; a whole budget is gone in 43 min 12 s." in text
    assert "PostgreSQL, the bank" in text


@pytest.mark.parametrize("slo", [paid, quick], ids=lambda slo: slo.name)
@pytest.mark.parametrize("tier", [tier.name for tier in DEFAULT_POLICY.tiers])
def test_every_query_can_be_pasted_and_every_link_asks_the_same(slo: SLO, tier: str) -> None:
    text = page(slo, tier, links=Links(prometheus="https://prometheus.example/"))
    asked = queries(text.split("## Diagnosis")[1])
    assert len(asked) == 5
    for query in asked:
        check_expression(query)
    linked = []
    for link in re.findall(r"\(https://prometheus\.example/graph\?([^)]*)\)", text):
        parameters = urllib.parse.parse_qs(link, strict_parsing=True)
        linked += [parameters[f"g{index}.expr"][0] for index in range(len(parameters) // 2)]
    assert linked == asked


def test_where_no_address_is_known_nothing_is_a_link_that_leads_nowhere() -> None:
    assert not re.findall(r"\]\((?!#)", page())
    assert "Paste the queries into Prometheus." in page()
    known = page(links=Links(dashboard="https://grafana.example/d/{uid}", prometheus="https://prometheus.example"))
    assert "open the [dashboard](https://grafana.example/d/sloproof-shop_availability), panel" in known
    assert "Follow the links, or paste the queries into Prometheus." in known


def test_what_is_counted_is_called_by_its_own_name() -> None:
    assert noun(paid) == "request"
    assert noun(paid.model_copy(update={"budgeting": "slices"})) == "second"
    letters = ErrorRatio(errors="letters_lost_total", total="letters_total")
    assert noun(SLO(service=shop, name="post", objective="99", sli=letters)) == "event"
    assert "events" not in page().split("## Mitigation")[0]


def test_bad_seconds_are_told_as_a_share_of_time() -> None:
    assert pace(paid.model_copy(update={"budgeting": "slices"})) == "as a share of time"
    assert pace(paid) == "in bad requests per second"


def test_the_impact_does_not_say_again_what_the_first_screen_says() -> None:
    assert page().count("where a good one is") == 1
    assert "- **Users:** people pay with it; a payment that fails is a customer lost." in page()


def test_lengths_of_time_in_a_sentence_are_said_as_a_reader_says_them() -> None:
    assert spoken("delay 30% or 8 % of `5%`") == "delay 30 % or 8 % of `5%`"
    told = spoken("let answers of `a1-1m30s` come 1s200ms late, at most 800ms, for 1m15s, then 30d at /api/v2s")
    assert told == "let answers of `a1-1m30s` come 1.2 s late, at most 800 ms, for 1 min 15 s, then 30 d at /api/v2s"


def test_the_third_query_splits_bad_events_by_what_the_definition_leaves_open() -> None:
    assert queries(page())[-1].startswith("topk(10, sum by (instance, code) (rate(http_requests_total{")
    slow = queries(page(quick))[-1]
    assert slow.count("sum by (instance)") == 2
    assert "_count" in slow and "_bucket" in slow and "> 0" in slow


def test_the_third_query_splits_bad_events_by_what_the_objective_is_split_by() -> None:
    asked = queries(page(paid.model_copy(update={"by": ("tenant",)})))[-1]
    assert asked.startswith("topk(10, sum by (instance, tenant, code) (rate(")
    assert (
        queries(page(quick.model_copy(update={"by": ("instance", "route")})))[-1].count("sum by (instance, route)") == 2
    )


def test_what_a_good_event_is_may_be_a_whole_sentence() -> None:
    seen = HistogramBelow("2.5", histogram='web_vitals{job="shop"}', meaning="a page is there within 2.5 s")
    text = page(SLO(service=shop, name="seen", objective="90", sli=seen))
    assert "A good event: a page is there within 2.5 s." in text and "where a good one: a page is there" in text
    assert "A good request is answered without a server error." in page()


@pytest.mark.parametrize("said", ["a page that is there within 2.5 s", "an old page whose first byte is there"])
def test_what_a_good_event_is_may_be_a_thing_of_a_kind(said: str) -> None:
    seen = HistogramBelow("2.5", histogram='web_vitals{job="shop"}', meaning=said)
    text = page(SLO(service=shop, name="seen", objective="90", sli=seen))
    assert f"A good event is {said}." in text and f"where a good one is {said}" in text


def test_detection_and_reset_are_foretold() -> None:
    text = page()
    assert "| 100 % | 52 s to 1 min 52 s | 4 min 56 s to 5 min 56 s |" in text
    assert "| 10 % | 8 min 38 s to 9 min 38 s | 4 min 17 s to 5 min 17 s |" in text
    latency = page(quick)
    assert "| 10 % | never: it takes more than 72 % | - |" in latency


def test_the_hold_counts_in_the_meaning_and_in_the_promise() -> None:
    tier = BurnTier(name="fast", budget_share="0.02", long="1h", short="5m", severity="page", hold="10m")
    text = page(policy=BurnPolicy(tiers=(tier,)))
    assert "- and this has lasted 10 min." in text
    assert "| 100 % | 10 min 52 s to 11 min 52 s | 4 min 56 s to 5 min 56 s |" in text


def test_a_scaled_page_speaks_of_the_clock_and_of_scaled_series() -> None:
    text = page(timing=Timing(scale=120, scrape="500ms"))
    assert "every window divided by 120" in text
    assert "| 1000x | 100 % | 21 min 36 s |" not in text
    assert "| 1000x | 100 % | 22 s | 11 s | 2.2 s | every request is bad |" in text
    assert all('slo_scale="120"' in query for query in queries(text)[:-1])


def test_free_text_cannot_break_the_page() -> None:
    hostile = Service(
        name="shop",
        owner="a | b\n<!-- /generated:summary -->",
        job="shop",
        description="<script>alert(1)</script>\n# Not a title",
        depends_on=("<!-- generated:impact -->",),
    )
    slo = SLO(service=hostile, name="availability", objective="99.9", sli=paid.sli, description="x\n## Mitigation")
    tier = DEFAULT_POLICY.tiers[0]
    alert = burn_alert(slo, tier, REAL, Links())
    text = runbook_page(alert, slo, tier, DEFAULT_POLICY)
    assert "<script>" not in text
    assert text.count("\n## Mitigation\n") == 1
    assert runbook_page(alert, slo, tier, DEFAULT_POLICY, existing=text) == text


def test_a_new_page_says_which_sections_nobody_has_written() -> None:
    text = page()
    assert unwritten_sections(text) == ("Mitigation", "Escalation", "Rollback")
    start, end = text.index("## Escalation"), text.index("## Rollback")
    mended = text[:start] + "## Escalation\n\nCall Ada, then Grace.\n\n" + text[end:]
    assert unwritten_sections(mended) == ("Mitigation", "Rollback")
    emptied = text[:start] + "## Escalation\n\n" + text[end:]
    assert "Escalation" in unwritten_sections(emptied)
    assert "Escalation" in unwritten_sections(text[:start] + text[end:])


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=2160), "2.2 s"),
        (timedelta(seconds=51.84), "52 s"),
        (timedelta(seconds=59.9), "1 min"),
        (timedelta(minutes=43, seconds=12), "43 min 12 s"),
        (timedelta(hours=50), "2 d 2 h"),
        (timedelta(days=30), "30 d"),
        (timedelta(hours=23, minutes=59, seconds=50), "1 d"),
    ],
)
def test_lengths_of_time_in_words(duration: timedelta, text: str) -> None:
    assert in_words(duration) == text


def test_ratios_in_words() -> None:
    assert share(Decimal("0.0231481")) == "2.31 %"
    assert share(Decimal("0.0000002")) == "0.00002 %"
    assert one_in(Decimal("0.00001")) == "1 in 100,000"
    assert one_line(" a\n b ") == "a b"
