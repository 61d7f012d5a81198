"""What a drill showed: promised beside measured times of every tier, as a table and as plain values."""

from collections.abc import Sequence
from typing import Any

from sloproof.chaos.drill import TierDrill
from sloproof.chaos.expecting import Finding
from sloproof.verdict.wording import percent

HEADS = ("alert", "bad events", "fires, promised", "measured", "clears, promised", "measured", "control", "verdict")


def table(drills: Sequence[TierDrill]) -> str:
    """The drills as lines of aligned columns; times are seconds after the fault, and after its undo."""
    rows = [HEADS, *(_row(drilled) for drilled in drills)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def document(
    drills: Sequence[TierDrill], others: Sequence[Finding], *, scale: int, started_at: float
) -> dict[str, Any]:
    """The drills as plain values; times are seconds, ratios of 1.

    Args:
        drills: of tiers.
        others: findings beside them, such as those of absence alerts.
        scale: what windows were divided by.
        started_at: epoch seconds.
    """
    return {
        "scale": scale,
        "started_at": started_at,
        "tiers": [_values(drilled) for drilled in drills],
        "others": [_finding(one) for one in others],
    }


def _values(drilled: TierDrill) -> dict[str, Any]:
    return {
        "alert": drilled.alert,
        "slo": drilled.slo.identity,
        "tier": drilled.tier.name,
        "verdict": drilled.verdict.value,
        "asked_ratio": drilled.asked,
        "seen_ratio": drilled.seen,
        "promised_firing": drilled.firing,
        "fired": drilled.fired,
        "promised_clearing": drilled.clearing,
        "cleared": drilled.cleared,
        "control": drilled.control,
        "findings": [_finding(one) for one in drilled.findings],
    }


def _finding(found: Finding) -> dict[str, str]:
    return {
        "expected": found.expected,
        "observed": found.observed,
        "verdict": found.verdict.value,
        "detail": found.detail,
    }


def _row(drilled: TierDrill) -> tuple[str, ...]:
    return (
        drilled.alert,
        "-" if drilled.seen is None else percent(drilled.seen),
        _span(drilled.firing),
        _seconds(drilled.fired, drilled.firing),
        _span(drilled.clearing),
        _seconds(drilled.cleared, drilled.clearing),
        "-" if drilled.control is None else f"{drilled.control:.2f}",
        drilled.verdict.value,
    )


def _seconds(seconds: float | None, promised: tuple[float, float] | None) -> str:
    if seconds is None:
        return "-" if promised is None else "never"
    return f"{seconds:.1f} s"


def _span(promised: tuple[float, float] | None) -> str:
    return "-" if promised is None else f"{max(promised[0], 0):.1f}-{promised[1]:.1f} s"
