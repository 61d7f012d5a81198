"""How the tasks system is loaded."""

from sloproof import LoadProfile

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
