"""Names the package in an editable install, whose list of files does not: `chaos discover sloproof` goes by it."""

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc] # hatchling's are untyped here
    """Adds `top_level.txt`; a wheel with all files needs none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before each build.

        Args:
            version: `editable` or `standard`.
            build_data: what is built; changed here.
        """
        if version != "editable":
            return
        file = Path(tempfile.mkdtemp()) / "top_level.txt"
        file.write_text("sloproof\n", encoding="utf-8")
        place = f"sloproof-{self.metadata.version}.dist-info/top_level.txt"
        build_data["force_include_editable"][str(file)] = place
