"""A chart in figures: what each line did in each phase."""

from collections.abc import Sequence
from statistics import median

from sloproof.report import wording
from sloproof.report.model import Chart, Phase, Series


def phase_figures(chart: Chart, phases: Sequence[Phase]) -> list[tuple[str, list[str]]]:
    """The median of each line in each phase, and its lowest and highest value.

    Args:
        chart: the chart.
        phases: the run's phases, in order.

    Returns:
        For each line its label and one text a phase, such as `42 ms (38 ms to 97 ms)`.
    """
    return [(series.label, [_figures(series, phase, chart) for phase in phases]) for series in chart.series]


def _figures(series: Series, phase: Phase, chart: Chart) -> str:
    values = [value for at, value in series.points if value is not None and phase.start <= at < phase.end]
    if not values:
        return wording.NO_DATA
    middle, low, high = (wording.measurement(value, chart.unit) for value in (median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"
