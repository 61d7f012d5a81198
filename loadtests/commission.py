"""How the commission engine is loaded: a crowd of 350 to 400 visitors, a steady 30 to 40 requests a second, and 50.

No lab runs it: `sloproof load run NAME --target URL`.
"""

from sloproof import Arrivals, Failures, LoadProfile, Quantile, RateStage, UserStage

PROMISED = (Quantile("p95", below="500ms"), Failures(below="0.1%"))

crowd = LoadProfile(
    name="commission-crowd",
    system="commission",
    description="350 visitors at once, later 400.",
    locustfile="users/commission.py",
    users=350,
    stages=(
        UserStage(users=350, over="5m", phase="350 visitors"),
        UserStage(users=400, over="1m", phase="more come"),
        UserStage(users=400, over="5m", phase="400 visitors"),
    ),
    duration="11m",
    warm_up="30s",
    expect=PROMISED,
)

sustained = LoadProfile(
    name="commission-sustained",
    system="commission",
    description="30 to 40 requests a second, sustained, whatever the answers take.",
    locustfile="users/commission.py",
    users=100,
    arrivals=Arrivals(
        rate=30,
        stages=(
            RateStage(rate=30, over="10m", phase="30 a second"),
            RateStage(rate=40, over="2m", phase="rising"),
            RateStage(rate=40, over="10m", phase="40 a second"),
        ),
        spacing="poisson",
    ),
    duration="22m",
    warm_up="30s",
    expect=PROMISED,
)

peak = LoadProfile(
    name="commission-peak",
    system="commission",
    description="50 requests a second for five minutes: beyond that the team is told of more traffic than planned.",
    locustfile="users/commission.py",
    users=100,
    arrivals=Arrivals(
        rate=40,
        stages=(
            RateStage(rate=40, over="2m", phase="before"),
            RateStage(rate=50, over="0s"),
            RateStage(rate=50, over="5m", phase="50 a second"),
            RateStage(rate=40, over="0s"),
            RateStage(rate=40, over="2m", phase="after"),
        ),
        spacing="poisson",
    ),
    duration="9m",
    warm_up="30s",
    expect=PROMISED,
)
