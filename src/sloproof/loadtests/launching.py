"""Starts generator processes, so that none outlives the one that started it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sloproof.errors import PartFailed
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.plan import LoadPlan

# A proxy would carry requests away from the target that was checked.
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"})


def locust_environment(plan: LoadPlan, extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a generator process: those of this one, without what would change the plan.

    Args:
        plan: what it is to run.
        extra: more variables, for the locustfile.
    """
    # LOCUST_* would override the profile: LOCUST_MASTER alone turns the run into one that waits for workers.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOCUST_", "SLOPROOF_PACE")) and name.lower() not in _PROXIES
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **plan.environment, **extra}


def launch(
    locustfile: Path, folder: Path, run_folder: Path, environment: Mapping[str, str], *, master: str = ""
) -> tuple["subprocess.Popen[bytes]", int]:
    """Start a generator process with one end of a pipe of which this process keeps the other for as long as it lives.

    Args:
        locustfile: what its users do.
        folder: where it runs.
        run_folder: holds its plan.
        environment: its variables, all of them.
        master: `host:port` of the master that it works for; its log then goes to standard error.

    Returns:
        The process, and this process's end of the pipe: once that is closed, the other ends.

    Raises:
        PartFailed: it could not be started.
    """
    childs_end, lifeline = os.pipe()
    run = str(run_folder.resolve())
    command = [sys.executable, "-P", "-m", "sloproof.loadtests.locust_child", run, str(locustfile), str(childs_end)]
    try:
        with open(2, "wb", closefd=False) if master else LoadFiles(run_folder).log.open("wb") as log:
            child = subprocess.Popen(
                [*command, *([master] if master else [])],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(childs_end,),
                start_new_session=True,
            )
    except OSError as error:
        os.close(lifeline)
        raise PartFailed(f"the load generator did not start: {error}", hint="see whether the disk is full") from error
    finally:
        os.close(childs_end)
    return child, lifeline
