from loadtests.shop import evening
from sloproof import BudgetLeft, Gate, Load

release = Gate(name="release", system="shop", requires=[Load(evening)])
spent = Gate(name="spent", system="shop", requires=[BudgetLeft("120%")])
twice = Gate(name="release", system="shop", requires=[evening])
