"""When each objective's alerts were last shown to work: by promtool, in a drill, in a run."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sloproof import names
from sloproof.verdict import Verdict
from sloproof.workspace.artifacts import read_page
from sloproof.workspace.drill_memory import DRILLS, seen_in_drills
from sloproof.workspace.kept_proofs import kept_in
from sloproof.workspace.loading import Workspace

PROOFS_FOLDER = "proofs"
_DAY = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")


@dataclass(frozen=True)
class LastProof:
    """The newest time that somebody looked whether an objective's alerts work.

    Args:
        kind: `proof` for promtool's, `drill`, `chaos`, or what else was run.
        at: epoch seconds.
        verdict: what came of it.
        what: which run, or how many alerts; a few words.
    """

    kind: str
    at: float
    verdict: Verdict
    what: str = ""

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {"kind": self.kind, "at": self.at, "verdict": str(self.verdict), "what": self.what}


def newest(found: Iterable[tuple[str, LastProof]]) -> dict[str, LastProof]:
    """The newest proof of each objective.

    Args:
        found: objectives' identities, each with a proof, in any order.
    """
    last: dict[str, LastProof] = {}
    for identity, proof in found:
        if identity not in last or proof.at > last[identity].at:
            last[identity] = proof
    return last


def kept_proofs(workspace: Workspace) -> Iterator[tuple[str, LastProof]]:
    """What is kept beside the definitions: promtool's proofs, and the drills that were recorded.

    A proof is that of the rules as they were then; `sloproof prove` asks about those of now.

    Raises:
        UsageError: the kept drills cannot be read.
    """
    alerts = _alerts(workspace)
    proven = _proven(workspace.state / PROOFS_FOLDER)
    drilled = seen_in_drills(read_page(workspace.root)(DRILLS))
    for identity, own in alerts.items():
        known = [proven[alert] for alert in own if alert in proven]
        if known:
            holds = len(known) == len(own) and all(good for _, good in known)
            count = sum(good for _, good in known)
            verdict = Verdict.PASS if holds else Verdict.FAIL
            yield identity, LastProof("proof", min(at for at, _ in known), verdict, f"{count} of {len(own)} alerts")
        for alert in own:
            if (at := _day_in(drilled.get(alert, ""))) is not None:
                yield identity, LastProof("drill", at, Verdict.PASS, alert)


def _alerts(workspace: Workspace) -> dict[str, list[str]]:
    """The burn alerts of each objective."""
    return {
        slo.identity: [names.burn_alert(slo.service.name, slo.name, tier.name) for tier in workspace.policy(slo).tiers]
        for slo in workspace.slos
    }


def _proven(folder: Path) -> Mapping[str, tuple[float, bool]]:
    """When each alert was asked about last, and whether it held."""
    found: dict[str, tuple[float, bool]] = {}
    for proof in sorted(kept_in(folder), key=lambda one: one.proven_at):
        found |= {alert: (proof.proven_at, not why) for alert, why in proof.why_not.items()}
    return found


def _day_in(sentence: str) -> float | None:
    """The day that a kept sentence names, at its start in UTC."""
    day = _DAY.search(sentence)
    return datetime.fromisoformat(day[1]).replace(tzinfo=UTC).timestamp() if day else None
