"""Text that Prometheus expands when an alert fires: queries that are meant, and braces that are not."""

from collections.abc import Sequence

from sloproof.promql import Expression, Number, call, quote

PER_CENT = 'humanizePercentage | reReplaceAll "%" " %"'
"""The form that shows a ratio as all our sentences do: `1.44 %`."""


VALUE_LEFT = f"{{{{ if lt $value 0.0 }}}}0 %{{{{ else }}}}{{{{ $value | {PER_CENT} }}}}{{{{ end }}}}"
"""The alert's own value, where that is what is left of a budget: nothing less than nothing."""


def literal(text: str) -> str:
    """Somebody's free text as Prometheus will show it: braces in it stay braces.

    Args:
        text: an owner, a sentence, a step; anything.

    Returns:
        The text for a label or an annotation, both of which Prometheus expands as templates.
    """
    return text.replace("{{", '{{ "{{" }}')


def shown(text: str) -> str:
    """What Prometheus makes of `literal` text: the text as its author wrote it.

    Args:
        text: a label or an annotation without a template in it.
    """
    return text.replace('{{ "{{" }}', "{{")


def share_left(left: Expression, by: Sequence[str] = ()) -> str:
    """A template that shows what is left of a budget, and nothing less than nothing: `0 %` where it is overspent.

    Args:
        left: the share that is left, below zero once more is spent than there was.
        by: labels by which the objective is split.
    """
    return queried(call("clamp_min", left, Number(0)), PER_CENT, by)


def queried(expression: Expression, form: str, by: Sequence[str] = ()) -> str:
    """A template that shows an expression's value, or says that it is unknown.

    Args:
        expression: what is asked when the alert fires.
        form: a function of Prometheus's templates, such as `humanizeDuration`.
        by: labels by which the objective is split; of several results the alert's own one is shown. They are
            compared, not pasted into the query, so that no label value can change what is asked.
    """
    text = str(expression)
    asked = f"`{text}`" if "`" not in text else quote(text)  # a raw Go string cannot hold a backquote
    if not by:
        return f"{{{{ with query {asked} }}}}{{{{ . | first | value | {form} }}}}{{{{ else }}}}unknown{{{{ end }}}}"
    own = " ".join(f"(eq .Labels.{label} $labels.{label})" for label in by)
    condition = f"and {own}" if len(by) > 1 else own
    return (
        f'{{{{ $known := "unknown" }}}}{{{{ range query {asked} }}}}{{{{ if {condition} }}}}'
        f"{{{{ $known = .Value | {form} }}}}{{{{ end }}}}{{{{ end }}}}{{{{ $known }}}}"
    )
