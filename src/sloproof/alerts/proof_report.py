"""A proof as rows, as JSON and as JUnit's XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree

from sloproof import names
from sloproof.alerts.proof import SHOWN_RATIOS, AlertProof, ProofPlan
from sloproof.definition import format_duration

NEVER = "never"
NOT_PROMISED = "-"
"""Where nothing is promised."""
PROVEN, FROM_RECORDED, NOT_PROVEN = "proven", "proven from recorded series", "NOT PROVEN"
INDENT = "  "
MOST_NAMED = 3
"""Alerts that a note names; of more it tells the number, and JSON the names."""
_KINDS = {names.ABSENT: "absence", names.BUDGET: "budget", names.CAUSE: "cause"}


@dataclass(frozen=True)
class Row:
    """One alert in the table.

    Args:
        alert: its name.
        detection: the latest it fires, for each of `SHOWN_RATIOS`.
        reset: the latest it clears, for each of `SHOWN_RATIOS`.
        verdict: `proven`, `proven from recorded series` or `NOT PROVEN`.
        why_not: each case that did not hold, with its reason.
    """

    alert: str
    detection: tuple[str, ...]
    reset: tuple[str, ...]
    verdict: str
    why_not: tuple[str, ...]


def rows(proofs: Sequence[AlertProof]) -> list[Row]:
    """The table, in the order of the proofs."""
    return [_row(proof) for proof in proofs]


def table(proofs: Sequence[AlertProof], width: int) -> list[tuple[str, str]]:
    """The table as text, headings first.

    Args:
        proofs: in the order they are shown.
        width: characters in a line; where a line an alert does not fit, each alert has two.

    Returns:
        Each line as what is filled up with blanks to a common width, and the verdict that ends it.
    """
    ratios = " / ".join(f"{ratio * 100:f}".split(".", maxsplit=1)[0] for ratio in SHOWN_RATIOS)
    lines = [("ALERT", f"FIRES WITHIN, AT {ratios} % BAD", "CLEARS WITHIN", "")]
    lines += [(row.alert, " / ".join(row.detection), " / ".join(row.reset), row.verdict) for row in rows(proofs)]
    alerts, fires, clears, verdicts = (max(len(line[index]) for line in lines) for index in range(4))
    if alerts + fires + clears + verdicts + 3 * len(INDENT) <= width:
        return [
            (f"{alert:{alerts}}{INDENT}{fire:{fires}}{INDENT}{clear:{clears}}{INDENT}", verdict)
            for alert, fire, clear, verdict in lines
        ]
    return [
        shown
        for alert, fire, clear, verdict in lines
        for shown in (
            (f"{alert:{alerts}}{INDENT}" if verdict else alert, verdict),
            (f"{INDENT}{fire:{fires}}{INDENT}{clear}".rstrip(), ""),
        )
    ]


def notes(proofs: Sequence[AlertProof], width: int) -> list[str]:
    """What the cases leave open, each note once with the alerts it is about; none for what is not proven at all."""
    about: dict[str, list[ProofPlan]] = {}
    for proof in proofs:
        for note in proof.plan.notes if proof.proven else ():
            about.setdefault(note, []).append(proof.plan)
    texts = (f"note: {note} ({_those(plans)})" for note, plans in about.items())
    return [line for text in texts for line in _folded(text, width)]


def _those(plans: Sequence[ProofPlan]) -> str:
    """A few alerts by their names, and many by their number and kinds."""
    if len(plans) <= MOST_NAMED:
        return ", ".join(plan.alert for plan in plans)
    kinds = dict.fromkeys(_KINDS.get(plan.labels.get(names.KIND, ""), "burn") for plan in plans)
    *others, last = sorted(kinds)
    return f"{len(plans)} {', '.join(others)}{' and ' if others else ''}{last} alerts"


def _folded(text: str, width: int) -> list[str]:
    return wrap(text, width, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False)


def summary(proofs: Sequence[AlertProof]) -> str:
    """How many alerts are proven, by how many cases."""
    proven = sum(proof.proven for proof in proofs)
    cases = sum(len(proof.plan.cases) for proof in proofs)
    return f"{proven} of {_counted(len(proofs), 'alert')} proven by {_counted(cases, 'case')}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def as_document(proofs: Sequence[AlertProof]) -> dict[str, Any]:
    """The proof for machines.

    Returns:
        `proven` and `alerts`; times are seconds, null for never; ratios are of 1, null for an alert whose
        condition is met or is not.
    """
    alerts = [
        {
            "alert": proof.plan.alert,
            "labels": dict(proof.plan.labels),
            "proven": proof.proven,
            "from_recorded_series": proof.plan.recorded,
            "notes": list(proof.plan.notes),
            "promised": [
                {
                    "error_ratio": None if promised.error_ratio is None else float(promised.error_ratio),
                    "detection_seconds": _seconds(promised.detection),
                    "reset_seconds": _seconds(promised.reset),
                }
                for promised in proof.plan.promised
            ],
            "cases": [
                {
                    "case": result.title,
                    "proven": not result.failures,
                    "run": result.expressible,
                    "why_not": list(result.failures),
                    "seconds": round(result.seconds, 3),
                }
                for result in proof.results
            ],
        }
        for proof in proofs
    ]
    return {"proven": all(proof.proven for proof in proofs), "alerts": alerts}


def as_junit(proofs: Sequence[AlertProof]) -> str:
    """The proof as JUnit's XML: a suite for each alert, a case for each of its cases.

    A case that promtool cannot express is an error, not a skipped test: skipped tests turn a build green.
    """
    root = ElementTree.Element("testsuites", name="sloproof prove")
    for proof in proofs:
        _suite(root, proof)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, proof: AlertProof) -> None:
    failed = sum(bool(result.failures) and result.expressible for result in proof.results)
    errors = sum(not result.expressible for result in proof.results) + (not proof.results)
    counts = {"tests": len(proof.results) or 1, "failures": failed, "errors": errors}
    attributes = {"name": proof.plan.alert, **{name: str(count) for name, count in counts.items()}}
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    _properties(suite, proof)
    for result in proof.results:
        told = {"classname": proof.plan.alert, "name": result.title, "time": f"{result.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", told)
        for reason in result.failures:
            ElementTree.SubElement(case, "failure" if result.expressible else "error", message=_printable(reason))
    if not proof.results:
        case = ElementTree.SubElement(suite, "testcase", classname=proof.plan.alert, name="has cases")
        ElementTree.SubElement(case, "error", message="; ".join(proof.why_not))


def _properties(suite: ElementTree.Element, proof: AlertProof) -> None:
    """What is promised and what is left open; the order of the schema wants it before the cases."""
    told = [("verdict", _row(proof).verdict), *(("note", note) for note in proof.plan.notes)]
    for promised in proof.plan.promised:
        at = "" if promised.error_ratio is None else f"_at_{promised.error_ratio * 100:f}".split(".")[0] + "_percent"
        told += [
            (f"detection_seconds{at}", _number(promised.detection)),
            (f"reset_seconds{at}", _number(promised.reset)),
        ]
    held = ElementTree.SubElement(suite, "properties")
    for name, value in told:
        ElementTree.SubElement(held, "property", name=name, value=_printable(value))


def _number(time: timedelta | None) -> str:
    return NEVER if time is None else f"{time.total_seconds():g}"


def _row(proof: AlertProof) -> Row:
    verdict = NOT_PROVEN if not proof.proven else FROM_RECORDED if proof.plan.recorded else PROVEN
    promised = proof.plan.promised
    if any(one.error_ratio is not None for one in promised):
        by_ratio = {one.error_ratio: one for one in promised}
        found = [by_ratio.get(ratio) for ratio in SHOWN_RATIOS]
    else:
        found = list(promised) or [None]
    detection = tuple(NOT_PROMISED if one is None else _shown(one.detection) for one in found)
    reset = tuple(NOT_PROMISED if one is None else _shown(one.reset) for one in found)
    return Row(proof.plan.alert, detection, reset, verdict, proof.why_not)


def _shown(time: timedelta | None) -> str:
    return NEVER if time is None else format_duration(timedelta(seconds=round(time.total_seconds())))


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds(), 3)


def _printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else "?" for c in text)
