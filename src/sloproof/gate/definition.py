"""A gate: its requirements, all of which must be met."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sloproof.definition import Definition, Name
from sloproof.gate.requirements import AnyRequirement


class Gate(Definition):
    """What must be true of a system before a release of it goes on.

    Args:
        name: short name; `sloproof gate NAME` decides it.
        system: the system that it guards: the name of its service.
        requires: what must be true, at least one thing; asked in this order, so the quick ones stand best first.
        description: one sentence on when it is asked.
    """

    name: Name
    system: Name
    requires: Annotated[tuple[AnyRequirement, ...], Field(min_length=1)]
    description: str = ""

    @model_validator(mode="after")
    def _something_required(self) -> Self:
        for requirement in self.requires:
            requirement.check_system(self.system)
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        titles = [requirement.title for requirement in self.requires]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"`{title}` is required twice; keep one of them")
        return self
