from loadtests.shop import evening
from sloproof import BudgetLeft, Gate, Load, NoOpenFaults, ObjectivesHold

whole = Gate(name="whole", system="shop", requires=[NoOpenFaults()])
quick = Gate(name="quick", system="tasks", requires=[NoOpenFaults(), Load(evening)])
taken = Gate(name="taken", system="tasks", requires=[Load(evening)])
live = Gate(name="live", system="shop", requires=[BudgetLeft("20%"), ObjectivesHold()])
