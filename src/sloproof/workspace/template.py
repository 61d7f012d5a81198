"""The first workspace that `sloproof init` and a demo outside any workspace start from: real files, copied as they are."""

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
        names = sorted(file.relative_to(source) for file in source.rglob("*") if file.is_file() and _wanted(file))
        existing = [name for name in names if (folder / name).exists()]
        if existing:
            raise Refused(
                f"`{folder / existing[0]}` exists already; nothing was written",
                hint="choose an empty folder, or remove the old files first",
            )
        try:
            for name in names:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((source / name).read_bytes())
        except OSError as error:
            raise PartFailed(
                f"`{error.filename}` cannot be written: {error.strerror}", hint="choose another folder"
            ) from error
    return [name.as_posix() for name in names]


def _wanted(file: Path) -> bool:
    return "__pycache__" not in file.parts
