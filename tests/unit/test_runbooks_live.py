"""A page as it is read in a terminal: without markers, with what its queries answer."""

from urllib.parse import parse_qs, urlsplit

import pytest

from sloproof.alerts import DEFAULT_POLICY, Links, burn_alert
from sloproof.alerts.timing import REAL
from sloproof.runbooks import runbook_page
from sloproof.runbooks.live import answer, links_apart, queries_of, readable, with_answers, with_heading
from tests.unit.checks_subjects import availability

SLO = availability()
TIER = DEFAULT_POLICY.tiers[0]
PAGE = readable(runbook_page(burn_alert(SLO, TIER, REAL, Links()), SLO, TIER, DEFAULT_POLICY))
LONG = 'slo:error:ratio_1h{service="shop",slo="availability"}'


def test_a_page_to_be_read_has_no_markers_and_no_links_that_lead_nowhere() -> None:
    assert "<!-- generated" not in PAGE and "<!-- /generated" not in PAGE
    assert "/graph?" not in PAGE and "](#" not in PAGE
    assert "\n\n\n" not in PAGE
    assert "start with step 1 of Mitigation" in PAGE


def test_only_the_queries_of_the_diagnosis_are_asked() -> None:
    asked = queries_of(PAGE)
    assert len(asked) == 5
    assert asked[0] == LONG
    assert not any("and (slo:errors:count_1h" in query for query in asked)  # the alert's own condition


def test_each_answer_stands_below_its_query_and_the_rest_stays() -> None:
    shown = with_answers(PAGE, {LONG: "0.02"})
    assert f"   {LONG}\n   ```\n\n   **Now:** 0.02\n" in shown
    assert shown.replace("\n\n   **Now:** 0.02", "") == PAGE


def test_each_query_is_linked_to_the_server_that_was_asked() -> None:
    shown = with_answers(PAGE, {LONG: "0.02"}, "http://127.0.0.1:9090")
    assert shown.count("**Graph:** <http://127.0.0.1:9090/graph?g0.expr=") == 5
    drawn, links = links_apart(shown)
    assert "http://" not in drawn and "**Graph:** link 1, at the end" in drawn
    assert len(links) == 5
    assert parse_qs(urlsplit(links[0]).query)["g0.expr"] == [LONG]


def test_a_page_to_be_read_does_not_speak_of_links_that_were_taken_out() -> None:
    rule = burn_alert(SLO, TIER, REAL, Links())
    page = readable(runbook_page(rule, SLO, TIER, DEFAULT_POLICY, prometheus="https://prometheus.example"))
    assert page == PAGE


def test_what_is_known_now_stands_right_below_the_title() -> None:
    lines = with_heading(PAGE, ["state: inactive"]).split("\n")
    assert lines[:5] == ["# ShopAvailabilityFastBurn", "", "## Now", "", "- state: inactive"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "no result"),
        ([({"service": "shop", "slo": "x", "__name__": "y", "slo_scale": "120"}, 0.25)], "0.25"),
        ([({"instance": "a"}, 1.0), ({"instance": "b"}, 7.5)], "7.5 `{instance=b}`, 1 `{instance=a}`"),
        ([({"i": str(n)}, float(n)) for n in range(7)][:7], None),
    ],
)
def test_an_answer_is_one_line_largest_first(rows: list[tuple[dict[str, str], float]], told: str | None) -> None:
    if told is None:
        assert answer(rows).startswith("6 `{i=6}`, ")
        assert answer(rows).endswith("and 2 more")
    else:
        assert answer(rows) == told


def test_a_page_without_a_diagnosis_is_left_as_it_is() -> None:
    assert queries_of("# X\n\n```promql\nup\n```\n") == []
    assert with_answers("# X\n\n```promql\nup\n```\n", {"up": "1"}) == "# X\n\n```promql\nup\n```\n"
