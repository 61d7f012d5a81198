"""The page on definitions is a workspace: its examples load, pass the checks and become rules."""

import re
from pathlib import Path

import pytest

from sloproof.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "definitions.md"
EXAMPLE = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.sloproof]\nscrape-interval = "30s"\n')
    for file, example in EXAMPLE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        with (tmp_path / file).open("a") as module:
            module.write(example)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_of_the_page_belongs_to_a_file() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(text)) == text.count("```python") >= 6


def test_the_examples_are_a_workspace_without_problems(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate"]) == 0, capsys.readouterr()
    assert main(["check"]) == 0, capsys.readouterr()
    assert main(["generate", "--check"]) == 0
    rules = (workspace / "alerts" / "generated" / "shop.rules.yaml").read_text()
    for name in ("availability", "payments", "deliveries", "latency", "queue", "checkout", "backups"):
        assert f"slo: {name}" in rules
    assert (workspace / "runbooks" / "ShopHighCpu.md").exists()
