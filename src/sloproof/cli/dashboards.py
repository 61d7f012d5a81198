"""`sloproof dashboards lint | preview | push | mark | provision | configmaps`."""

import typer

from sloproof.cli import dashboards_files, dashboards_lint, dashboards_preview, dashboards_push

app = typer.Typer(help="The generated dashboards: check them, look at them, and bring them to a Grafana.")
app.command("lint", short_help="Say what is unwise in dashboards, ours or anybody's.")(dashboards_lint.lint)
app.command("preview", short_help="Draw one as a page, from a live Prometheus.")(dashboards_preview.preview)
app.command("push", short_help="Store them in a Grafana, after showing what changes.")(dashboards_push.push)
app.command("mark", short_help="Mark a deploy on the graphs of a service.")(dashboards_push.mark)
app.command("provision", short_help="Write the files by which a Grafana loads them.")(dashboards_files.provision)
app.command("configmaps", short_help="Write them as ConfigMaps for Grafana's sidecar.")(dashboards_files.configmaps)
