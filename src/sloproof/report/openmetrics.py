"""How OpenMetrics text is written: families with their meaning, samples with escaped labels.

Source: OpenMetrics 1.0, section "Text format".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from sloproof.foreign_text import visible

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposition(lines: Iterable[str]) -> str:
    """Lines as a whole text, which ends with `# EOF`."""
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def gauge(
    name: str,
    meaning: str,
    samples: Iterable[tuple[Mapping[str, str], float | None]],
    unit: str = "",
    form: Literal["gauge", "summary"] = "gauge",
) -> Iterator[str]:
    """One family.

    Args:
        name: of the metric, with its unit as a suffix where it has one.
        meaning: one sentence.
        samples: labels and value of each; a value that was not measured leaves its sample out.
        unit: such as `seconds`.
        form: `summary` where the label `quantile` is told, which no gauge may have.
    """
    yield f"# TYPE {name} {form}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {meaning}"
    for labels, value in samples:
        if value is not None:
            told = ",".join(f'{key}="{visible(text).translate(_ESCAPES)}"' for key, text in labels.items())
            yield f"{name}{{{told}}} {value:.12g}"
