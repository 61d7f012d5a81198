"""How a value reads on its panel: unit, decimals, value mappings, thresholds."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sloproof.report import wording
from sloproof.report.preview import units
from sloproof.report.preview.json_values import mapping, mappings, number, text, whole

_LONGEST_FOR_PATTERN = 1000
_PALETTE = "palette-classic"


@dataclass(frozen=True)
class Step:
    """A threshold: from `value` on, values have this colour; the first step has none."""

    value: float | None
    colour: str


@dataclass(frozen=True)
class Shown:
    """What a reader sees.

    Args:
        text: the words or figures.
        colour: Grafana's name of the colour; empty where none decides.
        known: False where nothing was measured, whatever word stands for that.
    """

    text: str
    colour: str = ""
    known: bool = True


@dataclass(frozen=True)
class Field:
    """How the values of one series or column are shown; names as in Grafana's field options."""

    unit: str
    decimals: int | None
    least: float | None
    most: float | None
    no_value: str
    name: str
    steps: tuple[Step, ...]
    by_share: bool
    mappings: Sequence[Mapping[str, Any]]
    colour_mode: str
    fixed_colour: str
    custom: Mapping[str, Any]

    @property
    def by_palette(self) -> bool:
        """Whether a series' colour is that of its place in the list."""
        return self.colour_mode.startswith("palette")

    def written(self, value: float) -> str:
        """A value in the unit, without mappings."""
        return units.shown(value, self.unit, self.decimals)

    def read(self, value: float | None) -> Shown:
        """A value as its panel shows it.

        Args:
            value: None where nothing was measured; NaN counts as that too.
        """
        missing = value is None or math.isnan(value)
        mapped = _mapped(value, self.mappings)
        if mapped is not None:
            words = text(mapped.get("text")) or (wording.NO_DATA if missing else self._figure(value))
            return Shown(words, text(mapped.get("color")) or self._colour(value), known=not missing)
        if missing:
            return Shown(self.no_value or wording.NO_DATA, known=False)
        return Shown(self._figure(value), self._colour(value))

    def _figure(self, value: float | None) -> str:
        return wording.NO_DATA if value is None else self.written(value)

    def _colour(self, value: float | None) -> str:
        if value is None or math.isnan(value):
            return ""
        return self.fixed_colour if self.colour_mode == "fixed" else self.threshold_colour(value)

    def threshold_colour(self, value: float) -> str:
        """The colour of the highest step that the value reaches; empty without steps."""
        judged = self.share(value) * 100 if self.by_share else value
        reached = [step.colour for step in self.steps if step.value is None or judged >= step.value]
        return reached[-1] if reached else ""

    def share(self, value: float) -> float:
        """How far the value is from the least to the most, ratio of 1, kept within."""
        low, high = self.bounds
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and most, Grafana's defaults where nothing is set."""
        low = 0.0 if self.least is None else self.least
        return low, ((1.0 if self.unit == "percentunit" else 100.0) if self.most is None else self.most)


def field_of(
    defaults: Mapping[str, Any],
    overrides: Sequence[Mapping[str, Any]],
    name: str = "",
    ref: str = "",
    kind: str = "number",
) -> Field:
    """The options of one series or column.

    Args:
        defaults: Grafana's field defaults.
        overrides: Grafana's overrides.
        name: as it is displayed.
        ref: letter of its query.
        kind: `number`, `string` or `time`.
    """
    options = {**defaults, "custom": dict(mapping(defaults.get("custom")))}
    for override in overrides:
        if _matches(mapping(override.get("matcher")), name, ref, kind):
            for one in mappings(override.get("properties")):
                _set(options, text(one.get("id")), one.get("value"))
    thresholds, colour = mapping(options.get("thresholds")), mapping(options.get("color"))
    decimals = number(options.get("decimals"))
    return Field(
        unit=text(options.get("unit")),
        decimals=None if decimals is None else whole(decimals, 0),
        least=number(options.get("min")),
        most=number(options.get("max")),
        no_value=text(options.get("noValue")),
        name=text(options.get("displayName")) or text(options.get("displayNameFromDS")),
        steps=tuple(_steps(mappings(thresholds.get("steps")))),
        by_share=thresholds.get("mode") == "percentage",
        mappings=mappings(options.get("mappings")),
        colour_mode=text(colour.get("mode"), "thresholds" if thresholds.get("steps") else _PALETTE),
        fixed_colour=text(colour.get("fixedColor")),
        custom=mapping(options.get("custom")),
    )


def _set(options: dict[str, Any], path: str, value: Any) -> None:
    if path.startswith("custom."):
        options["custom"][path.removeprefix("custom.")] = value
    elif path:
        options[path] = value


def _matches(matcher: Mapping[str, Any], name: str, ref: str, kind: str) -> bool:
    wanted = text(matcher.get("options"))
    match text(matcher.get("id")):
        case "byName":
            return name == wanted
        case "byRegexp":
            return found(wanted, name)
        case "byFrameRefID":
            return ref == wanted
        case "byType":
            return kind == wanted
        case "byNames":
            return name in mapping(matcher.get("options")).get("names", [])
    return False


def _steps(given: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    for index, raw in enumerate(given):
        value = number(raw.get("value"))
        yield Step(None if index == 0 and value is None else (value or 0.0), text(raw.get("color"), "text"))


def found(pattern: str, words: str) -> bool:
    """Whether a pattern of Grafana's, `/text/` or `text`, is found in the words; a broken one never is."""
    bare = pattern[1:-1] if len(pattern) > 1 and pattern[0] == pattern[-1] == "/" else pattern
    try:
        return re.search(bare, words[:_LONGEST_FOR_PATTERN]) is not None
    except re.error:
        return False


def read_text(words: str, field: Field) -> Shown:
    """A text as its panel shows it: value mappings apply to texts too."""
    for one in field.mappings:
        options = mapping(one.get("options"))
        result: Mapping[str, Any] = {}
        if one.get("type") == "value":
            result = mapping(options.get(words))
        elif one.get("type") == "regex" and found(text(options.get("pattern")), words):
            result = mapping(options.get("result"))
        if result:
            return Shown(text(result.get("text")) or words, text(result.get("color")))
    return Shown(words)


def _mapped(value: float | None, given: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    for one in given:
        options = mapping(one.get("options"))
        match text(one.get("type")):
            case "value":
                result = options.get(_key(value), options.get(_key(value, short=False)))
            case "range":
                result = options.get("result") if _within(value, options) else None
            case "special":
                result = options.get("result") if _special(value, text(options.get("match"))) else None
            case "regex":
                result = options.get("result") if found(text(options.get("pattern")), _key(value)) else None
            case _:
                result = None
        if isinstance(result, dict):
            return result
    return None


def _key(value: float | None, *, short: bool = True) -> str:
    """A value as Grafana's keys spell it."""
    if value is None or not math.isfinite(value):
        return "null" if value is None else ""
    return str(int(value)) if short and value == int(value) else repr(value)


def _within(value: float | None, options: Mapping[str, Any]) -> bool:
    if value is None or math.isnan(value):
        return False
    low, high = number(options.get("from")), number(options.get("to"))
    return (low is None or value >= low) and (high is None or value <= high)


def _special(value: float | None, match_: str) -> bool:
    null, nan = value is None, value is not None and math.isnan(value)
    return {"null": null, "nan": nan, "null+nan": null or nan, "true": value == 1, "false": value == 0}.get(
        match_, False
    )
