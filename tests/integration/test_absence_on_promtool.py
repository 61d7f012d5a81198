"""What is told, and by which alert, when a part of an objective's raw series does not exist.

promtool evaluates the rules as they are generated, from the raw series to the alerts.
"""

from pathlib import Path

import pytest
import yaml

from sloproof.alerts import (
    DEFAULT_POLICY,
    REAL,
    AbsenceAlerts,
    Links,
    absence_groups,
    base_group,
    burn_groups,
    rules_yaml,
)
from sloproof.alerts.proof import Check, ProofCase
from sloproof.alerts.proof_batch import prove_cases
from sloproof.lab.parts import find
from sloproof.names import absent_alert, burn_alert
from sloproof.promql import Selector, call, equals
from sloproof.promtool import run_rule_tests
from sloproof.slo import SLO, AllOf, AnyIndicator, Composite, ErrorRatio, LatencyBelow, Service

pytestmark = pytest.mark.integration

SHOP = Service(name="shop", owner="team", job="shop")
ERRORS = ErrorRatio(errors='seen{code="500"}', total="seen")
LATENCY = LatencyBelow("500ms", histogram="took")
BOTH = AllOf(parts=(ERRORS, LATENCY))
LATENCY_FIRST = AllOf(parts=(LATENCY, ERRORS))
SUM = Composite(parts=((ERRORS, "2"), (LATENCY, 1)))
UP = {'up{job="shop",instance="a"}': "1x200"}
WELL, FAILED, AT_REST = "0+300x200", "0+300x200", "0x200"
ABSENT, FAST = absent_alert("shop", "promise"), burn_alert("shop", "promise", "fast")
LATE = REAL.evaluation * 160


def promise(sli: AnyIndicator, *by: str, sliced: bool = False) -> SLO:
    return SLO(
        service=SHOP,
        name="promise",
        objective="99",
        sli=sli,
        by=by,
        budgeting="slices" if sliced else "events",
    )


def wrong(slo: SLO, series: dict[str, str], **firing: int) -> list[str]:
    """What is not as told: how many alerts of each kind fire, when the series have been so for 80 minutes."""
    groups = [
        base_group(slo, REAL),
        *burn_groups(slo, DEFAULT_POLICY, REAL, Links()),
        *absence_groups(SHOP, [slo], AbsenceAlerts(), REAL, Links()),
    ]
    checks = [
        Check(
            call("count", Selector("ALERTS", (equals("alertname", alert), equals("alertstate", "firing")))),
            LATE,
            firing[kind] or None,
            f"not {firing[kind]} of {alert}",
        )
        for kind, alert in {"absent": ABSENT, "fast": FAST}.items()
    ]
    loaded = yaml.safe_load(rules_yaml(groups))["groups"]
    case = ProofCase(ABSENT, "as told", loaded, REAL.evaluation, REAL.scrape, UP | series, tuple(checks))
    promtool = find("promtool")
    (result,) = prove_cases([case], lambda tests: run_rule_tests(promtool, tests))
    return list(result.failures)


def histogram(bucket: str, run: str = WELL, **labels: str) -> dict[str, str]:
    """A histogram with this bucket and the last one, and everything in both."""
    own = [equals(label, value) for label, value in labels.items()]
    count, buckets = Selector("took_count").matching(*own), Selector("took_bucket").matching(*own)
    return {str(series): run for series in (count, *(buckets.matching(equals("le", le)) for le in (bucket, "+Inf")))}


def test_a_threshold_that_is_no_bucket_is_told(parts: Path) -> None:
    assert wrong(promise(LATENCY), histogram("0.25"), absent=1, fast=0) == []
    assert wrong(promise(LATENCY), histogram("0.5"), absent=0, fast=0) == []


def test_a_threshold_that_is_no_bucket_is_told_once_for_all_groups(parts: Path) -> None:
    groups = histogram("0.25", route="/a") | histogram("0.25", route="/b")
    assert wrong(promise(LATENCY, "route"), groups, absent=1, fast=0) == []


def test_a_group_whose_histogram_lacks_the_bucket_is_told(parts: Path) -> None:
    groups = histogram("0.5", route="/a") | histogram("0.25", route="/b")
    assert wrong(promise(LATENCY, "route"), groups, absent=1, fast=0) == []


@pytest.mark.parametrize("sliced", [False, True], ids=["events", "slices"])
def test_slices_of_a_threshold_that_is_no_bucket_are_told(parts: Path, sliced: bool) -> None:
    assert wrong(promise(LATENCY, sliced=sliced), histogram("0.25"), absent=1, fast=0) == []


@pytest.mark.parametrize("sli", [ERRORS, LATENCY, BOTH, SUM], ids=lambda sli: sli.kind)
@pytest.mark.parametrize("sliced", [False, True], ids=["events", "slices"])
def test_a_quiet_night_is_no_absence(parts: Path, sli: AnyIndicator, sliced: bool) -> None:
    assert wrong(promise(sli, sliced=sliced), {"seen": AT_REST} | histogram("0.5", AT_REST), absent=0, fast=0) == []


@pytest.mark.parametrize("sli", [ERRORS, LATENCY, BOTH, SUM], ids=lambda sli: sli.kind)
@pytest.mark.parametrize("sliced", [False, True], ids=["events", "slices"])
def test_nothing_at_all_is_told(parts: Path, sli: AnyIndicator, sliced: bool) -> None:
    assert wrong(promise(sli, sliced=sliced), {}, absent=1, fast=0) == []


@pytest.mark.parametrize("sli", [BOTH, LATENCY_FIRST, SUM], ids=["second", "first", "of a sum"])
@pytest.mark.parametrize("sliced", [False, True], ids=["events", "slices"])
def test_the_living_part_pages_and_the_missing_one_is_told(parts: Path, sli: AnyIndicator, sliced: bool) -> None:
    assert wrong(promise(sli, sliced=sliced), {'seen{code="500"}': FAILED}, absent=1, fast=1) == []


@pytest.mark.parametrize("sli", [BOTH, LATENCY_FIRST, SUM], ids=["second", "first", "of a sum"])
def test_a_group_that_one_part_lacks_pages_and_is_told(parts: Path, sli: AnyIndicator) -> None:
    series = {'seen{code="200",route="/a"}': WELL, 'seen{code="500",route="/b"}': FAILED}
    assert wrong(promise(sli, "route"), series | histogram("0.5", route="/a"), absent=1, fast=1) == []


def test_a_part_whose_threshold_is_no_bucket_is_told(parts: Path) -> None:
    series = {'seen{code="500"}': FAILED} | histogram("0.25")
    assert wrong(promise(BOTH), series, absent=1, fast=1) == []


def test_parts_that_are_all_there_are_not_absent(parts: Path) -> None:
    series = {'seen{code="200",route="/a"}': WELL} | histogram("0.5", route="/a")
    assert wrong(promise(BOTH, "route"), series, absent=0, fast=0) == []
    assert wrong(promise(SUM, "route"), series, absent=0, fast=0) == []
