from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from sloproof.alerts import (
    DEFAULT_POLICY,
    REAL,
    BurnPolicy,
    BurnTier,
    Email,
    Links,
    OwnerRoute,
    Routing,
    Slack,
    TimeInterval,
    Webhook,
    alertmanager_config,
    burn_alert,
)
from sloproof.alerts.routed_alerts import routed_alerts
from sloproof.alerts.silence import PlannedSilence, chaos_silence
from sloproof.promql import Matcher, equals
from sloproof.slo import SLO, ErrorRatio, Service

HOOK = Webhook(name="hook", url="http://127.0.0.1:1/x")
CHAT = Slack(name="chat", channel="#ops", api_url_file="/etc/secrets/slack")
MAIL = Email(
    name="mail",
    to="a@example.org, b@example.org",
    from_="alerts@example.org",
    smarthost="mail.example.org:587",
    username="alerts",
    password_file="/etc/secrets/mail",
)
NIGHTS = TimeInterval(name="nights", start="20:00", end="07:30", location="Europe/Lisbon")


def config(routing: Routing, policies: tuple[BurnPolicy, ...] = (DEFAULT_POLICY,), **more: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(alertmanager_config(routing, policies, **more))
    return document


def test_secrets_are_files() -> None:
    document = config(Routing(receivers=(HOOK, CHAT, MAIL)))
    _, chat, mail = document["receivers"]
    assert chat["slack_configs"][0]["api_url_file"] == "/etc/secrets/slack"
    assert mail["email_configs"][0]["auth_password_file"] == "/etc/secrets/mail"
    assert mail["email_configs"][0]["from"] == "alerts@example.org"


def test_a_secret_given_as_text_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError) as refused:
        Slack(name="chat", channel="#ops", api_url_file="https://hooks.example.org/T0/B0/verysecret")
    assert "only Alertmanager can read" in str(refused.value)
    assert "verysecret" not in str(refused.value)


def test_an_owner_hears_of_his_own_alerts_and_the_rest_goes_where_all_go() -> None:
    routing = Routing(
        receivers=(HOOK, CHAT, MAIL),
        routes={"page": "hook", "ticket": "chat"},
        owners=(OwnerRoute(owner="shop team", routes={"page": "mail"}),),
    )
    assert routing.receiver_of("page", "shop team") == "mail"
    assert routing.receiver_of("critical", "shop team") == "mail"
    assert routing.receiver_of("ticket", "shop team") == "chat"
    assert routing.receiver_of("page", "others") == "hook"
    assert routing.receiver_of("warning", "others") == "chat"


def test_an_owners_routes_come_before_the_general_ones() -> None:
    routing = Routing(receivers=(HOOK, MAIL), owners=(OwnerRoute(owner='a "b"', routes={"page": "mail"}),))
    routes = config(routing)["route"]["routes"]
    assert routes[0] == {"receiver": "mail", "matchers": ['severity="page"', 'owner="a \\"b\\""']}
    assert [route["receiver"] for route in routes[4:]] == ["hook"] * 4


def test_a_night_is_two_parts_of_a_week() -> None:
    parts = NIGHTS.document()["time_intervals"]
    assert [part["times"][0] for part in parts] == [
        {"start_time": "20:00", "end_time": "24:00"},
        {"start_time": "00:00", "end_time": "07:30"},
    ]
    friday = TimeInterval(name="friday", weekdays=("friday", "sunday"), start="22:00", end="06:00").document()
    assert [part["weekdays"] for part in friday["time_intervals"]] == [["friday", "sunday"], ["saturday", "monday"]]


def test_an_interval_that_ends_at_midnight_is_one_part() -> None:
    late = TimeInterval(name="late", start="20:00", end="00:00").document()
    assert [part["times"][0]["end_time"] for part in late["time_intervals"]] == ["24:00"]


