"""What authors are told of definitions that models refuse: one sentence for one mistake, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.alerts import BurnPolicy, BurnTier, OwnerRoute, Routing, Webhook
from sloproof.errors import Problem
from sloproof.slo import SLO, AllOf, Composite, ErrorRatio, GaugeBelow, LatencyBelow, RawRatio, Service
from sloproof.workspace.validation import problems_of

SHOP = Service(name="shop", owner="shop team", job="shop")
RATIO: Any = ErrorRatio(errors="e", total="t")
LATENCY: Any = LatencyBelow("1s", histogram="h")
BOTH: Any = AllOf(parts=(RATIO, LATENCY))
WEIGHED: Any = Composite(parts=((RATIO, 1),))
HOOK, POST = (Webhook(name=name, url="http://127.0.0.1:1/x") for name in ("hook", "post"))
TIER: Any = BurnTier(name="fast", budget_share="0.02", long="1h", short="5m", severity="page")


def slo(**changes: Any) -> SLO:
    return SLO(**{"service": SHOP, "name": "errors", "objective": "99", "sli": RATIO, **changes})


def told(define: Callable[[], object]) -> Problem:
    """The one problem of a definition that is refused."""
    with pytest.raises(ValidationError) as refused:
        define()
    (problem,) = problems_of(refused.value, "slo/shop.py", {}, "it")
    return problem


@pytest.mark.parametrize("define", [lambda: AllOf(parts=(BOTH, LATENCY)), lambda: Composite(parts=((BOTH, 1),))])
def test_parts_of_parts_are_one_sentence(define: Callable[[], object]) -> None:
    problem = told(define)
    assert problem.what == "`parts`: `AllOf` cannot be a part of another indicator"
    assert "an indicator without parts of its own" in problem.hint


@pytest.mark.parametrize(
    "parts",
    [
        (RATIO, LATENCY),
        (RATIO, 1),
        ((RATIO,),),
        ((1, RATIO),),
        ((RATIO, LATENCY, 1),),
    ],
)
def test_parts_that_are_no_pairs_are_one_sentence(parts: Any) -> None:
    problem = told(lambda: Composite(parts=parts))
    assert problem.what == "`parts`: each part is a pair of an indicator and its weight"
    assert problem.hint == "write `parts=((ErrorRatio(...), 1), ...)`"


def test_pairs_where_no_weight_belongs_are_one_sentence() -> None:
    pairs: Any = ((RATIO, 1), (LATENCY, 1))
    assert told(lambda: AllOf(parts=pairs)).what == "`parts`: each part is an indicator, without a weight"


@pytest.mark.parametrize(
    ("define", "what", "hint"),
    [
        (lambda: AllOf(parts=RATIO), "`ErrorRatio(...)` stands alone", "write `parts=(ErrorRatio(...),)`"),
        (lambda: AllOf(parts=(RATIO,)), "`parts`: holds 1", "give at least 2"),
        (lambda: AllOf(parts=()), "`parts`: is empty", "give at least 2"),
        (lambda: BurnPolicy(tiers=TIER), "`BurnTier(...)` stands alone", "write `tiers=(BurnTier(...),)`"),
        (lambda: slo(by="route"), '`"route"` stands alone where a tuple must', 'write `by=("route",)`, with the comma'),
        (lambda: slo(sli="up"), "`up` is no definition", "such as `ErrorRatio(...)`"),
        (lambda: slo(service="shop"), "`shop` is no `Service`", "give the definition itself"),
    ],
)
def test_a_wrong_shape_says_what_to_write(define: Callable[[], object], what: str, hint: str) -> None:
    problem = told(define)
    assert what in problem.what
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("define", "hint"),
    [
        (lambda: ErrorRatio(errors='e{code="500"', total="t"), "close the labels with `}`"),
        (lambda: ErrorRatio(errors='e{code="500}', total="t"), "close the value of the label with another quote"),
        (lambda: ErrorRatio(errors='{code="500"}', total="t"), "write its name before the braces"),
        (lambda: slo(objective="high"), 'write it in digits, as text, such as `"99.9"`'),
        (lambda: Routing(receivers=(HOOK, POST), routes={"page": "pager"}), "there are `hook`, `post`"),
        (lambda: Routing(receivers=(HOOK,), owners=(OwnerRoute(owner="a", routes={"page": "b"}),)), "there is `hook`"),
        (lambda: Routing(receivers=(HOOK,), muted={"ticket": ("nights",)}), "there are none"),
    ],
)
def test_what_beginners_write_has_a_hint(define: Callable[[], object], hint: str) -> None:
    assert hint in told(define).hint


@pytest.mark.parametrize(
    "define",
    [
        lambda: slo(name=""),
        lambda: slo(objective=""),
        lambda: slo(window=""),
        lambda: slo(by=("",)),
        lambda: ErrorRatio(errors="", total="t"),
        lambda: GaugeBelow("1", gauge=""),
        lambda: RawRatio(errors="", total="rate(t[$window])"),
        lambda: OwnerRoute(owner="", routes={"page": "hook"}),
    ],
)
def test_empty_text_is_called_empty(define: Callable[[], object]) -> None:
    what = told(define).what
    assert "empty" in what
    assert "``" not in what


def test_an_objective_that_no_traffic_can_show_is_refused_with_its_arithmetic() -> None:
    problem = told(lambda: slo(objective="99.99999999999999999999"))
    assert "allows one bad event in 1e+22" in problem.what
    assert problem.hint == "promise at most `99.999999999`"
    assert slo(objective="99.999999999").budget > 0
    assert "1e+12" in told(lambda: slo(objective="99.9999999999")).what
