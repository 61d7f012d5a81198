"""What would run in a cluster runs once, ends by itself, and may do nothing but load."""

from typing import Any

import pytest
import yaml

from sloproof.errors import UsageError
from sloproof.loadtests.manifests import PORT, TIME_TO_BEGIN, manifests
from sloproof.loadtests.profile import LoadProfile

PROFILE = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=4, duration="10m", drain="30s")
IMAGE = "registry.example.org/load:1.4.2"
TARGET = "http://tasks.shop:8080"


def text(**changes: Any) -> str:
    return manifests(PROFILE, **{"target": TARGET, "image": IMAGE, "workers": 3, **changes})


def documents(**changes: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text(**changes))}


def jobs() -> list[dict[str, Any]]:
    return [each for (kind, _), each in documents().items() if kind == "Job"]


def test_there_is_a_master_with_workers_that_find_it() -> None:
    made = documents()
    assert set(made) == {
        ("Service", "load-steady-master"),
        ("NetworkPolicy", "load-steady-master"),
        ("NetworkPolicy", "load-steady-worker"),
        ("Job", "load-steady-master"),
        ("Job", "load-steady-worker"),
    }
    master, worker = (made["Job", f"load-steady-{role}"]["spec"] for role in ("master", "worker"))
    assert (master["parallelism"], worker["parallelism"], worker["completions"]) == (1, 3, 3)
    started = master["template"]["spec"]["containers"][0]["args"]
    assert started[:5] == ["load", "run", "steady", "--target", TARGET]
    assert started[5:] == ["--expect-workers", "3", "--master-bind", f"0.0.0.0:{PORT}"]
    joined = worker["template"]["spec"]["containers"][0]["args"]
    assert joined == ["load", "worker", "--master", f"load-steady-master:{PORT}"]
    selected = made["Service", "load-steady-master"]["spec"]["selector"]
    assert selected.items() <= master["template"]["metadata"]["labels"].items()
    assert not selected.items() <= worker["template"]["metadata"]["labels"].items()


def test_only_workers_may_talk_to_the_master_and_nobody_to_a_worker() -> None:
    made = documents()
    [rule] = made["NetworkPolicy", "load-steady-master"]["spec"]["ingress"]
    peer = rule["from"][0]["podSelector"]["matchLabels"]
    assert peer["app.kubernetes.io/component"] == "worker" and rule["ports"] == [{"protocol": "TCP", "port": PORT}]
    assert made["NetworkPolicy", "load-steady-worker"]["spec"]["ingress"] == []


def test_pods_run_once_and_end_by_themselves() -> None:
    for job in jobs():
        assert job["spec"]["backoffLimit"] == 0
        assert job["spec"]["activeDeadlineSeconds"] == 630 + TIME_TO_BEGIN
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_pods_have_no_more_rights_than_they_need() -> None:
    for job in jobs():
        pod = job["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert "hostNetwork" not in pod and "hostPID" not in pod
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_same_arguments_give_the_same_text() -> None:
    assert text() == text() != text(workers=4)
    assert all(each["metadata"]["namespace"] == "shop" for each in documents(namespace="shop").values())
    assert "namespace" not in documents()["Job", "load-steady-master"]["metadata"]


def test_the_addresses_that_must_be_listed_are_told() -> None:
    first = text().splitlines()[0]
    assert first.startswith("#") and all(each in first for each in (TARGET, f"load-steady-master:{PORT}", "0.0.0.0"))


@pytest.mark.parametrize("image", ["registry.example.org/load", "load:latest", "registry:5000/load", "load:"])
def test_an_image_that_may_change_is_refused(image: str) -> None:
    with pytest.raises(UsageError, match="not pinned"):
        text(image=image)


def test_no_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="`0` workers"):
        text(workers=0)