@pytest.mark.parametrize("times", [{"start": "24:00"}, {"start": "8:00"}, {"start": "09:00", "end": "09:00"}])
def test_an_interval_that_is_none_is_refused(times: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TimeInterval(name="odd", **times)


def test_tickets_wait_until_morning_and_warnings_with_them() -> None:
    routing = Routing(receivers=(HOOK,), intervals=(NIGHTS,), muted={"ticket": ("nights",)})
    muted = {route["matchers"][0]: route.get("mute_time_intervals") for route in config(routing)["route"]["routes"]}
    assert muted == {
        'severity="page"': None,
        'severity="critical"': None,
        'severity="ticket"': ["nights"],
        'severity="warning"': ["nights"],
    }


@pytest.mark.parametrize("severity", ["page", "critical"])
def test_what_wakes_somebody_is_never_muted(severity: str) -> None:
    with pytest.raises(ValidationError, match="would be muted"):
        Routing(receivers=(HOOK,), intervals=(NIGHTS,), muted={severity: ("nights",)})


@pytest.mark.parametrize(
    "fields",
    [
        {"muted": {"ticket": ("weekends",)}},
        {"intervals": (NIGHTS, NIGHTS)},
        {"owners": (OwnerRoute(owner="a", routes={"page": "nobody"}),)},
        {"owners": (OwnerRoute(owner="a", routes={"page": "hook"}),) * 2},
        {"receivers": (HOOK, HOOK)},
    ],
)
def test_routes_that_lead_nowhere_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Routing(**{"receivers": (HOOK,)} | fields)


def test_symptoms_keep_patient_causes_quiet_and_never_urgent_ones() -> None:
    rule = config(Routing(receivers=(HOOK,)))["inhibit_rules"][-1]
    assert rule == {
        "source_matchers": ['severity=~"critical|page"', 'kind!="cause"'],
        "target_matchers": ['kind="cause"', 'severity=~"ticket|warning"'],
        "equal": ["service"],
    }


def test_split_objectives_inhibit_only_within_a_split() -> None:
    first = config(Routing(receivers=(HOOK,)), grouping={"route"})["inhibit_rules"][0]
    assert first["equal"] == ["service", "slo", "route"]


FAST, MEDIUM, SLOW, TRICKLE = DEFAULT_POLICY.tiers


def quiet(*policies: tuple[BurnTier, ...]) -> set[tuple[str, str]]:
    """The matchers of each tier that inhibits others, and those others."""
    rules = config(Routing(receivers=(HOOK,)), tuple(BurnPolicy(tiers=tiers) for tiers in policies))["inhibit_rules"]
    return {(",".join(one["source_matchers"][:-1]), one["target_matchers"][0]) for one in rules[:-2]}


def told(tier: BurnTier, severity: str) -> BurnTier:
    return tier.model_copy(update={"severity": severity})


@pytest.mark.parametrize("tiers", [(FAST, MEDIUM, SLOW, TRICKLE), (TRICKLE, SLOW, MEDIUM, FAST)])
def test_windows_and_not_the_order_written_say_which_tier_keeps_which_quiet(tiers: tuple[BurnTier, ...]) -> None:
    assert quiet(tiers) == {
        ('tier="fast"', 'tier=~"medium|slow|trickle"'),
        ('tier="medium"', 'tier=~"slow|trickle"'),
        ('tier="slow"', 'tier=~"trickle"'),
    }


@pytest.mark.parametrize("tiers", [(FAST, MEDIUM, SLOW), (SLOW, MEDIUM, FAST)])
def test_a_ticket_never_keeps_a_page_quiet(tiers: tuple[BurnTier, ...]) -> None:
    turned = tuple(told(tier, "page" if tier is MEDIUM else "ticket") for tier in tiers)
    assert quiet(turned) == {('tier="fast"', 'tier=~"slow"'), ('tier="medium"', 'tier=~"slow"')}


def test_a_severity_that_differs_between_policies_is_matched() -> None:
    assert quiet((FAST, MEDIUM), (told(FAST, "ticket"), MEDIUM)) == {('tier="fast",severity="page"', 'tier=~"medium"')}


def test_policies_that_order_the_same_names_differently_leave_each_other_alone() -> None:
    swapped = (FAST.model_copy(update={"name": "medium"}), MEDIUM.model_copy(update={"name": "fast"}))
    assert quiet((FAST, MEDIUM, SLOW), swapped) == {('tier="fast"', 'tier=~"slow"'), ('tier="medium"', 'tier=~"slow"')}


def test_each_alert_has_the_receiver_that_its_definition_says() -> None:
    service = Service(name="api", owner="{{ team }}", job="api")
    slo = SLO(service=service, name="availability", objective="99.9", sli=ErrorRatio(errors="e", total="r"))
    rule = burn_alert(slo, DEFAULT_POLICY.tiers[0], REAL, Links())
    routing = Routing(receivers=(HOOK, MAIL), owners=(OwnerRoute(owner="{{ team }}", routes={"page": "mail"}),))
    (found,) = routed_alerts([(rule, service.owner)], routing)
    assert found.receiver == "mail"
    assert found.labels["alertname"] == "ApiAvailabilityFastBurn"
    assert found.labels["owner"] == "{{ team }}"


def silence(**fields: Any) -> PlannedSilence:
    given: dict[str, Any] = {
        "matchers": (equals("service", "api"),),
        "starts_at": 1000.0,
        "ends_at": 1600.0,
        "created_by": "ann",
        "comment": "chaos",
    }
    return PlannedSilence(**given | fields)


def test_a_silence_says_what_it_silences_and_when_it_ends() -> None:
    document = chaos_silence(
        "api", starts_at=0, lasts=timedelta(minutes=10), created_by="ann", reason="we kill a1", severity="ticket"
    ).document()
    assert document["endsAt"] == "1970-01-01T00:10:00+00:00"
    assert document["matchers"][0] == {"name": "service", "value": "api", "isRegex": False, "isEqual": True}
    assert document["matchers"][1]["name"] == "severity"


@pytest.mark.parametrize(
    "fields",
    [
        {"ends_at": 1000.0},
        {"ends_at": 900.0},
        {"ends_at": float("inf")},
        {"ends_at": 1000.0 + 86401},
        {"matchers": ()},
        {"matchers": (Matcher("service", "=~", ".*"),)},
        {"matchers": (Matcher("service", "!=", "api"),)},
        {"comment": ""},
    ],
)
def test_a_silence_without_an_end_or_an_aim_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        silence(**fields)
