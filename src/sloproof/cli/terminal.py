"""A console that shows what would command a terminal, in text that a server or a target sent."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from sloproof.foreign_text import visible_lines


class Terminal(Console):
    """A rich console; its own colours and cursor movements pass, control characters in text become U+FFFD."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of something, harmless."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


def terminal(**settings: Any) -> Console:
    """One for plain sentences and tables: lines stay whole, and nothing is coloured by itself."""
    return Terminal(highlight=False, soft_wrap=True, **settings)
