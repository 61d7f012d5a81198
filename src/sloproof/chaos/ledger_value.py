"""The base of whatever a ledger keeps as a value."""

from pydantic import BaseModel, ConfigDict


class LedgerValue(BaseModel):
    """A frozen value that knows all of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
