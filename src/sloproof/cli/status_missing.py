"""Objectives without data, one line a service, and what holds for many objectives, told once."""

from collections.abc import Iterable, Iterator, Sequence

from sloproof.workspace.status import BudgetStatus, Missing

Entry = Sequence[BudgetStatus]
"""One objective, or all of a service that are without data for the same reason."""

_NAMED = 3
_MANY = {
    Missing.NOTHING: "no data for {} objectives",
    Missing.NO_EVENTS: "no events yet for {} objectives",
    Missing.NOT_ANSWERED: "no full answer for {} objectives",
}


def entries_of(budgets: Iterable[BudgetStatus]) -> list[Entry]:
    """What is shown together, in the order of what is given; the groups without data come last.

    An objective without data stays by itself while an alert of it is active.
    """
    known: list[Entry] = []
    without: dict[tuple[str, Missing | None], list[BudgetStatus]] = {}
    for one in budgets:
        if one.empty and not one.alerts:
            without.setdefault((one.slo.service.name, one.missing), []).append(one)
        else:
            known.append((one,))
    return [*known, *without.values()]


def without_data(entry: Entry, width: int) -> str:
    """Why an entry has no figure, in one line.

    Args:
        entry: without data.
        width: at most so many characters; names that have no room are counted.
    """
    first = entry[0]
    if len(entry) == 1:
        return f"{first.slo.identity}  {_sentence(first)}"
    head = f"{first.slo.service.name}  {_reason(entry)}"
    names = _fitting([one.slo.name for one in entry], width - len(head) - len(": "))
    return f"{head}: {names}" if names else head


def without_data_in_words(entry: Entry) -> str:
    """The same as a sentence without its full stop, with every name."""
    first = entry[0]
    if len(entry) == 1:
        return f"{first.slo.identity}: undecided, {_sentence(first)}"
    return f"{first.slo.service.name}: undecided, {_reason(entry)}: {', '.join(one.slo.name for one in entry)}"


def told_once(shown: Iterable[BudgetStatus]) -> Iterator[str]:
    """Every note, with its objective; one that many have, with their number and the first names."""
    noted: dict[str, list[str]] = {}
    for one in shown:
        for note in one.notes:
            if not (one.empty and note == one.missing):  # its own line says so
                noted.setdefault(note, []).append(one.slo.identity)
    for note, names in noted.items():
        rest = f", {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        many = f"{len(names)} objectives ({', '.join(names[:_NAMED])}{rest})"
        yield f"{names[0] if len(names) == 1 else many}: {note}"


def _sentence(one: BudgetStatus) -> str:
    return str(one.missing or Missing.NOTHING)


def _reason(entry: Entry) -> str:
    return _MANY[entry[0].missing or Missing.NOTHING].format(len(entry))


def _fitting(names: Sequence[str], room: int) -> str:
    """As many names as there is room for, and the number of the others; nothing where not even one fits."""
    for count in range(len(names), 0, -1):
        rest = [f"{len(names) - count} more"] if count < len(names) else []
        text = ", ".join([*names[:count], *rest])
        if len(text) <= room:
            return text
    return ""
