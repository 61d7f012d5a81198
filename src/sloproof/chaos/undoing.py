"""What every undo can do."""

from abc import abstractmethod

from sloproof.chaos.ledger_value import LedgerValue


class Undoing(LedgerValue):
    """How one fault is put back, as a ledger keeps it: idempotent, verified, and safe to repeat after a crash."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What a lab must still have for the fault to be in it; anything else for what is in no lab."""

    @property
    def rejoins(self) -> str:
        """The instance that gets traffic again once this is done; empty when none was lost."""
        return ""

    @abstractmethod
    def perform(self, patience: float) -> str:
        """Put something back and make sure that it is.

        Args:
            patience: seconds to wait for what comes back by itself before it is forced.

        Returns:
            How that was verified, in plain words.

        Raises:
            PartFailed: it is not back.
            Refused: the target is not allowed; nothing was sent.
        """

    @abstractmethod
    def ended(self) -> str | None:
        """The proof that the fault ended with what it was in; None when that is there, or nobody can tell."""

    @abstractmethod
    def is_over(self) -> bool:
        """Whether nothing of the fault is left."""
