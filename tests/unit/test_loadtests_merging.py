"""Whatever order processes report in, and whoever goes missing, no request is lost or counted twice."""

import random

import pytest

from sloproof.errors import UsageError
from sloproof.loadtests.distribution import Distribution, WorkerReport, host_and_port
from sloproof.loadtests.generator import generator_health
from sloproof.loadtests.merging import Merger, merged
from sloproof.loadtests.result import Censored, RunTotals
from sloproof.loadtests.second import Second


def merger(*names: str) -> Merger:
    made = Merger(100.4, lambda at: 40.0)
    for name in names:
        made.join(name)
    return made


def told(*seconds: Second, totals: RunTotals | None = None) -> WorkerReport:
    return WorkerReport(seconds=list(seconds), clock=0.0, totals=totals)


def second(at: int, completed: int = 1, **changes: object) -> Second:
    values = {"started": completed, "latency": {5: completed}, "slower": {"0.5": completed}, "users": 3, **changes}
    return Second(at=at, completed=completed, **values)


def test_a_second_waits_until_every_process_has_told_it() -> None:
    load = merger("a", "b")
    load.take("a", told(second(100), second(101)), 0)
    assert list(load.ready()) == []
    load.take("b", told(second(100, 2, users=4)), 0)
    (whole,) = load.ready()
    assert (whole.at, whole.completed, whole.users, whole.asked) == (100, 3, 7, 40.0)
    assert whole.latency == {5: 3} and whole.slower == {"0.5": 3}


def test_a_lost_process_is_no_longer_waited_for_and_told_from_then_on() -> None:
    load = merger("a", "b")
    for name in ("a", "b"):
        load.take(name, told(second(100)), 0)
    first = list(load.ready())
    load.take("a", told(second(101), second(102)), 0)
    load.lose("b", 103.0)
    later = list(load.ready())
    assert [s.lost for s in first + later] == [0, 1, 1]
    assert load.awaited == ["a"]


def test_what_a_lost_process_tells_later_is_still_counted_once() -> None:
    load = merger("a", "b")
    load.take("a", told(second(100), second(101)), 0)
    load.lose("b", 102.0)
    seen = list(load.ready())
    load.take("b", told(second(100, 5), second(101, 7)), 0)
    seen += load.rest(103)
    assert sum(s.completed for s in seen) == 2 + 12
    assert [s.at for s in seen] == [100, 101, 102]


def test_in_whatever_order_reports_come_the_sums_are_exact_and_the_seconds_tile() -> None:
    chance = random.Random(5)
    names = ["a", "b", "c"]
    load = merger(*names)
    queues = {name: [second(at, chance.randrange(9)) for at in range(100, 130)] for name in names}
    expected = sum(s.completed for queue in queues.values() for s in queue)
    seen: list[Second] = []
    while any(queues.values()):
        name = chance.choice([name for name in names if queues[name]])
        count = chance.randrange(1, 4)
        load.take(name, told(*queues[name][:count]), 0)
        del queues[name][:count]
        seen += load.ready()
    seen += load.rest(129.2)
    assert [s.at for s in seen] == list(range(100, 130))
    assert sum(s.completed for s in seen) == expected
    assert sum(record.completed for record in load.records()) == expected


def test_a_process_that_ends_before_the_load_does_was_lost() -> None:
    load = merger("a", "b")
    load.take("a", told(second(100), totals=RunTotals()), 101.0)
    assert load.lost == 1
    load.drained_from = 102.0
    load.take("b", told(second(100), totals=RunTotals()), 103.0)
    assert load.lost == 1 and load.awaited == []


def test_requests_in_flight_on_a_lost_process_are_counted_as_open() -> None:
    load = merger("a", "b")
    load.drained_from = 102.0
    load.take("a", told(second(100, in_flight=4)), 0)
    load.take("b", told(totals=RunTotals(censored=[Censored(name="GET /", started_at=1, age=1)])), 0)
    assert load.in_flight_of_lost == 4 and len(load.totals.censored) == 1


def test_a_report_of_a_stranger_counts_nothing() -> None:
    load = merger("a")
    load.take("stranger", told(second(100, 50)), 0)
    load.take("a", told(second(100)), 0)
    assert next(load.ready()).completed == 1


def test_a_clock_that_is_off_is_told() -> None:
    load = merger("a")
    load.take("a", WorkerReport(clock=103.5), 100.0)
    assert "+3.5 s off" in load.notes()[0]
    assert not merger("b").notes()


def test_the_busiest_core_and_the_worst_lag_stand_for_all() -> None:
    whole = merged(100, [second(100, cpu=0.2, lag=0.3, late=0.4), second(100, cpu=0.95, lag=0.1, late=0.0)])
    assert (whole.cpu, whole.lag, whole.late) == (0.95, 0.3, 0.2)


def test_a_lost_process_makes_the_generator_unfit_and_says_what_to_do() -> None:
    seconds = [second(at, lost=int(at > 110)) for at in range(100, 120)]
    found = generator_health(seconds, users=3, asked_rate=None, drained_from=120)
    assert found.saturated and found.lost == 1
    assert "lost 1 process" in found.reasons[0] and "run it again" in found.advice


def test_an_exhausted_generator_is_told_to_use_more_processes() -> None:
    seconds = [second(at, cpu=0.97) for at in range(100, 120)]
    assert "--processes" in generator_health(seconds, users=3, asked_rate=None, drained_from=120).advice


def test_the_lag_that_almost_all_seconds_keep_is_told_beside_the_worst() -> None:
    seconds = [second(at, lag=0.5 if at == 150 else 0.01) for at in range(100, 300)]
    found = generator_health(seconds, users=3, asked_rate=None, drained_from=300)
    assert (found.lag_p99, found.lag_max) == (0.01, 0.5)


@pytest.mark.parametrize("address", ["", "5557", "host", ":5557", "host:", "host:0", "host:70000", "host:x", "host:²"])
def test_an_address_without_a_host_or_a_port_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a master"):
        host_and_port(address)


def test_an_address_comes_in_two_parts() -> None:
    assert host_and_port("127.0.0.1:5557") == ("127.0.0.1", 5557)
    assert host_and_port("[::1]:5557") == ("::1", 5557)


def test_one_process_needs_no_master() -> None:
    assert Distribution.here(1) is None
    for count in (0, -1, 65):
        with pytest.raises(UsageError, match=f"`{count}` processes"):
            Distribution.here(count)
    with pytest.raises(UsageError, match="`0` workers"):
        Distribution.elsewhere(0, "127.0.0.1:5557")
