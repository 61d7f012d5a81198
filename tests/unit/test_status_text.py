"""What `sloproof status` writes: every objective that has a figure, and in a line those that have none."""

from dataclasses import replace
from typing import Any

import pytest

from sloproof import Service, names
from sloproof.cli.status_text import sentences, table
from sloproof.prometheus_answers import ActiveAlert
from sloproof.workspace.status import BudgetStatus, Missing, Status
from tests.unit.checks_subjects import availability

NOW = 1_700_000_000.0
FIGURES = {"recorded": 0.5, "errors_left": 500.0, "burn": 0.25, "burn_window": "1h", "coverage": 1.0}
TASKS = Service(name="tasks", owner="tasks team", job="tasks")


def budget(name: str, **changes: Any) -> BudgetStatus:
    return BudgetStatus(**{"slo": availability(name=name), "alerts": (), **FIGURES, **changes})


def without(name: str, missing: Missing = Missing.NOTHING, service: Service | None = None) -> BudgetStatus:
    slo = availability(name=name) if service is None else availability(name=name, service=service)
    return BudgetStatus(slo=slo, alerts=(), missing=missing, notes=(missing.value,))


def alert(name: str, **labels: str) -> ActiveAlert:
    return ActiveAlert(
        name=name,
        labels={names.ALERT_NAME: name, **labels},
        annotations={},
        state="firing",
        active_at=NOW - 60,
        value=1.0,
    )


def lines(*budgets: BudgetStatus, worst: int | None = None, width: int = 80) -> list[str]:
    return [text + verdict for text, verdict in table(Status(NOW, budgets), worst, width)]


def words(*budgets: BudgetStatus) -> list[str]:
    return [text for text, _ in sentences(Status(NOW, budgets), None)]


# --- without data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 250])
def test_what_burns_is_not_pushed_away_by_objectives_without_data(width: int) -> None:
    empty = [without(f"objective-{number}") for number in range(27)]
    told = lines(budget("spent", recorded=-0.5), *empty, width=width)
    assert len(told) <= 6
    (line,) = [line for line in told if "27 objectives" in line]
    assert line.startswith("shop  no data for 27 objectives")
    assert line.endswith("UNDECIDED")
    assert len(line) <= width


def test_names_are_told_as_far_as_there_is_room_and_the_others_counted() -> None:
    empty = [without(f"objective-{number}") for number in range(27)]
    (line,) = lines(*empty, width=80)
    assert line == "shop  no data for 27 objectives: objective-0, objective-1, 25 more  UNDECIDED"
    (line,) = lines(*empty, width=60)
    assert line == "shop  no data for 27 objectives  UNDECIDED"
    (line,) = lines(without("a"), without("b"))
    assert line.endswith(": a, b  UNDECIDED")


def test_each_service_and_each_reason_has_its_own_line() -> None:
    told = lines(
        without("a"), without("b"), without("a", service=TASKS), without("b", service=TASKS),
        without("c", Missing.NO_EVENTS), without("d", Missing.NO_EVENTS),
    )  # fmt: skip
    assert told == [
        "shop  no data for 2 objectives: a, b  UNDECIDED",
        "tasks  no data for 2 objectives: a, b  UNDECIDED",
        "shop  no events yet for 2 objectives: c, d  UNDECIDED",
    ]


def test_one_objective_without_data_says_so_in_one_sentence() -> None:
    assert lines(without("a")) == ["shop/a  no data: nothing is recorded for it  UNDECIDED"]
    assert words(without("a")) == ["shop/a: undecided, no data: nothing is recorded for it."]


def test_the_sentence_of_many_names_all_of_them() -> None:
    empty = [without(f"o{number}") for number in range(5)]
    assert words(*empty) == ["shop: undecided, no data for 5 objectives: o0, o1, o2, o3, o4."]


