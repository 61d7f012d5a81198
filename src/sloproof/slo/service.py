"""The service that objectives are promised for."""

from sloproof.definition import Definition, Name


class Service(Definition):
    """A service somebody owns.

    Args:
        name: short name; used for files, labels, dashboards and runbooks.
        owner: the team that is woken; free text, routed on by its exact value.
        job: the Prometheus `job` label of its targets.
        description: one sentence on what users do with it.
        depends_on: names of the parts it needs, shown in runbooks.
        escalation: whom to call when the owner does not answer.
    """

    name: Name
    owner: str
    job: str
    description: str = ""
    depends_on: tuple[str, ...] = ()
    escalation: str = ""
