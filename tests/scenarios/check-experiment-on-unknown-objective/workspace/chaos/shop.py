from loadtests.shop import evening
from slo import shop
from sloproof import SLO, ErrorRatio, Service, DelayRequests, Experiment, Fires

lone = SLO(service=Service(name="x", owner="x", job="x"), name="x", objective="99", sli=ErrorRatio(errors="a", total="b"))
slow_answers = Experiment(
    name="slow-answers",
    system="tasks",
    load=evening,
    faults=[DelayRequests("800ms", percent=30, at="2s", lasts="5s")],
    expect=[Fires(lone, tier="slow")],
)
