"""What a light install leaves out, said before a command begins instead of in its middle."""

from importlib.util import find_spec

from sloproof.errors import PartFailed

_MODULES = {
    "load": ("locust",),
    "chaos": ("chaoslib", "chaostoolkit"),
    "lab": (
        "envoy",
        "jwt",
        "prometheus_client",
        "psutil",
        "psycopg",
        "psycopg_pool",
        "starlette",
        "supervisor",
        "uvicorn",
    ),
    "web": ("starlette", "uvicorn"),
}


def require(*extras: str) -> None:
    """Refuse to begin without what these extras install; nothing is imported.

    Args:
        extras: `load`, `chaos`, `lab` or `web`.

    Raises:
        PartFailed: something is missing; the hint is the command that installs it.
    """
    missing = {extra: name for extra in extras for name in _MODULES[extra] if find_spec(name) is None}
    if missing:
        raise PartFailed(
            f"`{'`, `'.join(missing.values())}` {'is' if len(missing) == 1 else 'are'} not installed",
            hint=f'run `pip install "sloproof[{",".join(missing)}]"`',
        )
