"""The first workspace, of `sloproof init` and of a demo outside any workspace: real files, copied as they are.

In the repository the definitions are links to those of its own `tasks` system, so that the two cannot differ.
"""

from importlib.resources import as_file, files
from pathlib import Path

from sloproof.errors import PartFailed, Refused


def copy_to(folder: Path) -> list[str]:
    """Copy the template.

    Args:
        folder: the new workspace; made when it does not exist.

    Returns:
        The files made, relative to the folder.

    Raises:
        Refused: one of the files is there already; nothing was written.
        PartFailed: the folder cannot be written.
    """
    with as_file(files("sloproof.workspace").joinpath("template")) as source:
        files_there = [file for file in source.rglob("*") if file.is_file() and _wanted(file)]
        found = {_target(file.relative_to(source)): file for file in files_there}
        existing = sorted(name for name in found if (folder / name).exists())
        if existing:
            raise Refused(
                f"`{folder / existing[0]}` exists already; nothing was written",
                hint="choose an empty folder, or remove the old files first",
            )
        try:
            for name, file in found.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        except OSError as error:
            raise PartFailed(
                f"`{error.filename}` cannot be written: {error.strerror}", hint="choose another folder"
            ) from error
    return sorted(name.as_posix() for name in found)


def _target(name: Path) -> Path:
    """Where a file of the template goes; `gitignore` would be read by git here if it bore its dot."""
    return Path(".gitignore") if name == Path("gitignore") else name


def _wanted(file: Path) -> bool:
    return "__pycache__" not in file.parts
