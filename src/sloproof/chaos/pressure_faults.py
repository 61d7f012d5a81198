"""Pressure: an instance that gets less of a CPU, a machine that has less memory, a disk that has less room."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from sloproof.chaos.instance_faults import LastingInstanceFault
from sloproof.definition import format_duration

LARGEST_SHARE = 4
"""Memory and disk are pressed by a quarter of what is free at most."""

PRESSURE_ACTIONS = "sloproof.chaos.extension.pressure_actions"

_UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = re.compile(r"(\d+)(KiB|MiB|GiB)")
_MOST_PROCESSES = 16


def _read_size(value: Any) -> Any:
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        raise ValueError(f"`{value}` is not a size; write it as `64MiB`")
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(f"`{value}` is not a size; write it as `512KiB`, `64MiB` or `1GiB`")
    return int(match[1]) * _UNITS[match[2]]


def format_size(size: int) -> str:
    """A size in the largest unit that it fills: `64MiB`; bytes where none does.

    Args:
        size: bytes.
    """
    fits = [f"{size // factor}{unit}" for unit, factor in _UNITS.items() if size % factor == 0]
    return fits[-1] if fits else f"{size}B"


Size = Annotated[int, BeforeValidator(_read_size), Field(ge=4096), PlainSerializer(format_size, when_used="json")]
"""An amount of bytes: text such as `64MiB`, or a whole number of bytes."""


class PressCPU(LastingInstanceFault):
    """One instance has to share a single CPU with processes that never rest.

    Args:
        processes: how many of them; with n of them the instance gets about 1/(n+1) of that CPU.
        lasts: how long.
    """

    kind: Literal["press-cpu"] = "press-cpu"
    processes: int = Field(default=1, ge=1, le=_MOST_PROCESSES)
    actions: ClassVar[str] = PRESSURE_ACTIONS
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket")
    blast_radius: ClassVar[str] = "one instance, and one CPU of its machine; Linux"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "press_cpu"

    def arguments(self) -> dict[str, str | float]:
        """The instance, the length in seconds, and the number of processes."""
        return {**super().arguments(), "processes": self.processes}

    def describe(self) -> str:
        """What happens, in a sentence."""
        busy = "1 busy process" if self.processes == 1 else f"{self.processes} busy processes"
        return f"let `{self.instance}` share one CPU with {busy} for {format_duration(self.lasts)}"


class _Sized(LastingInstanceFault):
    size: Size
    actions: ClassVar[str] = PRESSURE_ACTIONS

    def arguments(self) -> dict[str, str | float]:
        """The instance, the length in seconds, and the size."""
        return {**super().arguments(), "size": format_size(self.size) if self.size % 1024 == 0 else self.size}


class PressMemory(_Sized):
    """Memory of the instance's machine is taken and kept in use.

    Args:
        size: how much, as text such as `256MiB`; at most a quarter of what is available.
        lasts: how long.
    """

    kind: Literal["press-memory"] = "press-memory"
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket")
    blast_radius: ClassVar[str] = "the machine of the instance, by a quarter of its available memory at most"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def place(self) -> str:
        """The machine's memory."""
        return "memory"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "press_memory"

    def describe(self) -> str:
        """What happens, in a sentence."""
        size, lasts = format_size(self.size), format_duration(self.lasts)
        return f"take {size} of memory beside `{self.instance}` for {lasts}"


class FillDisk(_Sized):
    """Room is taken on the disk that the instance writes to.

    Args:
        size: how much, as text such as `256MiB`; at most a quarter of what is free.
        lasts: how long.
    """

    kind: Literal["fill-disk"] = "fill-disk"
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "folder")
    blast_radius: ClassVar[str] = "the disk of the lab's folder, by a quarter of its free space at most"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def place(self) -> str:
        """The disk."""
        return "disk"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "fill_disk"

    def describe(self) -> str:
        """What happens, in a sentence."""
        size, lasts = format_size(self.size), format_duration(self.lasts)
        return f"take {size} of the disk that `{self.instance}` writes to for {lasts}"
