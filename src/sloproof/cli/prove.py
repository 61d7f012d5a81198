"""`sloproof prove`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.alerts.proof import AlertProof, ProofPlan
    from sloproof.workspace import Workspace

Alerts = Annotated[list[str] | None, typer.Argument(metavar="[ALERT]...", help="Prove only these alerts.")]
Rules = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Prove the rules files of this folder, not what the definitions imply."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the proof as JSON.")]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the proof as JUnit XML.")]


def prove(alerts: Alerts = None, rules: Rules = None, as_json: AsJson = False, junit: Junit = None) -> None:
    """Prove with promtool that each alert fires and clears when promised, and at nothing else."""
    from sloproof.alerts import proof_report
    from sloproof.lab import parts
    from sloproof.workspace import load_workspace, proofs

    workspace = load_workspace()
    plans = proofs.plans(workspace, rules, alerts or ())
    promtool = parts.find("promtool", workspace.state / "parts")
    found = proofs.proven(promtool, plans)
    if rules is None:
        _keep(workspace, promtool, plans, found)
    if junit is not None:
        from sloproof.workspace.files import write_file

        write_file(junit, proof_report.as_junit(found))
    if as_json:
        console.data(json.dumps(proof_report.as_document(found), indent=2, ensure_ascii=False) + "\n")
    else:
        _show(found)
    console.say(proof_report.summary(found))
    if not all(proof.proven for proof in found):
        raise typer.Exit(1)


def _keep(workspace: "Workspace", promtool: Path, plans: "Sequence[ProofPlan]", found: "Sequence[AlertProof]") -> None:
    """Remember it for `sloproof status` and gates; a proof that cannot be kept is a proof nevertheless."""
    from sloproof.errors import PartFailed
    from sloproof.workspace import kept_proofs
    from sloproof.workspace.last_proofs import PROOFS_FOLDER

    try:
        kept_proofs.keep(promtool, plans, found, workspace.state / PROOFS_FOLDER)
    except PartFailed as failure:
        console.say(f"the proof is not kept: {failure.message}")


def _show(found: "Sequence[AlertProof]") -> None:
    from rich.text import Text

    from sloproof.alerts import proof_report

    width = console.output().width
    styles = {proof_report.NOT_PROVEN: "bold red"}
    for text, verdict in proof_report.table(found, width):
        console.output().print(Text(text).append(verdict, styles.get(verdict, "green")))
    for line in proof_report.notes(found, width):
        console.show(line)
    for row in proof_report.rows(found):
        for reason in row.why_not:
            console.show(f"{row.alert}: {reason}")
