"""Rules with divided windows: for labs and demonstrations, and never among real ones."""

import re
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from sloproof import names
from sloproof.alerts import Timing
from sloproof.errors import Refused, UsageError

_SCALE_LABEL = re.compile(rf'{names.SCALE}="(\d+)"')


def timing(scale: int, scrape: timedelta, evaluation: timedelta) -> Timing:
    """The clock of scaled rules.

    Args:
        scale: the factor that windows are divided by.
        scrape: the scrape interval of the servers that will run them.
        evaluation: how often paging rules run at scale 1.

    Raises:
        UsageError: a divided base window would hold too few scrapes.
    """
    try:
        return Timing(scale=scale, scrape=scrape, evaluation=evaluation)
    except ValidationError as error:
        what, _, hint = error.errors()[0]["msg"].removeprefix("Value error, ").partition("; ")
        raise UsageError(what, hint=hint) from None


def scales_in(text: str) -> frozenset[int]:
    """The factors that a rules file was made with.

    Args:
        text: a generated rules file.

    Returns:
        {1} for real windows; more than one factor for a file that mixes them.
    """
    expressions = [
        line for line in text.splitlines() if line.lstrip().startswith(("expr:", "- expr:")) and "slo:" in line
    ]
    found = [_SCALE_LABEL.search(line) for line in expressions]
    return frozenset(int(match.group(1)) if match else 1 for match in found)


def refuse_mixture(folder: Path, scale: int) -> None:
    """Refuse to put rules of one scale beside rules of another.

    Args:
        folder: where rules are about to be written; may not exist.
        scale: their factor.

    Raises:
        Refused: the folder holds rules of another factor.
    """
    for file in sorted(folder.glob("*.rules.yaml")):
        others = scales_in(file.read_text(encoding="utf-8", errors="replace")) - {scale}
        if others:
            raise Refused(
                f"`{file}` holds rules whose windows are divided by {min(others)}, and these are divided by {scale}",
                hint="one Prometheus must see only one kind: choose an empty folder",
            )
