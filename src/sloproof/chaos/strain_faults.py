"""What another client of the database can do to it: hold its connections, hold its locks."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sloproof.chaos.faults import Fault
from sloproof.definition import Length, format_duration

TABLE = r"^[a-z_][a-z0-9_]{0,62}$"


class StrainFault(Fault):
    """A process of its own strains the database; its death alone undoes it.

    Args:
        lasts: how long it strains.

    Attributes:
        program: the lab's program that does it, started for this fault alone.
    """

    lasts: Length
    actions: ClassVar[str] = "sloproof.chaos.extension.dependency_actions"
    needs: ClassVar[tuple[str, ...]] = ("supervisor_socket", "strain_folder")
    blast_radius: ClassVar[str] = "whatever every client asks of the database"
    program: ClassVar[str]

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def place(self) -> str:
        """The program, of which there is one."""
        return f"program {self.program}"

    def orders(self) -> dict[str, str | int]:
        """What the program is told besides the moment at which it ends by itself."""
        raise NotImplementedError  # each program below takes orders of its own


class ExhaustPool(StrainFault):
    """Another client holds the database's connections, idle in a transaction, until almost none is left.

    Connections of the service beyond those that are left are ended, as a database does that takes its clients
    by turns; no new ones are to be had.

    Args:
        leave: how many of all connections the service may have.
    """

    kind: Literal["exhaust-pool"] = "exhaust-pool"
    leave: int = Field(default=0, ge=0)
    program: ClassVar[str] = "strain-connections"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "exhaust_pool"

    def orders(self) -> dict[str, str | int]:
        """How many are left."""
        return {"leave": self.leave}

    def arguments(self) -> dict[str, str | float]:
        """How many are left, and the length in seconds."""
        return {"leave": self.leave, "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"hold all connections of the database but {self.leave} for {format_duration(self.lasts)}"


class ContendLocks(StrainFault):
    """Another client holds a lock on a table that the service needs.

    Args:
        table: the table.
        mode: `exclusive` blocks whoever writes, `access exclusive` also whoever reads.
    """

    kind: Literal["contend-locks"] = "contend-locks"
    table: Annotated[str, Field(pattern=TABLE)]
    mode: Literal["exclusive", "access exclusive"] = "access exclusive"
    program: ClassVar[str] = "strain-locks"

    def __init__(self, table: str, **others: Any) -> None:
        super().__init__(**{"table": table, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "contend_locks"

    def orders(self) -> dict[str, str | int]:
        """The table and the lock."""
        return {"table": self.table, "mode": self.mode}

    def arguments(self) -> dict[str, str | float]:
        """The table, the lock, and the length in seconds."""
        return {"table": self.table, "mode": self.mode, "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"hold the table `{self.table}` locked (`{self.mode}`) for {format_duration(self.lasts)}"
