"""How the keyword finder is loaded: the document's three load tests, its phases of growth, and doubling.

Its load is asked of one region. No lab runs it: `sloproof load run NAME --target URL`.
"""

from decimal import Decimal

from slo.keywords import NOW, PHASES
from sloproof import Arrivals, Failures, LoadProfile, Quantile, RateStage, UserStage


def _promised(phase: int) -> tuple[Quantile, Failures]:
    """What a phase of growth promises of its requests."""
    row = PHASES[phase]
    return Quantile("p95", below=row.latency), Failures(below=f"{100 - Decimal(row.availability)}%")


load_test = LoadProfile(
    name="keywords-load",
    system="keywords",
    description="Three analyses to two searches to one look at the health, one to three seconds apart.",
    locustfile="users/keywords.py",
    users=100,
    spawn_rate=10,
    duration="10m",
    warm_up="30s",
    expect=_promised(2),
)

stress = LoadProfile(
    name="keywords-stress",
    system="keywords",
    description="A thousand requests at the same moment.",
    locustfile="users/keywords_analysis.py",
    users=1000,
    arrivals=Arrivals(
        rate=0,
        stages=(
            RateStage(rate=0, over="2s"),
            RateStage(rate=100_000, over="0s"),
            RateStage(rate=100_000, over="10ms"),
            RateStage(rate=0, over="0s"),
        ),
    ),
    duration="30s",
    expect=(Failures(below="10%"),),
)

capacity = LoadProfile(
    name="keywords-capacity",
    system="keywords",
    description="Five minutes up to 100 users, twenty minutes at 100, five minutes down.",
    locustfile="users/keywords_analysis.py",
    users=0,
    stages=(
        UserStage(users=100, over="5m", phase="up"),
        UserStage(users=100, over="20m", phase="at 100 users"),
        UserStage(users=0, over="5m", phase="down"),
    ),
    duration="30m",
    expect=(Quantile("p95", below="500ms"), Failures(below="10%")),
)

phase_1 = LoadProfile(
    name="keywords-phase-1",
    system="keywords",
    description="The gate of the first phase of growth.",
    locustfile="users/keywords.py",
    users=2_000,
    arrivals=Arrivals(rate=PHASES[1].requests_per_second, spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=_promised(1),
)

phase_2 = LoadProfile(
    name="keywords-phase-2",
    system="keywords",
    description="The gate of the second phase of growth, which is the present one.",
    locustfile="users/keywords.py",
    users=5_000,
    arrivals=Arrivals(rate=PHASES[2].requests_per_second, spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=_promised(2),
)

phase_3 = LoadProfile(
    name="keywords-phase-3",
    system="keywords",
    description="The gate of the third phase of growth.",
    locustfile="users/keywords.py",
    users=10_000,
    arrivals=Arrivals(rate=PHASES[3].requests_per_second, spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=_promised(3),
)

doubling = LoadProfile(
    name="keywords-doubling",
    system="keywords",
    description="The load doubles within five minutes, and stays: the replicas have to keep up.",
    locustfile="users/keywords.py",
    users=5_000,
    arrivals=Arrivals(
        rate=NOW.requests_per_second // 2,
        stages=(
            RateStage(rate=NOW.requests_per_second // 2, over="2m", phase="half"),
            RateStage(rate=NOW.requests_per_second, over="5m", phase="doubling"),
            RateStage(rate=NOW.requests_per_second, over="5m", phase="double"),
        ),
        spacing="poisson",
    ),
    duration="12m",
    warm_up="30s",
    expect=_promised(2),
)
