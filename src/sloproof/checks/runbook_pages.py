"""runbook/no-page, runbook/unwritten, runbook/orphan-page: pages that do not help at three in the morning."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem
from sloproof.runbooks import unwritten_sections

NO_PAGE = "runbook/no-page"
UNWRITTEN = "runbook/unwritten"
ORPHAN = "runbook/orphan-page"
_GENERATED = "<!-- generated:"
"""What tells a page of ours from one that people put beside them."""


def check(subject: Subject) -> Iterator[Problem]:
    """Alerts without a page, pages that nobody has made their own, and pages of alerts that are gone."""
    pages: dict[Place, list[str]] = {}
    for rule, place in subject.alerts():
        pages.setdefault(place, []).append(_path(rule.name))
    for place, paths in pages.items():
        yield from _missing(place, [path for path in paths if path not in subject.pages])
        yield from _unwritten(place, {path: subject.pages[path] for path in paths if path in subject.pages})
    known = {path for paths in pages.values() for path in paths}
    for path, text in sorted(subject.pages.items()):
        if path not in known and _GENERATED in text:
            yield Place(path, 1, "").warning(
                "this is the page of an alert that no definition implies any more",
                ORPHAN,
                "move what is still true to another page, then remove it",
            )


def _missing(place: Place, paths: list[str]) -> Iterator[Problem]:
    if paths:
        yield place.warning(
            f"{_listed(paths)} {'do' if len(paths) > 1 else 'does'} not exist, and the alert points there",
            NO_PAGE,
            "run `sloproof generate`",
        )


def _unwritten(place: Place, pages: dict[str, str]) -> Iterator[Problem]:
    found = {path: unwritten_sections(text) for path, text in pages.items()}
    paths = [path for path, headings in found.items() if headings]
    headings = dict.fromkeys(heading for path in paths for heading in found[path])
    if paths:
        yield place.warning(
            f"nobody has written {', '.join(f'`{heading}`' for heading in headings)} in {_listed(paths)}",
            UNWRITTEN,
            "write what your team really does, and remove the line that says that it is to be written",
        )


def _path(alert: str) -> str:
    return f"runbooks/{names.runbook_file(alert)}"


def _listed(paths: list[str]) -> str:
    more = len(paths) - 1
    return f"`{paths[0]}`" + (f" and {more} more page{'s' if more > 1 else ''}" if more else "")
