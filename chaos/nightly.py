"""What is broken by itself, while somebody who can look is awake soon."""

from chaos.tasks import lose_one_instance
from slo import tasks
from sloproof import Drill, Schedule

alerts_still_work = Schedule(
    name="tasks-drill",
    cron="0 3 * * 1",
    run=Drill(tasks.availability, all_of_service=True),
    deadline="30m",
)

one_instance_is_enough = Schedule(
    name="tasks-lose-one-instance",
    cron="30 4 * * 1-5",
    run=lose_one_instance,
    deadline="10m",
)
