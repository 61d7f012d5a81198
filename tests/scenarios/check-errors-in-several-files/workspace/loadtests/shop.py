from sloproof import LoadProfile

evening = LoadProfile(
    name="evening", system="tasks", locustfile="users/shop.py", users=0, rate=5, spawn_rate=5, duration="10s"
)
