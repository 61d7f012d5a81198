"""How the tasks system is broken, and what must be seen when it is."""

from loadtests.tasks import calm, steady
from slo import tasks
from sloproof import (
    Balanced,
    ContendLocks,
    DelayRequests,
    ExhaustPool,
    Experiment,
    FailHealthCheck,
    Fires,
    FlushCache,
    Holds,
    KillInstance,
    LoseDependency,
    LoseExporter,
    Partition,
    Quiet,
    Resolves,
    RestartDependency,
    RestartLoop,
    SlowDependency,
)

lose_one_instance = Experiment(
    name="lose-one-instance",
    system="tasks",
    description="One of the two instances dies without a warning; the other serves everybody until it is back.",
    load=steady,
    faults=[KillInstance("a1", at="14s", back_after="10s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency), Balanced(tolerance="10")],
    tail="9s",
)

lose_both_instances = Experiment(
    name="lose-both-instances",
    system="tasks",
    description="Both instances die at once and come back a quarter of a minute later; until then nobody is served.",
    load=calm,
    faults=[KillInstance("a1", at="13s", back_after="14s"), KillInstance("a2", at="13s", back_after="14s")],
    # The balancer takes an instance in again after two good health checks; no promise counts from a moment here.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)

failing_health_check = Experiment(
    name="failing-health-check",
    system="tasks",
    description="One instance says that it is ill while it serves on: it is taken out, and nobody notices.",
    load=steady,
    faults=[FailHealthCheck("a1", at="13s", lasts="10s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency), Quiet(tasks.availability)],
)

intermittent_failures = Experiment(
    name="intermittent-failures",
    system="tasks",
    description="One instance dies every four seconds; the balancer asks the other one again where that is safe.",
    load=steady,
    faults=[RestartLoop("a1", at="13s", every="4s", lasts="12s")],
    # A write that was under way is lost with its instance: no retry may repeat it. A few of those page nobody.
    expect=[Holds(tasks.latency), Quiet(tasks.availability, tier="fast")],
)

exporter_lost = Experiment(
    name="exporter-lost",
    system="tasks",
    description="The metrics of one instance are gone while it serves; users are judged by the balancer's own.",
    load=steady,
    faults=[LoseExporter("a1", at="13s", lasts="12s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency), Quiet(tasks.availability), Quiet(tasks.latency)],
)

slow_backend = Experiment(
    name="slow-backend",
    system="tasks",
    description="Nearly a third of the answers come 800 ms late: too slow for users, and for nobody an error.",
    load=steady,
    # At 30 % slow answers the budget of 5 % burns 6 times too fast: too little for the two pages, enough for `slow`.
    faults=[DelayRequests("800ms", percent=30, at="13s", lasts="75s")],
    expect=[Fires(tasks.latency, tier="slow"), Resolves(tasks.latency, tier="slow")],
    tail="45s",
)

slow_database = Experiment(
    name="slow-database",
    system="tasks",
    description="Each answer of the database comes 1.2 s late; the pools have too few connections for that.",
    load=calm,
    faults=[SlowDependency("postgres", delay="1200ms", at="13s", lasts="20s")],
    # Answers under way come late although the database is quick again; no promise counts from a moment here.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)

database_restart = Experiment(
    name="database-restart",
    system="tasks",
    description="The database is restarted, as for an update; every pooled connection is dead when it is back.",
    load=calm,
    faults=[RestartDependency("postgres", at="13s", back_after="5s")],
    # Its start takes a while in which requests succeed again one by one; no promise counts from a moment here.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)

database_lost = Experiment(
    name="database-lost",
    system="tasks",
    description="The database is away for a quarter of a minute.",
    load=calm,
    faults=[LoseDependency("postgres", at="13s", lasts="15s")],
    # Its start takes a while in which requests succeed again one by one; no promise counts from a moment here.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)

pool_exhausted = Experiment(
    name="pool-exhausted",
    system="tasks",
    description="Another client leaks connections until the database has none left for the service.",
    load=calm,
    faults=[ExhaustPool(leave=0, at="13s", lasts="20s")],
    # The connections go in waves, and the alert may come and go with them while they do.
    expect=[Fires(tasks.availability, tier="fast")],
    tail="30s",
)

table_locked = Experiment(
    name="table-locked",
    system="tasks",
    description="A migration holds the busiest table locked while people work.",
    load=calm,
    faults=[ContendLocks("tarefas", at="13s", lasts="15s")],
    # Whoever waits for the lock is served before its end is seen; the limit counts from there.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)

database_partition = Experiment(
    name="database-partition",
    system="tasks",
    description="One instance is cut off from the database, which the other still reaches; and stays healthy.",
    load=calm,
    faults=[Partition("a1", dependency="postgres", at="13s", lasts="15s")],
    # The balancer sends most reads to the other instance again; what is left comes in drops, and so does the alert.
    expect=[Fires(tasks.availability, tier="fast")],
    tail="30s",
)

cache_lost = Experiment(
    name="cache-lost",
    system="tasks",
    description="The cache loses everything that it holds; the database serves all reads until it is warm again.",
    load=steady,
    faults=[FlushCache("redis", at="13s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency)],
)

cache_outage = Experiment(
    name="cache-outage",
    system="tasks",
    description="The cache is away for a quarter of a minute; everything is read from the database, and nothing fails.",
    load=steady,
    faults=[LoseDependency("redis", at="13s", lasts="15s")],
    expect=[Holds(tasks.availability), Holds(tasks.latency)],
)

both_dependencies_lost = Experiment(
    name="both-dependencies-lost",
    system="tasks",
    description="Database and cache are away at once; nothing but errors can come of that, and all is well afterwards.",
    load=calm,
    faults=[LoseDependency("redis", at="13s", lasts="16s"), LoseDependency("postgres", at="14s", lasts="14s")],
    # Its start takes a while in which requests succeed again one by one; no promise counts from a moment here.
    expect=[Fires(tasks.availability, tier="fast"), Resolves(tasks.availability, tier="fast", within="15s")],
    tail="30s",
)
