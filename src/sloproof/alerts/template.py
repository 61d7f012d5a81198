"""Text that Prometheus expands when an alert fires: queries that are meant, and braces that are not."""

from collections.abc import Sequence

from sloproof.promql import Expression, quote

PER_CENT = 'humanizePercentage | reReplaceAll "%" " %"'
"""The form that shows a ratio as all our sentences do: `1.44 %`."""


def literal(text: str) -> str:
    """Somebody's free text as Prometheus will show it: braces in it stay braces.

    Args:
        text: an owner, a sentence, a step; anything.

    Returns:
        The text for a label or an annotation, both of which Prometheus expands as templates.
    """
    return text.replace("{{", '{{ "{{" }}')


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
