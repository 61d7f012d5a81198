"""Runs one instance of the tasks API: `python -m sloproof.lab.tasks.instance`."""

import uvicorn

from sloproof.lab.tasks.application import build_application
from sloproof.lab.tasks.logs import log_as_json
from sloproof.lab.tasks.settings import read_settings


def main() -> None:
    """Serve until told to stop; requests under way get five seconds to end."""
    settings = read_settings()
    log_as_json(settings.name)
    uvicorn.run(
        build_application(settings),
        host="127.0.0.1",
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        # Longer than the balancer keeps idle connections, so that it never sends on one that is being closed here.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
