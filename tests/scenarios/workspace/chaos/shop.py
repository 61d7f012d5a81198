from loadtests.shop import evening
from slo import shop
from sloproof import DelayRequests, Experiment, Fires

slow_answers = Experiment(
    name="slow-answers",
    system="tasks",
    load=evening,
    faults=[DelayRequests("800ms", percent=30, at="2s", lasts="5s")],
    expect=[Fires(shop.latency, tier="slow")],
)
