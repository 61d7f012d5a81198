"""How the tasks system is broken, and what must be seen when it is."""

from loadtests.tasks import steady
from slo import tasks
from sloproof import Balanced, DelayRequests, Experiment, Fires, Holds, KillInstance, Resolves

lose_one_instance = Experiment(
    name="lose-one-instance",
    system="tasks",
    description="One of the two instances dies without a warning; the other serves everybody until it is back.",
    load=steady,
    faults=[KillInstance("a1", at="9s", back_after="10s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency), Balanced(tolerance="10")],
    tail="9s",
)

slow_backend = Experiment(
    name="slow-backend",
    system="tasks",
    description="Nearly a third of the answers come 800 ms late: too slow for users, and for nobody an error.",
    load=steady,
    # At 30 % slow answers the budget of 5 % burns 6 times too fast: too little for the two pages, enough for `slow`.
    faults=[DelayRequests("800ms", percent=30, at="6s", lasts="75s")],
    expect=[Fires(tasks.latency, tier="slow"), Resolves(tasks.latency, tier="slow")],
    tail="45s",
)
