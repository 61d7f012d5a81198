"""How the monolith is loaded: what its owners say it holds, and the thousand users that it was asked for.

The last one is the load that it must fail. No lab runs it: `sloproof load run NAME --target URL`.
"""

from slo.monolith import REQUESTS_PER_SECOND_IT_HOLDS, USERS_ASKED_FOR, USERS_IT_HOLDS
from sloproof import Arrivals, Failures, LoadProfile, Quantile, UserStage

PROMISED = (Quantile("p95", below="200ms"), Failures(below="1%"))

what_it_holds = LoadProfile(
    name="monolith-what-it-holds",
    system="monolith",
    description="A hundred users at once, then two hundred: the owners' own estimate.",
    locustfile="users/monolith.py",
    users=USERS_IT_HOLDS,
    stages=(
        UserStage(users=USERS_IT_HOLDS, over="5m", phase="a hundred"),
        UserStage(users=2 * USERS_IT_HOLDS, over="1m", phase="more come"),
        UserStage(users=2 * USERS_IT_HOLDS, over="5m", phase="two hundred"),
    ),
    duration="11m",
    warm_up="30s",
    expect=PROMISED,
)

a_thousand_users = LoadProfile(
    name="monolith-a-thousand-users",
    system="monolith",
    description="The thousand users at once that it was asked for; its gate closes.",
    locustfile="users/monolith.py",
    users=USERS_ASKED_FOR,
    spawn_rate=50,
    duration="5m",
    warm_up="30s",
    expect=PROMISED,
)

claimed_throughput = LoadProfile(
    name="monolith-claimed-throughput",
    system="monolith",
    description="About a hundred requests a second, by the clock: what its owners say it answers.",
    locustfile="users/monolith.py",
    users=200,
    arrivals=Arrivals(rate=REQUESTS_PER_SECOND_IT_HOLDS, spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=PROMISED,
)
