"""Puts Prometheus and Alertmanager into a folder of the workspace, without root and without starting services.

Run as `python -m sloproof.lab.parts_apt FOLDER`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sloproof.errors import PartFailed
from sloproof.lab.parts import find

_NEEDED = ("prometheus", "promtool", "alertmanager", "amtool")
_DEBIAN_PACKAGES = ("prometheus", "prometheus-alertmanager")
_DEBIAN_TEMPLATES = b"/usr/share/prometheus/alertmanager"
_BREW_FORMULAE = ("prometheus", "alertmanager")
_PATIENCE = 300.0
"""Seconds that one step of the package tools may take."""


def install(folder: Path, say: Callable[[str], None]) -> None:
    """Make Prometheus, promtool, Alertmanager and amtool available; does nothing when they are.

    Args:
        folder: where downloaded packages are unpacked, usually `.sloproof/parts` of the workspace.
        say: told in one line what happens.

    Raises:
        PartFailed: no package tool of a known kind is here, or one failed; its last lines are in the message.
    """
    if not missing(folder):
        return
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        say(f"downloading {' and '.join(_DEBIAN_PACKAGES)} into {folder}")
        _unpack_debian(folder)
    elif shutil.which("brew"):
        say(f"brew install {' '.join(_BREW_FORMULAE)}")
        _run(["brew", "install", *_BREW_FORMULAE])
    left = missing(folder)
    if left:
        raise PartFailed(
            f"`{'`, `'.join(left)}` could not be installed here",
            hint="install Prometheus 2.42 or newer and Alertmanager 0.25 or newer, then put them on the PATH, "
            "or name their folder in `SLOPROOF_PARTS`",
        )


def missing(folder: Path) -> list[str]:
    """Which of the parts are neither on this machine nor in the folder, in a form that can run."""
    return [name for name in _NEEDED if not _found(name, folder)]


def _found(name: str, folder: Path) -> bool:
    try:
        binary = find(name, folder)
    except PartFailed:
        return False
    return name != "alertmanager" or Path(os.fsdecode(_DEBIAN_TEMPLATES)).is_dir() or not _is_debians(binary)


def _is_debians(binary: Path) -> bool:
    """Whether an Alertmanager needs a folder of templates that only an installed package has."""
    return _DEBIAN_TEMPLATES in binary.read_bytes()


def _unpack_debian(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # apt's sandbox user must be able to write where packages land, hence a folder of its own below /tmp.
    with tempfile.TemporaryDirectory(prefix="sloproof-apt-") as name:
        private = Path(name)
        private.chmod(0o755)
        options = _private_apt(private)
        _run(["apt-get", *options, "update"], private)
        _run(["apt-get", *options, "download", *_DEBIAN_PACKAGES], private)
        for package in sorted(private.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(private / "unpacked")])
        _take_over(private / "unpacked" / "usr", folder)


def _take_over(unpacked: Path, folder: Path) -> None:
    templates = Path("share", "prometheus", "alertmanager")
    shutil.copytree(unpacked / templates, folder / templates, dirs_exist_ok=True)
    for binary in sorted((unpacked / "bin").iterdir()):
        _place(binary, folder / binary.name)


def _place(binary: Path, target: Path) -> None:
    # Renamed into place, so that an interrupted copy is never taken for the binary.
    beside = target.with_name(f".{target.name}.part")
    beside.write_bytes(relocated(binary.read_bytes()))
    beside.chmod(0o755)
    beside.replace(target)


def relocated(program: bytes) -> bytes:
    """Debian's Alertmanager, made to read its templates below the folder that it is started in.

    Debian compiles in the absolute folder of the two templates that it cannot start without. The folder is
    written over with a relative one of equal length, as conda relocates its packages.

    Args:
        program: the binary's bytes.

    Returns:
        Equally many bytes; the same ones when the folder is not in there.
    """
    inside = _DEBIAN_TEMPLATES.removeprefix(b"/usr/")
    return program.replace(_DEBIAN_TEMPLATES, b"." + b"/" * (len(_DEBIAN_TEMPLATES) - len(inside) - 1) + inside)


def _private_apt(private: Path) -> list[str]:
    for part in ("lists/partial", "cache/archives/partial"):
        (private / part).mkdir(parents=True)
    settings = (
        f"Dir::State::lists={private / 'lists'}",
        f"Dir::Cache={private / 'cache'}",
        "APT::Sandbox::User=root",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
    )
    return ["-qq", *(word for setting in settings for word in ("-o", setting))]


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartFailed(f"`{command[0]}` did not finish: {error}") from error
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise PartFailed(f"`{' '.join(command)}` ended with {done.returncode}:\n{last}")


def main(arguments: list[str]) -> int:
    """Install into the folder named on the command line."""
    match arguments:
        case [folder]:
            pass
        case _:
            _tell("usage: python -m sloproof.lab.parts_apt FOLDER")
            return 2
    try:
        install(Path(folder), _tell)
    except PartFailed as error:
        _tell(f"error: {error.message}" + (f"\n\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
