"""Where definitions stand, as the checks want to know it."""

from sloproof import names
from sloproof.alerts import CauseAlert
from sloproof.checks import Place
from sloproof.slo import SLO
from sloproof.workspace.contradictions import Located
from sloproof.workspace.loading import Workspace


def place_of(located: Located) -> Place:
    """The place of a definition."""
    return Place(located.path, located.line, located.variable)


def objective_places(workspace: Workspace) -> list[tuple[SLO, Place]]:
    """Each objective, and where it stands."""
    return [(one.definition, place_of(one)) for one in workspace.definitions if isinstance(one.definition, SLO)]


def cause_places(workspace: Workspace) -> list[tuple[str, Place]]:
    """The name of each cause's alert, and where the cause stands; a name that two causes claim is there twice."""
    return [
        (names.cause_alert(one.definition.service.name, one.definition.name), place_of(one))
        for one in workspace.definitions
        if isinstance(one.definition, CauseAlert)
    ]
