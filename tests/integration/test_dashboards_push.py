"""`sloproof dashboards` as its users run it, against a server that speaks Grafana's documented API."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.cli.grafana_access import load_marked
from sloproof.dashboards.provisioning import LARGEST, config_map
from sloproof.errors import PartFailed, UsageError
from sloproof.grafana import Annotation, Grafana
from sloproof.history import HISTORY_FILE, History
from sloproof.lab.ports import free_ports
from sloproof.workspace import load_workspace
from tests.integration.grafana_server import EDITOR, VIEWER, State, grafana_server
from tests.integration.small_workspace import SLOPROOF, workspace_of
from tests.integration.test_prometheus_adapter import misbehaving, serving

pytestmark = pytest.mark.integration

PAGES = ("overview.home", "overview", "api", "api.slo.latency", "api.slo.memory", "api.load", "api.trend")


@pytest.fixture
def grafana() -> Iterator[tuple[str, State]]:
    with grafana_server() as served:
        yield served


@pytest.fixture
def workspace(tmp_path: Path, grafana: tuple[str, State]) -> Path:
    root = workspace_of(tmp_path)
    (root / "token").write_text(f"{EDITOR}\n")
    settle(root, grafana[0])
    return root


def settle(workspace: Path, url: str, more: str = 'grafana-token-file = "token"') -> None:
    (workspace / "pyproject.toml").write_text(f'[tool.sloproof]\ngrafana-url = "{url}"\n{more}\n')


def run(workspace: Path, *words: str, said: str | None = None, **environment: str) -> Any:
    return subprocess.run(
        [str(SLOPROOF), "dashboards", *words],
        cwd=workspace,
        env={"PATH": "/usr/bin:/bin", "HOME": str(workspace), "NO_COLOR": "1"} | environment,
        input=said or "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_push_shows_what_changes_stores_it_and_the_next_one_changes_nothing(
    workspace: Path, grafana: tuple[str, State]
) -> None:
    _, state = grafana
    first = run(workspace, "push", "--yes")
    assert first.returncode == 0, first.stderr
    assert [line.split(":")[0] for line in first.stdout.splitlines()] == [
        "new      folder sloproof",
        *(f"new      {page}" for page in PAGES),
    ]
    assert f"{len(PAGES)} of {len(PAGES)} dashboards stored" in first.stderr
    assert state.folders == {"sloproof": "sloproof"}
    assert {folder for _, folder in state.dashboards.values()} == {"sloproof"}
    kept, _ = state.dashboards["sloproof-api_latency"]
    assert kept["title"] == "api / latency: 95 %"
    sent = state.writes()
    again = run(workspace, "push", "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout == ""
    assert f"{len(PAGES)} dashboards are up to date" in again.stderr
    assert state.writes() == sent, "nothing was sent again"


def test_the_difference_names_panels_and_lines_and_only_what_differs_is_sent(
    workspace: Path, grafana: tuple[str, State]
) -> None:
    _, state = grafana
    assert run(workspace, "push", "--yes").returncode == 0
    definitions = workspace / "slo/api.py"
    definitions.write_text(definitions.read_text().replace('objective="95", sli=Lat', 'objective="96", sli=Lat'))
    before = len(state.writes())
    checked = run(workspace, "push", "--check")
    assert checked.returncode == 1
    assert '-  "title": "api / latency: 95 %",' in checked.stdout
    assert '+  "title": "api / latency: 96 %",' in checked.stdout
    assert "changed  api.slo.latency: " in checked.stdout and "panels changed" in checked.stdout
    assert "api.slo.memory" not in checked.stdout
    assert len(state.writes()) == before, "--check sends nothing"
    assert run(workspace, "push", "--yes").returncode == 0
    saved = [body["dashboard"]["uid"] for _, path, body in state.asked[-20:] if path == "/api/dashboards/db"]
    assert "sloproof-api_latency" in saved and "sloproof-api_memory" not in saved
    kept, _ = state.dashboards["sloproof-api_latency"]
    assert (kept["title"], kept["version"]) == ("api / latency: 96 %", 2)


def test_what_somebody_changed_in_grafana_is_shown_and_put_back(workspace: Path, grafana: tuple[str, State]) -> None:
    _, state = grafana
    assert run(workspace, "push", "--yes").returncode == 0
    kept, folder = state.dashboards["sloproof-api"]
    state.keep(kept | {"title": "mine"}, folder)
    assert '-  "title": "mine",' in run(workspace, "push", "--check").stdout
    assert run(workspace, "push", "--yes").returncode == 0
    assert state.dashboards["sloproof-api"][0]["title"] == "api: service-level objectives"


def test_a_dashboard_in_another_folder_is_moved(workspace: Path, grafana: tuple[str, State]) -> None:
    _, state = grafana
    assert run(workspace, "push", "--yes", "--folder", "general").returncode == 0
    assert state.folders == {}
    moved = run(workspace, "push", "--yes", "--folder", "team")
    assert moved.returncode == 0, moved.stderr
    assert "moved    api: from `general`" in moved.stdout
    assert {folder for _, folder in state.dashboards.values()} == {"team"}


def test_nobody_is_asked_where_nobody_is_and_nothing_is_sent(workspace: Path, grafana: tuple[str, State]) -> None:
    asked = run(workspace, "push")
    assert asked.returncode == 2
    assert "new      api" in asked.stdout
    assert "nothing was sent" in asked.stderr and "`--yes`" in asked.stderr
    assert grafana[1].writes() == []


def test_a_save_in_between_is_not_overwritten(workspace: Path, grafana: tuple[str, State]) -> None:
    _, state = grafana
    assert run(workspace, "push", "--yes").returncode == 0
    definitions = workspace / "slo/api.py"
    definitions.write_text(definitions.read_text().replace('objective="95", sli=Lat', 'objective="96", sli=Lat'))

    def somebody(body: dict[str, Any]) -> None:
        if body["dashboard"]["uid"] == "sloproof-api_latency":
            kept, folder = state.dashboards["sloproof-api_latency"]
            state.keep(kept | {"title": "theirs"}, folder)

    state.before_save = somebody
    refused = run(workspace, "push", "--yes")
    assert refused.returncode == 6
    assert "changed by someone else (status 412)" in refused.stderr
    assert "dashboards were stored before" in refused.stderr
    assert "push again" in refused.stderr
    assert state.dashboards["sloproof-api_latency"][0]["title"] == "theirs"


@pytest.mark.parametrize("words", [("push", "--yes"), ("mark", "api", "v2")], ids=["push", "mark"])
def test_without_a_token_nothing_is_sent(workspace: Path, grafana: tuple[str, State], words: tuple[str, ...]) -> None:
    settle(workspace, grafana[0], "")
    missing = run(workspace, *words)
    assert missing.returncode == 2
    assert "there is no token for Grafana" in missing.stderr
    assert "SLOPROOF_GRAFANA_TOKEN" in missing.stderr
    assert grafana[1].asked == []
    assert run(workspace, *words, SLOPROOF_GRAFANA_TOKEN=EDITOR).returncode == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), ("", "is empty"), ("two words", "is no token"), ("tokén", "is no token")],
)
def test_a_tokens_file_that_holds_none_is_told_without_showing_it(
    workspace: Path, grafana: tuple[str, State], content: str | None, why: str
) -> None:
    (workspace / "token").unlink()
    if content is not None:
        (workspace / "token").write_text(content)
    told = run(workspace, "push", "--yes")
    assert told.returncode == 2
    assert why in told.stderr
    assert not content or content not in told.stderr
    assert grafana[1].asked == []


def test_a_token_that_grafana_does_not_know_is_told_and_never_shown(workspace: Path) -> None:
    (workspace / "token").write_text("glsa_of_another")
    refused = run(workspace, "push", "--yes")
    assert refused.returncode == 6
    assert "does not know the token (status 401)" in refused.stderr
    assert "glsa_of_another" not in refused.stdout + refused.stderr


def test_a_token_without_permission_changes_nothing(workspace: Path, grafana: tuple[str, State]) -> None:
    _, state = grafana
    (workspace / "token").write_text(VIEWER)
    for folder in ("sloproof", "general"):
        refused = run(workspace, "push", "--yes", "--folder", folder)
        assert refused.returncode == 6
        assert "the token may not reach" in refused.stderr and "(status 403)" in refused.stderr
        assert "role Editor" in refused.stderr
    assert (state.dashboards, state.folders) == ({}, {})


def test_a_grafana_that_is_not_there_is_told(workspace: Path) -> None:
    settle(workspace, f"http://127.0.0.1:{free_ports(['grafana'])['grafana']}")
    gone = run(workspace, "push", "--yes")
    assert gone.returncode == 6
    assert "Grafana at `http://127.0.0.1:" in gone.stderr and "cannot be reached" in gone.stderr


@pytest.mark.parametrize("target", ["http://grafana.example:3000", "http://169.254.169.254/"])
def test_a_grafana_that_is_not_listed_gets_no_token(workspace: Path, target: str) -> None:
    refused = run(workspace, "push", "--yes", "--url", target)
    assert refused.returncode == 5
    assert "never a target" in refused.stderr or "is not a listed target; nothing was sent to it" in refused.stderr


def test_without_an_address_it_says_where_to_put_one(workspace: Path) -> None:
    (workspace / "pyproject.toml").write_text("[tool.sloproof]\n")
    missing = run(workspace, "push", SLOPROOF_GRAFANA_TOKEN=EDITOR)
    assert missing.returncode == 2
    assert "`grafana-url`" in missing.stderr


def test_a_server_that_is_no_grafana_is_told(workspace: Path, grafana: tuple[str, State]) -> None:
    grafana[1].dashboards["sloproof-overview__home"] = ({"version": "x"}, "")
    other = run(workspace, "push", "--yes", "--folder", "general")
    assert other.returncode == 6
    assert "answered something that is not Grafana's" in other.stderr


def test_a_deploy_is_marked_for_the_pages_of_its_service(workspace: Path, grafana: tuple[str, State]) -> None:
    done = run(workspace, "mark", "api", "v1.4.2")
    assert done.returncode == 0, done.stderr
    (mark,) = grafana[1].annotations
    assert (mark["tags"], mark["text"]) == (["deploy", "api"], "v1.4.2")
    assert mark["time"] == mark["timeEnd"] > 1_600_000_000_000
    unknown = run(workspace, "mark", "apy", "v1")
    assert unknown.returncode == 2 and "there are `api`" in unknown.stderr
    wordless = run(workspace, "mark", "api", " ")
    assert wordless.returncode == 2 and "without words" in wordless.stderr
    assert len(grafana[1].annotations) == 1


def test_a_marked_deploy_is_in_the_history_of_reports(workspace: Path) -> None:
    assert run(workspace, "mark", "api", "v1.4.2").returncode == 0
    with History.open(workspace / ".sloproof" / HISTORY_FILE) as past:
        assert [deploy.release for deploy in past.deploys("api", 0, 4e9)] == ["v1.4.2"]


def test_a_deploy_told_to_the_history_is_marked_in_grafana_at_its_time(
    workspace: Path, grafana: tuple[str, State]
) -> None:
    done = history_deploy(workspace)
    assert done.returncode == 0 and "marked in Grafana" in done.stderr, done.stderr
    (mark,) = grafana[1].annotations
    assert (mark["tags"], mark["text"], mark["time"]) == (["deploy", "api"], "v1.4.2", 1_790_000_000_000)


def test_a_grafana_that_refuses_takes_no_deploy_from_the_history(workspace: Path, grafana: tuple[str, State]) -> None:
    (workspace / "token").write_text("glsa_of_another\n")
    done = history_deploy(workspace)
    assert done.returncode == 0
    assert "not marked in Grafana" in done.stderr and "status 401" in done.stderr
    assert grafana[1].annotations == []
    with History.open(workspace / ".sloproof" / HISTORY_FILE) as past:
        assert len(past.deploys("api", 0, 4e9)) == 1


def history_deploy(workspace: Path) -> Any:
    words = ["history", "deploy", "v1.4.2", "--system", "api", "--at", "2026-09-21T14:13:20Z"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(workspace), "NO_COLOR": "1"}
    return subprocess.run(
        [str(SLOPROOF), *words],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_grafana_that_breaks_down_is_not_told_as_a_missing_permission() -> None:
    answers = misbehaving(500, b"upstream is away")
    broken = type("Broken", (answers,), {"do_POST": answers.do_GET})  # type: ignore[attr-defined]
    with (
        serving(broken) as port,
        Grafana(f"http://127.0.0.1:{port}") as grafana,
        pytest.raises(PartFailed, match=r"upstream is away .status 500.") as refused,
    ):
        grafana.annotate(Annotation(1.0, 2.0, ("deploy", "api"), "v1"))
    assert "token" not in str(refused.value.hint)


def test_provisioning_files_are_what_grafana_reads(workspace: Path) -> None:
    done = run(workspace, "provision", "out", "--prometheus", "http://prometheus:9090", "--folder", "SLOs")
    assert done.returncode == 0, done.stderr
    provider = yaml.safe_load((workspace / "out/provisioning/dashboards/sloproof.yaml").read_text())
    (source,) = provider["providers"]
    assert (provider["apiVersion"], source["type"], source["folder"]) == (1, "file", "SLOs")
    assert source["options"]["path"] == "/var/lib/grafana/dashboards/sloproof"
    assert source["allowUiUpdates"] is False
    sources = yaml.safe_load((workspace / "out/provisioning/datasources/sloproof.yaml").read_text())
    assert sources["datasources"][0]["url"] == "http://prometheus:9090"
    files = {file.stem: json.loads(file.read_text()) for file in (workspace / "out/dashboards").iterdir()}
    assert set(files) == set(PAGES)
    assert len({page["uid"] for page in files.values()}) == len(PAGES)


def test_configmaps_hold_the_dashboards_and_the_sidecars_label(workspace: Path) -> None:
    done = run(workspace, "configmaps", "out", "--namespace", "monitoring")
    assert done.returncode == 0, done.stderr
    maps = [yaml.safe_load(file.read_text()) for file in sorted((workspace / "out").iterdir())]
    assert {one["kind"] for one in maps} == {"ConfigMap"}
    names = [one["metadata"]["name"] for one in maps]
    assert "sloproof-api.slo.latency" in names and len(set(names)) == len(PAGES)
    for one in maps:
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["namespace"] == "monitoring"
        ((file, text),) = one["data"].items()
        assert file.endswith(".json") and json.loads(text)["schemaVersion"] == 41


@pytest.mark.parametrize("namespace", ["Bad Name!", "-a", "a" * 64, "a: b"])
def test_a_namespace_that_kubernetes_would_refuse_is_refused(namespace: str) -> None:
    with pytest.raises(UsageError, match="is no namespace of Kubernetes's"):
        config_map("overview", "overview.json", "{}", namespace=namespace)


def test_a_dashboard_that_no_configmap_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="a ConfigMap holds"):
        config_map("big", "big.json", "x" * (LARGEST + 1))


def test_anybodys_dashboards_can_be_linted(workspace: Path) -> None:
    assert run(workspace, "lint").returncode == 0
    theirs = workspace / "theirs.json"
    theirs.write_text(json.dumps({"dashboard": {"panels": [{"id": 1, "type": "graph", "title": "Old"}]}}))
    found = run(workspace, "lint", "theirs.json")
    assert found.returncode == 1
    assert "theirs.json: Old: `graph` is no panel type of a current Grafana [panel-living-type]" in found.stdout
    for text, why in (("[]", "holds no dashboard"), ("{", "is not JSON")):
        theirs.write_text(text)
        wrong = run(workspace, "lint", "theirs.json")
        assert wrong.returncode == 2 and why in wrong.stderr
    assert "cannot be read" in run(workspace, "lint", "nowhere.json").stderr


def test_a_load_run_is_marked_however_it_ended(workspace: Path, grafana: tuple[str, State]) -> None:
    loaded = load_workspace(workspace)
    with pytest.raises(ZeroDivisionError), load_marked(loaded, "api", "steady"):
        raise ZeroDivisionError
    (mark,) = grafana[1].annotations
    assert (mark["tags"], mark["text"]) == (["sloproof", "load", "api", "steady"], "load run `steady`")
    assert mark["time"] <= mark["timeEnd"]


@pytest.mark.parametrize("token", ["glsa_of_another", ""])
def test_a_grafana_that_refuses_the_mark_ends_no_load(
    workspace: Path, grafana: tuple[str, State], token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "token").write_text(token)
    with load_marked(load_workspace(workspace), "api", "steady"):
        pass
    assert "not told elsewhere" in capsys.readouterr().err
    assert grafana[1].annotations == []
