"""`sloproof dashboards provision` and `sloproof dashboards configmaps`."""

from pathlib import Path
from typing import Annotated

import typer

from sloproof.cli import console

Out = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made if missing.")]
Where = Annotated[str, typer.Option("--path", help="Where the dashboards will lie on Grafana's machine.")]
Prometheus = Annotated[
    str | None, typer.Option(metavar="URL", help="Also write the data source: Prometheus, as Grafana reaches it.")
]
Title = Annotated[str, typer.Option("--folder", help="Title of the folder in Grafana.")]
Namespace = Annotated[str, typer.Option(help="Kubernetes namespace; that of the context by default.")]


def provision(
    out: Out,
    path: Where = "/var/lib/grafana/dashboards/sloproof",
    prometheus: Prometheus = None,
    folder: Title = "sloproof",
) -> None:
    """Write what a Grafana loads by itself: the dashboards, their provider, and the data source if asked for."""
    from sloproof import names
    from sloproof.dashboards import provisioning
    from sloproof.workspace import files, load_workspace
    from sloproof.workspace.dashboard_artifacts import dashboard_artifacts

    workspace = load_workspace()
    written = {"provisioning/dashboards/sloproof.yaml": provisioning.provider(path, folder)}
    if prometheus is not None:
        written["provisioning/datasources/sloproof.yaml"] = provisioning.data_source(prometheus)
    for artifact in dashboard_artifacts(workspace):
        written[f"dashboards/{Path(artifact.path).name}"] = artifact.text
    for name, text in written.items():
        files.write_file(out / name, text)
    console.say(f"{len(written)} files written to `{out}`; {names.OVERVIEW}.json is the first page")


def configmaps(out: Out, namespace: Namespace = "", folder: Title = "sloproof") -> None:
    """Write one ConfigMap a dashboard, with the label by which Grafana's sidecar finds it; nothing is applied."""
    from sloproof import names
    from sloproof.dashboards import provisioning, to_json
    from sloproof.workspace import files, load_workspace
    from sloproof.workspace.dashboard_artifacts import dashboards

    workspace = load_workspace()
    made = {
        f"{name}.yaml": provisioning.config_map(
            name, names.dashboard_file(name), to_json(dashboard), namespace=namespace, folder=folder
        )
        for name, dashboard in dashboards(workspace, workspace.settings.timing())
    }
    for file, text in made.items():
        files.write_file(out / file, text)
    console.say(f"{len(made)} ConfigMaps written to `{out}`: read them, then `kubectl apply -f {out}`")
