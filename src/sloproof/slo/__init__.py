"""What is promised: services, indicators, objectives and their budgets."""

from sloproof.slo.indicators import AnyIndicator, ErrorRatio, EventCounters, Indicator, LatencyBelow, SampleSeries
from sloproof.slo.objective import SLO
from sloproof.slo.service import Service

__all__ = ["SLO", "AnyIndicator", "ErrorRatio", "EventCounters", "Indicator", "LatencyBelow", "SampleSeries", "Service"]
