"""How the tasks system is loaded."""

from sloproof import Arrivals, LoadProfile

steady = LoadProfile(
    name="steady",
    system="tasks",
    description="An ordinary moment of the day: two hundred people, one request a second each.",
    locustfile="users/tasks.py",
    users=200,
    rate=200,
    spawn_rate=50,
    duration="26s",
    warm_up="7s",
)

calm = LoadProfile(
    name="calm",
    system="tasks",
    description="Forty people: enough to see an outage in seconds, and little enough for a busy machine.",
    locustfile="users/tasks.py",
    users=40,
    rate=40,
    spawn_rate=20,
    duration="26s",
    warm_up="7s",
)

morning = LoadProfile(
    name="morning",
    system="tasks",
    description="The hour in which everybody opens the list of the day, as it was recorded; a third of its requests.",
    locustfile="users/tasks.py",
    users=200,
    arrivals=Arrivals(trace="traces/tasks-morning.csv", scale="0.33", spacing="poisson"),
    duration="60m",
    warm_up="1m",
)
