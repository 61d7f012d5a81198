"""The environment of the processes that the chaos room starts."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without proxies and telemetry, with its own `bin` folder first.

    Args:
        extra: variables to add.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in _PROXIES and not name.startswith(("OTEL_", "SLOPROOF_"))
    }
    path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", os.defpath)))
    return {**kept, "PATH": path, "OTEL_SDK_DISABLED": "true", "PYTHONUNBUFFERED": "1", **extra}
