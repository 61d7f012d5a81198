"""Kubernetes manifests of a distributed load: one master, workers beside it, and who may talk to whom.

They are generated, never applied: read them, then `kubectl apply -f`.
"""

from typing import Any

import yaml

from sloproof.errors import UsageError
from sloproof.loadtests.distribution import MOST_WORKERS
from sloproof.loadtests.profile import LoadProfile

PORT = 5557
WORKSPACE = "/workspace"
TIME_TO_BEGIN = 600
"""Seconds beyond the load itself within which images are pulled, pods are scheduled and workers join."""
_USER = 65_534
_MASTER = {"cpu": "250m", "memory": "256Mi"}
_WORKER = {"cpu": "1", "memory": "512Mi"}
"""One process of one thread can use one core; its memory does not grow with the length of the load."""


def manifests(profile: LoadProfile, *, target: str, image: str, workers: int, namespace: str = "") -> str:
    """The manifests of a load as YAML documents.

    Args:
        profile: what to run; it lies in the image's workspace under the same name.
        target: URL of the system, as the pods reach it.
        image: holds `sloproof[load]`, and the workspace in `/workspace`; pinned by a tag or a digest.
        workers: how many pods send.
        namespace: where everything goes; empty for that of the context.

    Returns:
        A Service, two NetworkPolicies and two Jobs, under a comment on the addresses that the workspace must list;
        equal arguments give equal text.

    Raises:
        UsageError: there cannot be so many workers, or the image is not pinned.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"`{workers}` workers cannot run a load", hint=f"give a number from 1 to {MOST_WORKERS}")
    if ":" not in image.rsplit("/", 1)[-1] or image.endswith((":", ":latest")):
        raise UsageError(f"`{image}` is not pinned", hint="give a tag or a digest, such as `registry/load:1.4.2`")
    deadline = round((profile.duration + profile.drain).total_seconds()) + TIME_TO_BEGIN
    master, name = f"load-{profile.name}-master", f"load-{profile.name}"
    started = ["load", "run", profile.name, "--target", target]
    started += ["--expect-workers", str(workers), "--master-bind", f"0.0.0.0:{PORT}"]
    joined = ["load", "worker", "--master", f"{master}:{PORT}"]
    documents = [
        _service(name, master),
        _policy(name, "master", [{"from": [_pods(name, "worker")], "ports": [{"protocol": "TCP", "port": PORT}]}]),
        _policy(name, "worker", []),
        _job(name, "master", 1, _container(image, started, _MASTER, [{"containerPort": PORT}]), deadline),
        _job(name, "worker", workers, _container(image, joined, _WORKER, []), deadline),
    ]
    if namespace:
        for document in documents:
            document["metadata"]["namespace"] = namespace
    listed = ", ".join(f'"{address}"' for address in (target, f"0.0.0.0:{PORT}", f"{master}:{PORT}"))
    head = f"# The image's workspace must list these among its targets: {listed}\n"
    return head + "---\n".join(yaml.safe_dump(document, sort_keys=False) for document in documents)


def _labels(name: str, role: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": role,
        "app.kubernetes.io/managed-by": "sloproof",
    }


def _selector(name: str, role: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": role}


def _pods(name: str, role: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": _selector(name, role)}}


def _service(name: str, master: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": master, "labels": _labels(name, "master")},
        "spec": {
            "clusterIP": "None",
            # Workers ask for the master until it answers; readiness would only delay them.
            "publishNotReadyAddresses": True,
            "selector": _selector(name, "master"),
            "ports": [{"name": "locust", "port": PORT, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def _policy(name: str, role: str, ingress: list[dict[str, Any]]) -> dict[str, Any]:
    """Who may connect to the pods of a role: the protocol between them knows no password."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{name}-{role}", "labels": _labels(name, role)},
        "spec": {
            "podSelector": {"matchLabels": _selector(name, role)},
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    }


def _job(name: str, role: str, pods: int, container: dict[str, Any], deadline: int) -> dict[str, Any]:
    """Pods that run once: one that starts anew in the midst of a load would send what nobody counts."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-{role}", "labels": _labels(name, role)},
        "spec": {
            "completions": pods,
            "parallelism": pods,
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline,
            "ttlSecondsAfterFinished": 86_400,
            "template": {
                "metadata": {"labels": _labels(name, role)},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": _USER,
                        "fsGroup": _USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [{"name": role, **container}],
                    "volumes": [{"name": name, "emptyDir": {}} for name in ("runs", "tmp")],
                },
            },
        },
    }


def _container(
    image: str, arguments: list[str], resources: dict[str, str], ports: list[dict[str, int]]
) -> dict[str, Any]:
    return {
        "image": image,
        "command": ["sloproof"],
        "args": arguments,
        **({"ports": ports} if ports else {}),
        "workingDir": WORKSPACE,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": {"requests": dict(resources), "limits": dict(resources)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "runs", "mountPath": f"{WORKSPACE}/.sloproof"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
