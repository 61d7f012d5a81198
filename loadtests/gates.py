"""What must be true of the tasks system before a release of it goes on."""

from chaos.tasks import lose_one_instance
from loadtests.tasks import steady
from sloproof import AlertsProven, BudgetLeft, Gate, Load, NoOpenFaults, ObjectivesHold, Survives

release = Gate(
    name="release",
    system="tasks",
    description="Before a build leaves the lab: it holds its objectives under a load, and with one instance less.",
    requires=[NoOpenFaults(), AlertsProven(), Load(steady), ObjectivesHold(), Survives(lose_one_instance)],
)

promote = Gate(
    name="promote",
    system="tasks",
    description="At each step of a roll-out, on live traffic: nothing is loaded and nothing is broken.",
    requires=[NoOpenFaults(), AlertsProven(), ObjectivesHold(), BudgetLeft("20%")],
)
