"""The folders of tests are listed in the order they run; none may be forgotten."""

import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_every_file_of_tests_lies_in_a_folder_that_pytest_visits() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    visited = [REPOSITORY / folder for folder in settings["tool"]["pytest"]["ini_options"]["testpaths"]]
    found = list((REPOSITORY / "tests").rglob("test_*.py"))
    assert found
    assert [file for file in found if not any(file.is_relative_to(folder) for folder in visited)] == []
