"""How the platform is loaded: what its document claims, and what one of its servers has to bear for that.

A generator process has its limits, so the first three have to be sent from many processes and machines. No lab runs
it: `sloproof load run NAME --target URL`.
"""

from slo.platform import PEAK_REQUESTS_PER_SECOND, SIMULTANEOUS_USERS
from sloproof import Arrivals, Failures, LoadProfile, Quantile

REQUESTS_PER_SECOND = 100_000
SERVERS = 3 * 20  # three regions, each with twenty servers at the most
PROMISED = (Quantile("p95", below="100ms"), Failures(below="0.001%"))

throughput = LoadProfile(
    name="platform-throughput",
    system="platform",
    description="A hundred thousand requests a second, over all regions.",
    locustfile="users/platform.py",
    users=50_000,
    arrivals=Arrivals(rate=REQUESTS_PER_SECOND, spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=PROMISED,
)

peak = LoadProfile(
    name="platform-peak",
    system="platform",
    description="A million requests a second, as at the height of a sale.",
    locustfile="users/platform.py",
    users=200_000,
    arrivals=Arrivals(rate=PEAK_REQUESTS_PER_SECOND, spacing="poisson"),
    duration="2m",
    warm_up="30s",
    expect=PROMISED,
)

crowd = LoadProfile(
    name="platform-crowd",
    system="platform",
    description="A million users at once, each with a request every ten seconds.",
    locustfile="users/platform.py",
    users=SIMULTANEOUS_USERS,
    rate=REQUESTS_PER_SECOND,
    spawn_rate=10_000,
    duration="10m",
    warm_up="3m",
    expect=PROMISED,
)

one_server = LoadProfile(
    name="platform-one-server",
    system="platform",
    description="What one server of sixty bears when all of them together answer a hundred thousand a second.",
    locustfile="users/platform.py",
    users=1_000,
    arrivals=Arrivals(rate=-(-REQUESTS_PER_SECOND // SERVERS), spacing="poisson"),
    duration="5m",
    warm_up="30s",
    expect=PROMISED,
)
