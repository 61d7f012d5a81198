"""Proofs that are kept: the same rules, cases and promtool need not be asked twice."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from sloproof.alerts.proof import AlertProof, ProofPlan
from sloproof.definition import Definition
from sloproof.workspace import proofs
from sloproof.workspace.files import write_file


class KeptProof(Definition):
    """What came of the proofs of some alerts.

    Args:
        proven_at: when promtool was run, epoch seconds.
        cases: histories that it was asked about.
        why_not: alert -> each case that did not hold, with its reason; empty for a proven one.
    """

    proven_at: float
    cases: int
    why_not: dict[str, tuple[str, ...]]


def prove(promtool: Path, plans: Sequence[ProofPlan], folder: Path) -> tuple[KeptProof, bool]:
    """The proof of these plans, from the folder where it was kept there for exactly these.

    Args:
        promtool: the program.
        plans: what proves each alert.
        folder: where proofs are kept; made where it is missing.

    Returns:
        The proof, and whether it was kept from an earlier time.

    Raises:
        PartFailed: promtool cannot be run, or the folder cannot be written.
    """
    file = folder / f"{_fingerprint(promtool, plans)}.json"
    kept = _read(file)
    if kept is not None:
        return kept, True
    proof = _summary(proofs.proven(promtool, plans))
    write_file(file, json.dumps(proof.model_dump(mode="json"), indent=2) + "\n")
    return proof, False


def keep(promtool: Path, plans: Sequence[ProofPlan], found: Sequence[AlertProof], folder: Path) -> None:
    """Keep what came of these plans, so that `sloproof status` can tell when it was.

    Raises:
        PartFailed: the folder cannot be written.
    """
    proof = _summary(found)
    file = folder / f"{_fingerprint(promtool, plans)}.json"
    write_file(file, json.dumps(proof.model_dump(mode="json"), indent=2) + "\n")


def kept_in(folder: Path) -> list[KeptProof]:
    """Every proof that is kept in a folder; files that are none are passed over."""
    return [proof for file in sorted(folder.glob("*.json")) if (proof := _read(file)) is not None]


def _summary(found: Sequence[AlertProof]) -> KeptProof:
    return KeptProof(
        proven_at=time.time(),
        cases=sum(len(proof.plan.cases) for proof in found),
        why_not={proof.plan.alert: () if proof.proven else proof.why_not for proof in found},
    )


def _fingerprint(promtool: Path, plans: Sequence[ProofPlan]) -> str:
    """A number of everything that decides: the program, each alert, what cannot be asked, each rules and test file."""
    state = promtool.stat()
    digest = hashlib.sha256(f"{promtool}\0{state.st_size}\0{state.st_mtime_ns}".encode())
    for plan in plans:
        digest.update(repr((plan.alert, plan.gaps, len(plan.cases))).encode())
        for case in plan.cases:
            digest.update(case.rules_text().encode())
            digest.update(case.test_text().encode())
    return digest.hexdigest()[:32]


def _read(file: Path) -> KeptProof | None:
    """A kept proof; None where there is none, or none that can be read."""
    try:
        return KeptProof.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
