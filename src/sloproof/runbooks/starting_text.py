"""What stands in the hand-written sections of a new page: useful to anybody, and to be made one's own."""

from collections.abc import Mapping

from sloproof.runbooks.words import one_line
from sloproof.slo import Service

TO_DO = "<!-- to be written: put your own steps here, then remove this line -->"
"""Marks a section that nobody has made their own; `sloproof check` looks for it."""

_MITIGATION = """First stop the harm, then look for the cause.

1. **Is it us?** A load test, a chaos run or a drill may do this on purpose. `sloproof chaos undo` puts back whatever
   a run has left broken; it is safe to repeat.
2. **Did something change** in the last hour: a release, a setting, a certificate, a dependency? Undo it first, see
   [Rollback](#rollback).
3. **Is it one place?** [Diagnosis](#diagnosis) names the worst ones where there are several. Take a bad instance out of
   the balancer, or restart it.
4. **Is it what they all need?** Check {depends_on}.
5. **Too much load?** Shed what matters least, or add instances.
6. After each step wait as long as [When it is over](#when-it-is-over) says before you try the next."""

_ESCALATION = """Owner: {owner}. {escalation}

Call for help when step 5 did not help, when you are alone for more than 30 minutes, or when data may be lost."""

_ROLLBACK = """Go back to the last release that met this objective; write the commands here, with how long they take and
how to see that they worked."""


def written(service: Service) -> Mapping[str, str]:
    """The starting text by heading.

    Args:
        service: whose page it is.

    Returns:
        Markdown for each hand-written section, each marked as still to be written.
    """
    needs = one_line(", ".join(service.depends_on)) or "the databases, queues and services behind it"
    escalation = f"When they do not answer: {one_line(service.escalation)}." if service.escalation else ""
    texts = {
        "Mitigation": _MITIGATION.format(depends_on=needs),
        "Escalation": _ESCALATION.format(owner=one_line(service.owner), escalation=escalation),
        "Rollback": _ROLLBACK,
    }
    return {heading: f"{TO_DO}\n\n{text}" for heading, text in texts.items()}
