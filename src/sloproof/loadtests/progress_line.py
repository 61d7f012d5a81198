"""The one line that shows how a load run stands."""

from sloproof.loadtests.progress import Progress

_SHOWN_IN_SECONDS = 10.0


def progress_line(progress: Progress) -> str:
    """Write a progress as one line of text.

    Args:
        progress: the snapshot.

    Returns:
        `steady  00:12/00:30  39.8 of 40.0/s  errors 0  p50 12 ms  p95 31 ms  p99 48 ms`
    """
    parts = [
        progress.profile,
        f"{_clock(progress.elapsed)}/{_clock(progress.elapsed + progress.left)}",
        f"{progress.achieved_rate:.1f}{'' if progress.asked_rate is None else f' of {progress.asked_rate:.1f}'}/s",
        *([f"LOST {progress.lost}"] if progress.lost else []),
        f"errors {progress.failed}",
        f"p50 {_latency(progress.p50)}",
        f"p95 {_latency(progress.p95)}",
        f"p99 {_latency(progress.p99)}",
    ]
    return "  ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _latency(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds >= _SHOWN_IN_SECONDS:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms"
