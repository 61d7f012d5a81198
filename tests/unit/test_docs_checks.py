"""The documents keep up with the code: checks, links, the README's definition and the alert it shows."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.alerts import DEFAULT_POLICY, Links, Timing, burn_alert
from sloproof.slo import SLO

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
CHECKS = REPOSITORY / "docs" / "checks.md"
PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
ROOMS = "slo|experiment|definition|alerts|chaos|loadtests|dashboard|service|runbook|rules|cause|server"
CHECK_ID = re.compile(rf'"((?:{ROOMS})/[a-z]+(?:-[a-z]+)*)"')
LINK = re.compile(r'\]\(([^)\s]+)\)|src="([^"]+)"')
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def ids_in_the_source() -> set[str]:
    rooms = (REPOSITORY / "src" / "sloproof" / room for room in ("checks", "workspace"))
    found = {
        identifier
        for room in rooms
        for file in room.glob("*.py")
        for identifier in CHECK_ID.findall(file.read_text(encoding="utf-8"))
    }
    return {identifier for identifier in found if not (REPOSITORY / identifier).exists()}


def ids_in_the_page() -> list[str]:
    return re.findall(r"^## ([a-z]+/[a-z-]+)$", CHECKS.read_text(encoding="utf-8"), re.MULTILINE)


def heading_anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def readme_slo() -> SLO:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    slo: SLO = names["availability"]
    return slo


def test_the_search_for_ids_finds_the_known_ones() -> None:
    assert {"slo/unreachable-tier", "slo/unknown-label", "definition/invalid"} <= ids_in_the_source()


def test_every_check_has_a_section_and_every_section_a_check() -> None:
    assert sorted(ids_in_the_page()) == sorted(ids_in_the_source())


@pytest.mark.parametrize("identifier", ids_in_the_page())
def test_a_section_says_what_to_do(identifier: str) -> None:
    sections = re.split(r"^## ", CHECKS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(text for text in sections if text.startswith(f"{identifier}\n"))
    assert "What to do: " in section


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert "`make demo`" in text
    assert "`make test`" in text


def test_the_readme_names_every_command_and_every_exit_code() -> None:
    import typer.main

    from sloproof.cli.app import app
    from sloproof.errors import SloproofError

    text = README.read_text(encoding="utf-8")
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        for part in getattr(command, "commands", {"": None}):
            assert f"{name} {part}".strip() in text
    for error in SloproofError.__subclasses__():
        assert f"\n| {error.exit_code} | " in text


def test_the_readmes_definition_becomes_the_alert_that_it_shows() -> None:
    (shown,) = yaml.safe_load(block("yaml"))
    rule = burn_alert(readme_slo(), DEFAULT_POLICY.tier("fast"), Timing(), Links())
    assert shown["alert"] == rule.alert
    assert shown["expr"] == str(rule.expression)
    assert shown["labels"] == rule.labels
    assert shown["annotations"] == {name: text for name, text in rule.annotations.items() if name != "description"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for address in (markdown or html for markdown, html in LINK.findall(text)):
        if re.match(r"[a-z]+:", address):
            continue
        path, _, anchor = address.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"`{address}` leads nowhere"
        assert target.is_relative_to(REPOSITORY), f"`{address}` leaves the repository"
        if anchor:
            assert anchor in heading_anchors(target), f"`{address}` names no heading"


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs" / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_context_decision_and_consequences_on_one_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 40
    assert text.startswith(f"# {int(page.stem[:4])}. ")
