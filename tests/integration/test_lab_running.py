"""One lab, from the first request to the last process."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import sloproof.lab
from sloproof.errors import Refused
from sloproof.lab import health
from sloproof.lab.delayed_start import write_delay
from sloproof.lab.envoy_bootstrap import ABORT_PERCENT, DELAY_MILLISECONDS, DELAY_PERCENT
from sloproof.lab.processes import alive
from sloproof.lab.state import LabState, load_state
from sloproof.supervisor import Supervisor
from tests.integration.lab_calls import PACE, call, generated, log_in, many, notifications, query, set_runtime, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.alone]  # what a kill cuts short depends on the machine


def test_every_part_is_up_and_healthy(lab: LabState) -> None:
    status = sloproof.lab.status(lab.folder)
    assert status is not None
    assert {part.name: part.healthy for part in status.parts} == dict.fromkeys(
        ("postgres", "redis", "links", "a1", "a2", "balancer", "webhook", "alertmanager", "prometheus", "keeper"), True
    )
    assert not status.stale
    assert load_state(lab.folder) == lab


def test_tasks_are_made_read_changed_and_deleted(lab: LabState) -> None:
    token = log_in(lab)
    made = call(lab.balancer, "POST", "/tarefas", {"titulo": "Escrever"}, token)
    assert made.status == 201
    place = made.headers["location"]
    changed = call(lab.balancer, "PUT", place, {"titulo": "Ler", "concluida": True}, token)
    assert (changed.status, changed.json()["titulo"], changed.json()["concluida"]) == (200, "Ler", True)
    assert place.rpartition("/")[2] in {
        task["id"] for task in call(lab.balancer, "GET", "/tarefas", token=token).json()
    }
    assert call(lab.balancer, "GET", place, token=log_in(lab, 2)).status == 404
    assert call(lab.balancer, "DELETE", place, token=token).status == 204
    assert call(lab.balancer, "GET", place, token=token).status == 404


def test_users_sign_up_once_and_change_only_themselves(lab: LabState) -> None:
    new = {"nome": "Ana", "email": f"ana-{time.time_ns()}@example.test", "senha": "uma senha longa"}
    made = call(lab.balancer, "POST", "/usuarios", new)
    assert made.status == 201
    assert "senha" not in made.json()
    assert call(lab.balancer, "POST", "/usuarios", {**new, "email": new["email"].upper()}).status == 409
    token = call(lab.balancer, "POST", "/login", {"email": new["email"], "senha": new["senha"]}).json()["token"]
    place = made.headers["location"]
    assert call(lab.balancer, "DELETE", place, token=log_in(lab)).status == 403
    renamed = call(lab.balancer, "PUT", place, {"nome": "Bia", "email": new["email"]}, token)
    assert (renamed.status, renamed.json()["nome"]) == (200, "Bia")
    taken = call(lab.balancer, "PUT", place, {"nome": "Bia", "email": "user-001@example.test"}, token)
    assert taken.status == 409
    assert call(lab.balancer, "DELETE", place, token=token).status == 204


def test_a_user_has_a_limit_of_tasks_that_two_at_once_cannot_pass(lab: LabState) -> None:
    token = log_in(lab, 3)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda n: call(lab.balancer, "POST", "/tarefas", {"titulo": f"{n}"}, token).status, range(210))
        )
    assert (statuses.count(201), statuses.count(409)) == (195, 15)


@pytest.mark.parametrize(
    ("method", "path", "content", "expected"),
    [
        ("POST", "/login", {"email": "user-001@example.test", "senha": "a wrong one"}, 401),
        ("POST", "/login", {"email": "nobody@example.test", "senha": "a wrong one"}, 401),
        ("POST", "/usuarios", {"nome": "Ana", "email": "no address", "senha": "long enough"}, 422),
        ("POST", "/usuarios", {"nome": "Ana", "email": "a@b.test", "senha": "long enough", "admin": True}, 422),
        ("GET", "/tarefas", None, 401),
        ("GET", "/nada", None, 404),
        ("PATCH", "/tarefas", None, 405),
    ],
)
def test_bad_requests_are_refused(lab: LabState, method: str, path: str, content: object, expected: int) -> None:
    assert call(lab.balancer, method, path, content).status == expected


def test_both_instances_serve(lab: LabState) -> None:
    assert health.balancer_sees(lab) == {"a1", "a2"}
    served = [answer.headers["x-served-by"] for answer in many(lab, 60, log_in(lab))]
    assert 10 <= served.count("a1") <= 50, health.balancer_sees(lab)
    assert set(served) == {"a1", "a2"}


def test_the_instances_metrics_are_scraped_and_exist_before_their_first_error(lab: LabState) -> None:
    series = query(lab, 'http_requests_total{job="tasks-api",method="GET",route="/tarefas",code="503"}')
    assert {dict(labels)["instance"] for labels in series} == {"a1", "a2"}
    assert not query(lab, '{job="tasks-api",exported_instance=~".+"}')


def test_the_balancers_series_exist_before_their_first_error(lab: LabState) -> None:
    prefix = 'envoy_http_conn_manager_prefix="tasks"'
    classes = query(lab, f'envoy_http_downstream_rq_xx{{job="tasks-balancer",{prefix}}}')
    assert {dict(labels)["envoy_response_code_class"] for labels in classes} == {"1", "2", "3", "4", "5"}
    assert query(lab, f'envoy_http_downstream_rq_time_bucket{{job="tasks-balancer",{prefix},le="500"}}')


def test_delay_and_abort_by_runtime_keys_take_effect_and_go_away(lab: LabState) -> None:
    token = log_in(lab)
    set_runtime(lab, **{DELAY_PERCENT: "30", DELAY_MILLISECONDS: "800"})
    delayed = many(lab, 60, token, at_once=30)
    slow = [answer for answer in delayed if answer.seconds > 0.75]
    assert 6 <= len(slow) <= 32
    assert {answer.status for answer in delayed} == {200}
    set_runtime(lab, **{DELAY_PERCENT: "", DELAY_MILLISECONDS: "", ABORT_PERCENT: "50"})
    aborted = [answer for answer in many(lab, 60, token) if answer.status == 503]
    assert 12 <= len(aborted) <= 48
    set_runtime(lab, **{ABORT_PERCENT: ""})
    assert {answer.status for answer in many(lab, 40, token)} == {200}


def test_an_alert_is_notified_with_the_time_of_its_arrival(lab: LabState) -> None:
    token = log_in(lab)
    before = time.time()
    set_runtime(lab, **{ABORT_PERCENT: "100"})
    many(lab, 20, token)
    set_runtime(lab, **{ABORT_PERCENT: ""})

    def firing() -> list[float]:
        return [
            note["received_at"]
            for note in notifications(lab.notifications)
            if note["received_at"] >= before and note["payload"]["status"] == "firing"
        ]

    first = wait_for(firing, within=15)[0]
    assert first - before < 15
    payload = call(lab.webhook, "GET", "/notifications").json()[0]["payload"]
    assert payload["externalURL"] == lab.alertmanager
    assert {alert["generatorURL"].partition("/graph?")[0] for alert in payload["alerts"]} == {lab.prometheus}


def test_a_killed_instance_is_not_felt_and_comes_back_after_the_set_delay(lab: LabState) -> None:
    supervisor = Supervisor(lab.supervisor_socket)
    token = log_in(lab)
    killed = supervisor.pid("a1")
    assert killed
    delay = lab.restart_delay_folder / "a1"
    write_delay(delay, 3)
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(many, lab, 300, token, 4)
        time.sleep(0.2)
        os.kill(killed, signal.SIGKILL)
        begun = time.monotonic()
        assert {answer.status for answer in load.result()} == {200}
    assert health.balancer_sees(lab) == {"a2"} or time.monotonic() - begun < 2.5
    wait_for(lambda: call_quietly(lab.instances["a1"]), within=20)
    assert 3 <= time.monotonic() - begun <= 12
    delay.unlink()
    assert supervisor.pid("a1") not in {None, killed}
    wait_for(lambda: health.balancer_sees(lab) == {"a1", "a2"}, within=10)


def call_quietly(base: str) -> bool:
    try:
        return call(base, "GET", "/readyz").status == 200
    except OSError:
        return False


def test_repeated_kills_never_leave_an_instance_down(lab: LabState) -> None:
    supervisor = Supervisor(lab.supervisor_socket)
    write_delay(lab.restart_delay_folder / "a2", 0)
    for _ in range(4):
        pid = supervisor.pid("a2") or 0
        os.kill(pid, signal.SIGKILL)
        supervisor.wait_for_new_pid("a2", pid, within=5)
    assert supervisor.state("a2") == "RUNNING"
    # Until it answers, the balancer may not have noticed yet that it was away.
    wait_for(lambda: call_quietly(lab.instances["a2"]), within=15)
    wait_for(lambda: health.balancer_sees(lab) == {"a1", "a2"}, within=15)
    (lab.restart_delay_folder / "a2").unlink()


def test_an_unhealthy_instance_is_taken_out_while_it_lives(lab: LabState) -> None:
    wait_for(lambda: health.balancer_sees(lab) == {"a1", "a2"}, within=15)
    flag, token = lab.unhealthy_folder / "a1", log_in(lab)

    def served_by() -> set[tuple[int, str | None]]:
        return {(answer.status, answer.headers.get("x-served-by")) for answer in many(lab, 20, token)}

    flag.touch()
    try:
        wait_for(lambda: health.balancer_sees(lab) == {"a2"}, within=6)
        # The balancer's threads hear of it one after the other.
        wait_for(lambda: served_by() == {(200, "a2")}, within=3)
        assert call(lab.instances["a1"], "GET", "/readyz").status == 200
    finally:
        flag.unlink()
    wait_for(lambda: health.balancer_sees(lab) == {"a1", "a2"}, within=10)


def test_requests_follow_a_change_of_health_that_comes_soon_after_another(lab: LabState) -> None:
    token = log_in(lab)
    first, second = lab.unhealthy_folder / "a1", lab.unhealthy_folder / "a2"
    first.touch()
    try:
        wait_for(lambda: health.balancer_sees(lab) == {"a2"}, within=6)
        second.touch()
        first.unlink()
        wait_for(lambda: health.balancer_sees(lab) == {"a1"}, within=6)
        answers = many(lab, 20, token)
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
    assert [answer.headers.get("x-served-by") for answer in answers].count("a1") >= 18
    wait_for(lambda: health.balancer_sees(lab) == {"a1", "a2"}, within=10)


def test_a_lost_database_is_a_503_and_its_return_is_noticed(lab: LabState) -> None:
    supervisor = Supervisor(lab.supervisor_socket)
    token = log_in(lab)
    delay = lab.restart_delay_folder / "postgres"
    write_delay(delay, 30)
    os.kill(supervisor.pid("postgres") or 0, signal.SIGKILL)
    wait_for(lambda: call(lab.instances["a1"], "GET", "/readyz").status == 503, within=5)
    assert call(lab.instances["a1"], "GET", "/healthz").status == 200
    # A list of users is never cached; one of tasks may still come from the cache.
    lost = call(lab.balancer, "GET", "/usuarios", token=token)
    assert (lost.status, lost.json()) == (503, {"erro": "banco de dados indisponível"})
    assert lost.seconds < 6
    write_delay(delay, 0)
    wait_for(lambda: call(lab.balancer, "GET", "/usuarios", token=token).status == 200, within=15)
    assert {answer.status for answer in many(lab, 20, token)} == {200}


def test_spans_continue_the_callers_trace(lab: LabState) -> None:
    import http.client
    from urllib.parse import urlsplit

    trace = "0af7651916cd43dd8448eb211c80319c"
    connection = http.client.HTTPConnection(urlsplit(lab.balancer).netloc, timeout=5)
    connection.request("GET", "/tarefas", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    connection.getresponse().read()
    connection.close()

    def spans() -> list[dict[str, object]]:
        lines = [line for file in (lab.folder / "traces").iterdir() for line in file.read_text().splitlines()]
        return [
            span
            for line in lines
            for resource in json.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
            if span["traceId"] == trace
        ]

    (span,) = wait_for(spans, within=6)
    assert (span["parentSpanId"], span["name"], span["kind"]) == ("b7ad6b7169203331", "GET /tarefas", 2)


def test_no_secret_is_in_the_state_the_configuration_or_a_command_line(lab: LabState) -> None:
    import psutil

    supervisor = Supervisor(lab.supervisor_socket)
    environment = psutil.Process(supervisor.pid("a1")).environ()
    secrets = [environment[name] for name in ("PGPASSWORD", "TASKS_JWT_SECRET", "TASKS_SEED_PASSWORD")]
    texts = [(lab.folder / "lab.json").read_text()]
    texts += [path.read_text() for path in (lab.folder / "config").iterdir()]
    texts += [" ".join(psutil.Process(program.pid).cmdline()) for program in supervisor.programs()]
    assert len(set(secrets)) == 3
    assert not [secret for secret in secrets for text in texts if secret in text]
    assert lab.seed_password_file.stat().st_mode & 0o777 == 0o600


def test_nothing_listens_beyond_loopback(lab: LabState) -> None:
    import psutil

    from sloproof.lab.processes import lab_processes

    listening = [
        connection.laddr.ip
        for process in lab_processes(lab.runtime)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 8
    assert set(listening) == {"127.0.0.1"}


def test_a_second_lab_in_the_same_folder_is_refused(lab: LabState) -> None:
    with pytest.raises(Refused, match=r"a lab of `tasks` is already up"):
        sloproof.lab.up("tasks", folder=lab.folder, generated=generated, **PACE)
    assert call(lab.balancer, "GET", "/nada").status == 404


def test_down_leaves_nothing_and_may_be_repeated(lab: LabState) -> None:
    programs = Supervisor(lab.supervisor_socket).programs()
    pids = [program.pid for program in programs if program.pid] + [lab.supervisor_pid]
    assert all(alive(pid) for pid in pids)
    assert sloproof.lab.down(lab.folder) is True
    assert not [pid for pid in pids if alive(pid)]
    assert not lab.runtime.exists()
    assert sloproof.lab.status(lab.folder) is None
    assert sloproof.lab.down(lab.folder) is False
