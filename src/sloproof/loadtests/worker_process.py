"""A worker of a master elsewhere, as a process of this one."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sloproof.errors import PartFailed, UsageError
from sloproof.loadtests.distribution import host_and_port
from sloproof.loadtests.launching import launch, locust_environment
from sloproof.loadtests.load_files import LoadFiles, digest, write_atomically
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.plan_request import ask_for_plan
from sloproof.targets import check_target

_TIME_TO_END = 6.0


def work_for(master: str, workspace: Path, allowed: Sequence[str], patience: float) -> None:
    """Send a share of a master's load, until it is over.

    Args:
        master: `host:port`.
        workspace: root of the workspace, whose `loadtests/` holds the same locustfiles as the master's.
        allowed: targets beyond loopback that this workspace lists; the master's own list does not count.
        patience: seconds that the master may take to come up.

    Raises:
        PartFailed: no master answers, or the worker ended before the load did.
        Refused: the master or its target is not listed here, or the load has begun; nothing was sent.
        UsageError: the locustfile is not here.
    """
    check_target(master, allowed)
    plan = ask_for_plan(*host_and_port(master), patience)
    for target in plan.target.split(", "):
        check_target(target, allowed)
    plan = plan.model_copy(update={"allowed": list(allowed)})
    locustfile = _locustfile(plan, workspace)
    with tempfile.TemporaryDirectory(prefix="sloproof-worker-") as folder:
        files = LoadFiles(Path(folder))
        files.folder.mkdir()
        write_atomically(files.plan, plan.model_dump_json())
        child, lifeline = launch(locustfile, workspace, Path(folder), locust_environment(plan, {}), master=master)
        try:
            code = _wait(child, plan)
        finally:
            os.close(lifeline)
    if code:
        raise PartFailed(f"the worker ended with exit code {code}", hint="its log above says why")


def _locustfile(plan: LoadPlan, workspace: Path) -> Path:
    folder = (workspace / "loadtests").resolve()
    path = (folder / plan.locustfile).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise UsageError(
            f"`{plan.locustfile}`, which the master runs, is not in the `loadtests/` folder of this workspace",
            hint="check out the same workspace as the master's",
        )
    if plan.digest and plan.digest != digest(path):
        raise UsageError(
            f"`{plan.locustfile}` here is not what the master runs: its text is another",
            hint="check out the same workspace as the master's",
        )
    return path


def _wait(child: "subprocess.Popen[bytes]", plan: LoadPlan) -> int:
    """The exit code of a worker; when this command is to end, it leaves with what it has counted."""
    try:
        return child.wait()
    except BaseException:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(plan.drain + _TIME_TO_END)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
