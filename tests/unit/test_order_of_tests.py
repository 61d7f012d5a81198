"""What takes longest is begun first where several workers share the tests."""

from pathlib import Path

from tests.conftest import LONGEST

TESTS = Path(__file__).parents[1]


def test_the_files_that_are_begun_first_are_there() -> None:
    there = {file.name for file in TESTS.glob("*/test_*.py")}
    assert set(LONGEST) <= there
    assert len(set(LONGEST)) == len(LONGEST)
