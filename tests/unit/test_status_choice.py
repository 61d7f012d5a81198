"""Services and objectives by name, for a look at a part of a workspace."""

from pathlib import Path

import pytest

from sloproof import Service
from sloproof.errors import UsageError
from sloproof.slo import SLO
from sloproof.workspace.contradictions import Located
from sloproof.workspace.loading import Workspace
from sloproof.workspace.settings import Settings
from sloproof.workspace.status_choice import chosen
from tests.unit.checks_subjects import availability

TASKS = Service(name="tasks", owner="tasks team", job="tasks")


def workspace(*slos: SLO) -> Workspace:
    return Workspace(Path("/"), Settings(), tuple(Located(slo, "slo/shop.py", 1, slo.name) for slo in slos))


ALL = workspace(
    availability(),
    availability(name="latency"),
    availability(service=TASKS),
    availability(service=TASKS, name="freshness"),
)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ([], ["shop/availability", "shop/latency", "tasks/availability", "tasks/freshness"]),
        (["tasks"], ["tasks/availability", "tasks/freshness"]),
        (["tasks/freshness"], ["tasks/freshness"]),
        (["tasks/freshness", "shop/latency"], ["shop/latency", "tasks/freshness"]),
        (["tasks/freshness", "tasks"], ["tasks/availability", "tasks/freshness"]),
    ],
)
def test_a_name_chooses_a_service_or_an_objective(wanted: list[str], shown: list[str]) -> None:
    assert [slo.identity for slo in chosen(ALL, wanted).slos] == shown


@pytest.mark.parametrize(
    ("wanted", "said", "hint"),
    [
        ("task", "there is no service `task`", "did you mean `tasks`"),
        ("tasks/availabilty", "there is no objective `tasks/availabilty`", "`tasks/availability`"),
        ("availability", "there is no service `availability`", "`shop/availability`, `tasks/availability`?"),
        ("nothing-like-it", "there is no service `nothing-like-it`", "the services are: `shop`, `tasks`"),
        ("", "there is no service ``", "the services are: `shop`, `tasks`"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(wanted: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(ALL, ["shop", wanted])
    assert raised.value.message == said
    assert hint in raised.value.hint
