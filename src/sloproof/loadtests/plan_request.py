"""A worker to be asks its master for the plan, before anything of Locust is loaded."""

import socket
import uuid

from pydantic import ValidationError

from sloproof.errors import PartFailed, Refused
from sloproof.loadtests.distribution import PLAN
from sloproof.loadtests.plan import LoadPlan

RETRY = 2
"""Seconds after which the question is asked anew: a master that is not there yet loses it."""


def ask_for_plan(host: str, port: int, patience: float) -> LoadPlan:
    """The plan of a master that waits for workers.

    Args:
        host: of the master.
        port: of the master.
        patience: seconds that the master may take to come up and to answer.

    Raises:
        PartFailed: no master answered in time, or something else did.
        Refused: the master's load has begun already, so that a new worker would not be counted.
    """
    answer = _ask(host, port, patience)
    if refused := answer.get("refused"):
        raise Refused(f"the master at `{host}:{port}` takes no more workers: {refused}", hint="start a run anew")
    try:
        return LoadPlan.model_validate_json(answer.get("plan") or "")
    except ValidationError as error:
        raise PartFailed(
            f"what answers at `{host}:{port}` is no master of this version of sloproof",
            hint="install the same version on both sides",
        ) from error


def _ask(host: str, port: int, patience: float) -> dict[str, str]:
    import msgpack
    import zmq

    name = f"{socket.gethostname()}_{uuid.uuid4().hex}"
    with zmq.Context() as context, context.socket(zmq.DEALER) as question:
        question.setsockopt(zmq.IDENTITY, name.encode())
        question.setsockopt(zmq.LINGER, 0)
        question.setsockopt(zmq.IPV6, 1 if ":" in host else 0)
        question.connect(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
        for _ in range(max(1, round(patience / RETRY))):
            question.send(msgpack.dumps((PLAN, None, name)))
            if question.poll(RETRY * 1000):
                _, answer, _ = msgpack.loads(question.recv())
                return answer if isinstance(answer, dict) else {}
    raise PartFailed(f"no master answers at `{host}:{port}`", hint="start it with `sloproof load run --expect-workers`")
