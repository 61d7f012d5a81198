"""Past runs: what each of them found, kept in one SQLite file, so that a later one has something to compare with."""

from sloproof.history.past_run import PastDeploy, PastFinding, PastObjective, PastQuantile, PastRun, Windows
from sloproof.history.store import HISTORY_FILE, History

__all__ = [
    "HISTORY_FILE",
    "History",
    "PastDeploy",
    "PastFinding",
    "PastObjective",
    "PastQuantile",
    "PastRun",
    "Windows",
]
