"""Rules made side by side are the rules made one after the other, with the same problems and the same errors."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sloproof.alerts import CauseAlert, Timing
from sloproof.checks import run_offline
from sloproof.definition import Definition
from sloproof.slo import SLO, ErrorRatio, RawRatio, Service
from sloproof.workspace import Located, Workspace, made_rules
from sloproof.workspace.checking import subject_of
from sloproof.workspace.rule_files import RuleFile, files_of
from sloproof.workspace.settings import read_settings

SERVICES = 25
"""More than a process makes at a time."""


def service(number: int) -> Service:
    return Service(name=f"shop-{number}", owner="o", job=f"job-{number}")


def objectives(objective: str = "99.9") -> list[SLO]:
    return [
        SLO(
            service=service(number),
            name="availability",
            objective=objective,
            sli=ErrorRatio(errors=f'e{{job="job-{number}"}}', total=f't{{job="job-{number}"}}'),
        )
        for number in range(SERVICES)
    ]


def cause(expression: str) -> CauseAlert:
    return CauseAlert(
        service=service(0), name="neighbour", expression=expression, above="0.1", hold="1m", severity="ticket",
        summary="the neighbour fails", first_step="ask the neighbour",
    )  # fmt: skip


def workspace_of(root: Path, definitions: Sequence[Definition]) -> Workspace:
    (root / "pyproject.toml").write_text("[tool.sloproof]\n")
    located = (Located(one, "slo/shops.py", line, f"v{line}") for line, one in enumerate(definitions, start=1))
    return Workspace(root, read_settings(root), tuple(located))


@pytest.mark.parametrize("objective", ["99.9", "90"])
def test_two_processes_make_what_one_makes(tmp_path: Path, objective: str) -> None:
    workspace = workspace_of(tmp_path, [*objectives(objective), cause("up")])
    timing = workspace.settings.timing()
    alone, together = (list(made_rules.made_rules(workspace, timing, processes=number)) for number in (1, 2))
    assert len(alone) > 1
    assert together == alone
    assert run_offline(subject_of(workspace, together)) == run_offline(subject_of(workspace, alone))


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("read", "found"),
    [
        ('slo:errors:rate5m{service="shop-24",slo="availability"}', []),
        ('slo:errors:rate5m{service="shop-24",slo="nothing"}', ["rules/unrecorded-series"]),
        ('slo:errors:rate5m{slo="nothing"}', ["rules/unrecorded-series"]),
        ('slo:errors:rate5m{service="nobody",slo="availability"}', ["rules/unrecorded-series"]),
    ],
)
def test_what_reads_another_services_series_is_checked_with_all(
    tmp_path: Path, read: str, found: list[str], processes: int
) -> None:
    workspace = workspace_of(tmp_path, [*objectives(), cause(read)])
    made = list(made_rules.made_rules(workspace, workspace.settings.timing(), processes=processes))
    assert [one.problems is None for one in made] == [True] + [False] * (len(made) - 1)
    problems = run_offline(subject_of(workspace, made))
    assert [problem.check for problem in problems if problem.check.startswith("rules/")] == found


def test_an_error_in_another_process_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(workspace: Workspace, name: str, timing: Timing) -> Iterator[RuleFile]:
        if name == "shop-17":
            raise ValueError("`shop-17` cannot be written")
        return files_of(workspace, name, timing)

    monkeypatch.setattr(made_rules, "files_of", broken)
    workspace = workspace_of(tmp_path, objectives())
    with pytest.raises(ValueError, match="`shop-17` cannot be written"):
        list(made_rules.made_rules(workspace, workspace.settings.timing(), processes=2))


def test_one_objective_in_many_that_differs_is_looked_at(tmp_path: Path) -> None:
    # The same rules but for `by`, which the objective's own expression drops.
    raw = 'sum(rate(e{job="x"}[$window]))'
    same = [
        SLO(
            service=service(number),
            name="raw",
            objective="99",
            sli=RawRatio(errors=raw, total=raw.replace("e{", "t{")),
            by=("route",) if number == SERVICES - 1 else (),
        )
        for number in range(SERVICES)
    ]
    workspace = workspace_of(tmp_path, same)
    found = [one for one in run_offline(subject_of(workspace)) if one.check == "slo/group-label-dropped"]
    assert [one.line for one in found] == [SERVICES]


def test_every_objective_of_a_kind_that_is_wrong_is_told(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, [cause('slo:errors:rate5m{service="shop-0",slo="nothing"}'), *objectives()])
    twice = cause('slo:errors:rate5m{service="shop-0",slo="nobody"}').model_copy(update={"name": "other"})
    both = workspace_of(tmp_path, [*(located.definition for located in workspace.definitions), twice])
    found = [one for one in run_offline(subject_of(both)) if one.check == "rules/unrecorded-series"]
    assert [one.line for one in found] == [1, SERVICES + 2]
