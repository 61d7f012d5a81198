"""What drills showed of each alert last, kept beside the definitions so that runbooks can tell it."""

import json
from collections.abc import Mapping
from pathlib import Path

from sloproof.errors import UsageError
from sloproof.workspace.files import write_file

DRILLS = "alerts/drills.json"
"""Relative to the workspace; committed with it."""


def seen_in_drills(text: str | None) -> dict[str, str]:
    """The sentence that is kept of each alert.

    Args:
        text: the kept file; None where there is none.

    Returns:
        Sentences by alert name.

    Raises:
        UsageError: the file is not what `sloproof drill --record` writes.
    """
    if text is None:
        return {}
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(one, str) for one in kept.values()):
        raise UsageError(
            f"`{DRILLS}` cannot be read as what drills showed", hint="delete it; the next `drill --record` writes it"
        )
    return kept


def keep_seen(root: Path, seen: Mapping[str, str]) -> Path:
    """Remember what a drill showed; what is known of other alerts stays.

    Args:
        root: of the workspace.
        seen: a sentence for each alert.

    Returns:
        The file.

    Raises:
        UsageError: what is there cannot be read.
    """
    file = root / DRILLS
    known = seen_in_drills(file.read_text(encoding="utf-8") if file.is_file() else None)
    text = json.dumps({**known, **seen}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_file(file, text)
    return file
