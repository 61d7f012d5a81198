"""A generator process: `python -m sloproof.loadtests.locust_child RUN_FOLDER LOCUSTFILE LIFELINE [MASTER]`.

With a MASTER, `host:port`, it is one worker of several.

It ends by itself when the process that started it dies: the other end of the lifeline then closes. The lifeline is
watched by a native thread, started before Locust patches threads and sleeps, so that it also sees the end while a
locustfile spins.
"""

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sloproof.loadtests.plan import STOP_DRAIN

_GRACE = STOP_DRAIN + 2.0
_LOST_OWNER = 6
_WITHOUT_MASTER = 4


def main() -> None:
    """Run the plan in the run folder; exit code 0 when a result was written."""
    # A shell ignores SIGINT on behalf of what it starts in the background, and we are stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_folder, locustfile, lifeline = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    _thread.start_new_thread(_end_with_owner, (lifeline, time.sleep))
    # Locust patches sockets, threads and sleeps when it is imported.
    from sloproof.loadtests.locust_run import run

    run(run_folder, locustfile, sys.argv[4] if len(sys.argv) > _WITHOUT_MASTER else "")


def _end_with_owner(lifeline: int, sleep: Callable[[float], None]) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGINT)
    sleep(_GRACE)
    os._exit(_LOST_OWNER)


if __name__ == "__main__":
    main()
