"""How much later than its arithmetic an alert fires: measured minus promised, over tiers and bad ratios, at scale 60.

Each row is a drill on a real system. Promised is the instant at which the events of the run cross the threshold, `for`
included; what comes on top is the scrape, the evaluation and, for tiers that read recorded series, the base window.
Nothing else should be running.

Run: python benchmarks/detection.py [--quick]
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sloproof.chaos.expecting import RESOLUTION

ROOT = Path(__file__).resolve().parent.parent
SCALE = 60
ALLOWED = 1.0 + 30 / SCALE
"""One scrape of a lab at this scale and one evaluation, seconds."""
PATIENCE = 900.0
CASES = (
    ("--tier", "fast"),
    ("--tier", "fast", "--ratio", "100"),
    ("--tier", "medium"),
)
QUICK = (("--tier", "fast", "--ratio", "100", "--quiet", "15s"),)


def drill(case: Sequence[str]) -> list[dict[str, Any]]:
    """The tiers that one drill saw, of both objectives of `tasks`."""
    words = ["drill", "tasks", "--all", "--scale", str(SCALE), "--no-control", "--no-absent", "--json", *case]
    done = subprocess.run(
        [sys.executable, "-m", "sloproof", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if not done.stdout.startswith("{"):
        raise SystemExit(f"the drill did not come to its end:\n{done.stderr}")
    document: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout)[0]
    found: list[dict[str, Any]] = document["tiers"]
    return found


def rows(cases: Sequence[Sequence[str]]) -> Iterator[tuple[str, float, float, float, str]]:
    """Alert, bad ratio, promised and measured seconds, verdict; what decides nothing is left out."""
    for case in cases:
        for tier in drill(case):
            if tier["promised_firing"] is None or tier["fired"] is None or tier["verdict"] == "UNDECIDED":
                print(f"{tier['alert']}: {tier['verdict']}, no time to compare", file=sys.stderr)
                continue
            promised = tier["promised_firing"][0] + RESOLUTION
            yield tier["alert"], tier["seen_ratio"], promised, tier["fired"], tier["verdict"]


def main() -> int:
    """Print the table; 1 when the median is later than allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one drill of the fast tier")
    chosen = parser.parse_args()
    table, late = Table("alert", "bad events", "promised", "measured", "later by", "verdict"), []
    for alert, ratio, promised, measured, verdict in rows(QUICK if chosen.quick else CASES):
        late.append(measured - promised)
        cells = (f"{ratio:.2%}", f"{promised:.1f} s", f"{measured:.1f} s", f"{late[-1]:+.1f} s")
        table.add_row(alert, *cells, verdict)
    console = Console()
    console.print(table)
    if not late:
        console.print("no drill gave a time: nothing is shown")
        return 1
    median = statistics.median(late)
    console.print(f"median {median:+.2f} s of {len(late)}; at most {ALLOWED:.1f} s, a scrape and an evaluation")
    return 0 if median <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
