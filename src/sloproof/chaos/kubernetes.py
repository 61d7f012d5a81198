"""Pods of a Kubernetes cluster as a Chaos Toolkit experiment: generated here, run by `chaos run` where the cluster is.

The actions and probes are those of `chaostoolkit-kubernetes`. The cluster is the undo: its controller replaces the
pods, and the experiment deviates when that takes too long. Our ledger has no part in it.
"""

import json
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from sloproof.definition import Definition, Length, Name, format_duration

_KubernetesName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
_PACKAGE = "chaosk8s"


class KillPods(Definition):
    """Some pods of a deployment are ended, and have to be replaced in time.

    Args:
        name: short name, also of the generated file.
        namespace: where the pods are.
        deployment: what has to be fully available before and after.
        label_selector: which pods, such as `app=shop`.
        count: how many of them, chosen at random.
        recovers_within: how long the deployment may take to be fully available again; whole seconds.
        description: one sentence on why this matters.
    """

    name: Name
    namespace: _KubernetesName
    deployment: _KubernetesName
    label_selector: str = Field(min_length=1)
    count: int = Field(default=1, ge=1, le=100)
    recovers_within: Length = timedelta(seconds=60)
    description: str = ""

    def describe(self) -> str:
        """What happens, in a sentence."""
        pods = "1 pod" if self.count == 1 else f"{self.count} pods"
        within = format_duration(self.recovers_within)
        return f"end {pods} of `{self.label_selector}` in `{self.namespace}`, to be replaced within {within}"


def kubernetes_json(experiment: KillPods) -> str:
    """The Chaos Toolkit experiment, the same bytes for the same definition.

    Args:
        experiment: the definition.

    Returns:
        JSON with a last line feed; where the cluster is and who may ask it is the Chaos Toolkit's to find out.
    """
    return json.dumps(_document(experiment), indent=2, ensure_ascii=False) + "\n"


def _document(experiment: KillPods) -> dict[str, Any]:
    available = _activity(
        "probe",
        f"the deployment {experiment.deployment} is fully available",
        f"{_PACKAGE}.deployment.probes",
        "deployment_fully_available",
        {
            "name": experiment.deployment,
            "ns": experiment.namespace,
            "timeout": round(experiment.recovers_within.total_seconds()),
        },
    )
    end = _activity(
        "action",
        "end pods",
        f"{_PACKAGE}.pod.actions",
        "terminate_pods",
        {
            "label_selector": experiment.label_selector,
            "ns": experiment.namespace,
            "mode": "fixed",
            "qty": experiment.count,
            "rand": True,
        },
    )
    return {
        "title": experiment.name,
        "description": experiment.description or experiment.describe(),
        "tags": ["sloproof", "kubernetes"],
        "steady-state-hypothesis": {
            "title": f"{experiment.deployment} is fully available",
            "probes": [{**available, "tolerance": True}],
        },
        "method": [end],
        "rollbacks": [],
    }


def _activity(kind: str, name: str, module: str, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    provider = {"type": "python", "module": module, "func": function, "arguments": arguments}
    return {"type": kind, "name": name, "provider": provider}
