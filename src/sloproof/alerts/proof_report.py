"""A proof as rows, as JSON and as JUnit's XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

from sloproof.alerts.proof import SHOWN_RATIOS, AlertProof
from sloproof.definition import format_duration

NEVER = "never"
NOT_PROMISED = "-"
"""For alerts that are not about an error ratio."""


@dataclass(frozen=True)
class Row:
    """One alert in the table.

    Args:
        alert: its name.
        detection: the latest it fires, for each of `SHOWN_RATIOS`.
        reset: the latest it clears, for each of `SHOWN_RATIOS`.
        proven: whether every case held.
        why_not: each case that did not, with its reason.
    """

    alert: str
    detection: tuple[str, ...]
    reset: tuple[str, ...]
    proven: bool
    why_not: tuple[str, ...]


def rows(proofs: Sequence[AlertProof]) -> list[Row]:
    """The table, in the order of the proofs."""
    return [_row(proof) for proof in proofs]


def columns(proofs: Sequence[AlertProof]) -> list[tuple[str, str, str, str]]:
    """The table as text, headings first; all columns but the last are filled up with blanks to one width."""
    ratios = " / ".join(f"{ratio * 100:f}".split(".", maxsplit=1)[0] for ratio in SHOWN_RATIOS)
    lines = [("ALERT", f"FIRES WITHIN, AT {ratios} % BAD", "CLEARS WITHIN", "")]
    for row in rows(proofs):
        verdict = "proven" if row.proven else "NOT PROVEN"
        lines.append((row.alert, " / ".join(row.detection), " / ".join(row.reset), verdict))
    widths = [max(len(line[index]) for line in lines) for index in range(3)]
    return [(line[0].ljust(widths[0]), line[1].ljust(widths[1]), line[2].ljust(widths[2]), line[3]) for line in lines]


def summary(proofs: Sequence[AlertProof]) -> str:
    """How many alerts are proven, by how many cases."""
    proven = sum(proof.proven for proof in proofs)
    cases = sum(len(proof.plan.cases) for proof in proofs)
    return f"{proven} of {len(proofs)} alerts proven by {cases} cases"


def as_document(proofs: Sequence[AlertProof]) -> dict[str, Any]:
    """The proof for machines.

    Returns:
        `proven` and `alerts`; times are seconds, null for never; ratios are of 1.
    """
    alerts = [
        {
            "alert": proof.plan.alert,
            "labels": dict(proof.plan.labels),
            "proven": proof.proven,
            "promised": [
                {
                    "error_ratio": float(promised.error_ratio),
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
    for result in proof.results:
        told = {"classname": proof.plan.alert, "name": result.title, "time": f"{result.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", told)
        for reason in result.failures:
            ElementTree.SubElement(case, "failure" if result.expressible else "error", message=_printable(reason))
    if not proof.results:
        case = ElementTree.SubElement(suite, "testcase", classname=proof.plan.alert, name="has cases")
        ElementTree.SubElement(case, "error", message="; ".join(proof.why_not))


def _row(proof: AlertProof) -> Row:
    promised = {one.error_ratio: one for one in proof.plan.promised}
    found = [promised.get(ratio) for ratio in SHOWN_RATIOS]
    detection = tuple(NOT_PROMISED if one is None else _shown(one.detection) for one in found)
    reset = tuple(NOT_PROMISED if one is None else _shown(one.reset) for one in found)
    return Row(proof.plan.alert, detection, reset, proof.proven, proof.why_not)


def _shown(time: timedelta | None) -> str:
    return NEVER if time is None else format_duration(timedelta(seconds=round(time.total_seconds())))


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds(), 3)


def _printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else "?" for c in text)
