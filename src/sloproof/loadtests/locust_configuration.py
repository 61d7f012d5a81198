"""Locust's own configuration files, left out. Only in the generator process: it imports Locust.

They would change the plan unseen, as variables named LOCUST_* would: leave tasks out by their tags, end the load early,
or open the web interface on every address.
"""

import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from locust import main as locust_main
from locust.argument_parser import DEFAULT_CONFIG_FILES, get_parser


def leave_configuration_out() -> list[str]:
    """Let Locust read no configuration file; returns a sentence for each that it would have read."""
    setattr(locust_main, "get_parser", partial(get_parser, default_config_files=[]))  # noqa: B010 it has no option for it
    return [f"`{name}` was left out: the load is what its profile says" for name in _found()]


def _found() -> Iterator[str]:
    for name in DEFAULT_CONFIG_FILES:
        file = Path(name).expanduser()
        if file.is_file() and (file.suffix != ".toml" or _is_for_locust(file)):
            yield name


def _is_for_locust(file: Path) -> bool:
    try:
        return "locust" in tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False
