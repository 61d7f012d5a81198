"""What is promised: services, indicators, objectives and their budgets."""

from sloproof.slo.composite import AllOf, AnyIndicator, Composite
from sloproof.slo.indicators import EventCounters, Indicator, JudgedValue, SampleSeries, SliceSeries
from sloproof.slo.latency import HistogramBelow, LatencyBelow, NativeLatencyBelow
from sloproof.slo.objective import LONGEST, SLO, indicator_kinds
from sloproof.slo.ratio import ErrorRatio, GoodRatio
from sloproof.slo.raw import RawRatio
from sloproof.slo.service import Service
from sloproof.slo.slices import FreshWithin, GaugeAbove, GaugeBelow, ProbeUp, ThroughputAtLeast

__all__ = [
    "LONGEST",
    "SLO",
    "AllOf",
    "AnyIndicator",
    "Composite",
    "ErrorRatio",
    "EventCounters",
    "FreshWithin",
    "GaugeAbove",
    "GaugeBelow",
    "GoodRatio",
    "HistogramBelow",
    "Indicator",
    "JudgedValue",
    "LatencyBelow",
    "NativeLatencyBelow",
    "ProbeUp",
    "RawRatio",
    "SampleSeries",
    "Service",
    "SliceSeries",
    "ThroughputAtLeast",
    "indicator_kinds",
]