def test_an_alert_of_an_objective_without_data_is_shown() -> None:
    absent = replace(without("a"), alerts=(alert("ShopATelemetryAbsent"),))
    told = lines(absent, without("b"), without("c"))
    assert told[0] == "shop/a  no data: nothing is recorded for it  UNDECIDED"
    assert told[1].strip().startswith("ShopATelemetryAbsent firing for ")
    assert "2 objectives" in told[2]
    assert "Alerts: ShopATelemetryAbsent firing for " in words(absent)[0]


def test_without_events_a_measured_share_is_no_figure() -> None:
    quiet = replace(without("a", Missing.NO_EVENTS), coverage=0.4, errors_left=0.0)
    assert lines(quiet) == ["shop/a  no data: its rules are loaded, and found no events  UNDECIDED"]


def test_what_is_not_shown_is_counted_by_objective() -> None:
    empty = [without(f"o{number}") for number in range(5)]
    told = lines(budget("fine"), *empty, worst=1)
    assert told[-1] == "5 more, with no less left or unknown: 5 UNDECIDED"
    assert any("5 objectives" in line for line in lines(budget("fine"), *empty, worst=2))


def test_what_follows_from_an_unknown_figure_is_left_out() -> None:
    told = lines(budget("a", burn=None, coverage=None))
    assert told[1:3] == ["  burn unknown, measured share unknown", "  promised 99.9 % over 30d, is 99.95 %"]
    (told_aloud,) = words(budget("a", burn=None, coverage=None))
    assert "Burning at an unknown rate. Measured an unknown share of the window." in told_aloud
    half = budget("a", recorded=None, errors_left=None, missing=Missing.NOT_ANSWERED)
    assert lines(half)[:3] == [
        "shop/a  what is left is unknown  UNDECIDED",
        "  burn 0.25x (1h), measured 100.0 %",
        "  promised 99.9 % over 30d",
    ]


# --- notes -------------------------------------------------------------------------------------------------------


def test_notes_that_are_alike_are_told_once_with_their_number() -> None:
    short = [budget(f"o{number}", coverage=0.5, notes=("too little was measured",)) for number in range(5)]
    told = [line for line in lines(*short, width=250) if "too little" in line]
    assert told == ["5 objectives (shop/o0, shop/o1, shop/o2, 2 more): too little was measured"]
    assert lines(short[0], width=250)[-1] == "shop/o0: too little was measured"


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    note = "recorded and ledger differ by more than 5%; the ledger also counts what came in gaps"
    one = budget("a-name-of-an-objective", recorded=0.5, ledger=0.2, notes=(note,), alerts=(alert("ShopNameFastBurn"),))
    told = lines(one, budget("b", notes=(note,)), *[without(f"o{n}") for n in range(9)], width=width)
    assert [line for line in told if len(line) > width] == []
    assert sum(line.endswith(("PASS", "UNDECIDED")) for line in told) == 3
    assert note in " ".join(line.strip() for line in told)


def test_labels_of_the_server_cannot_move_the_cursor() -> None:
    one = budget("a", group=("\x1b[2J\nshop/b",), alerts=(alert("ShopAFastBurn", region="\x1b]0;x\x07"),))
    for told in ("".join(lines(one)), "".join(lines(one, width=250)), words(one)[0]):
        assert "[2J" in told
        assert all(character.isprintable() for character in told)


# --- figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (0.5, "50.0 % left"),
        (-0.5, "-50.0 % left"),
        (-1.0, "-100.0 % left"),
        (-3.5, "450 % spent"),
        (-634.045, "635 times spent"),
    ],
)
def test_a_budget_that_is_spent_many_times_over_is_told_as_a_factor(left: float, told: str) -> None:
    one = budget("a", recorded=left)
    assert lines(one)[0].startswith(f"shop/a  {told}  ")
    assert f"  {told.removesuffix(' left')}  " in lines(one, width=250)[1]
    assert f"Budget {told}." in words(one)[0]


def test_two_figures_that_differ_are_both_told_in_their_own_words() -> None:
    one = budget("a", recorded=0.2, ledger=-20.0)
    assert lines(one)[0] == "shop/a  21 times spent by ledger, 20.0 % left as recorded  FAIL"
