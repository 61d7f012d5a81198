"""Which labels the series of an expression carry, and which operands can therefore never meet.

Prometheus joins only series whose labels are equal, says nothing when none are, and no linter of rules notices.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser

from sloproof.promql.expression import Selector
from sloproof.promql.frame import framed
from sloproof.promql.parsing import matchers_of, selector_of

Labels = Mapping[str, str | None]
"""The labels of a series without its name; a value that only the data decides is None."""

LabelSets = tuple[Labels, ...] | None
"""The label sets that series may have; None where only the data decides which labels there are."""

Known = Callable[[Selector], LabelSets]
"""The label sets of the series that a selector matches; None for series that no rule records."""

_ANY_LABELS = frozenset({"label_replace", "label_join", "info"})
_SCALARS = frozenset({"scalar", "time", "pi"})
_COMPARISONS_AND_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<="})
_SETS = frozenset({"and", "unless"})
_JOINS = _SETS | _COMPARISONS_AND_ARITHMETIC | {"or"}


@dataclass(frozen=True)
class Unmatched:
    """An operator whose operands have no labels in common.

    Args:
        operator: as it is written.
        left: the labels of the left operand's first series.
        right: the labels of the right operand's first series.
    """

    operator: str
    left: Labels
    right: Labels


@dataclass(frozen=True)
class Joined:
    """How an expression puts series together.

    Args:
        sets: the labels that its own series carry.
        unmatched: every operator that joins series whose labels can never be equal, from the outermost inwards;
            operands whose labels only the data decides are left out.
        selectors: what it reads; one without a metric's name may read any series.
    """

    sets: LabelSets
    unmatched: tuple[Unmatched, ...]
    selectors: tuple[Selector, ...]


def joined(text: str, known: Known) -> Joined:
    """What becomes of labels in an expression.

    Expressions that differ only in the values of labels come to the same, so each kind is worked out once.

    Args:
        text: PromQL.
        known: the labels of recorded series.

    Raises:
        ValueError: the text is not PromQL.
    """
    frame, selectors = _apart(text)
    numbers: dict[str, int] = {}
    sets = tuple([_hidden(known(selector), numbers) for selector in selectors])
    equal = tuple([_hidden((_equal_labels(one),), numbers) for one in selectors]) if "absent" in frame else ()
    found, mismatches = _of_frame(frame, sets, equal)
    values = list(numbers)
    return Joined(
        sets=None if found is None else tuple([_shown(one, values) for one in found]),
        unmatched=tuple(
            Unmatched(one.operator, _shown(one.left, values), _shown(one.right, values)) for one in mismatches
        ),
        selectors=selectors,
    )


def label_sets(text: str, known: Known) -> LabelSets:
    """The labels that an expression's series carry; as `joined`."""
    return joined(text, known).sets


def unmatched(text: str, known: Known) -> tuple[Unmatched, ...]:
    """Every operator of an expression that joins series whose labels can never be equal; as `joined`.

    `or` is among them: it then mixes series of two kinds, and what comes after it drops one kind.
    """
    return joined(text, known).unmatched


_Hidden = tuple[tuple[tuple[str, int | None], ...], ...] | None
"""Label sets that have numbers for values: only which values are equal matters to what becomes of the labels."""


def _hidden(sets: LabelSets, numbers: dict[str, int]) -> _Hidden:
    """Label sets with the values' numbers, which are given in the order of their first appearance."""
    if sets is None:
        return None
    return tuple(
        [
            tuple(
                [
                    (label, None if value is None else numbers.setdefault(value, len(numbers)))
                    for label, value in one.items()
                ]
            )
            for one in sets
        ]
    )


def _mappings(hidden: _Hidden) -> LabelSets:
    """Hidden label sets as they are worked with; a number is the text of a value."""
    if hidden is None:
        return None
    return tuple({label: None if number is None else str(number) for label, number in one} for one in hidden)


def _shown(one: Labels, values: list[str]) -> Labels:
    """Labels with the values that their numbers stand for."""
    return {label: None if number is None else values[int(number)] for label, number in one.items()}


def _apart(text: str) -> tuple[str, tuple[Selector, ...]]:
    """An expression's frame, and the selectors that stand where those of the frame are; itself where it has none."""
    frame, braces = framed(text)
    try:
        return frame, tuple(
            [
                selector if number is None else _selector(selector.metric, braces[number])
                for selector, number in numbered_selectors(frame)
            ]
        )
    except ValueError:  # a metric's name inside the braces, for one
        return text, _selectors(text)


@lru_cache(maxsize=4096)
def numbered_selectors(frame: str) -> tuple[tuple[Selector, int | None], ...]:
    """The selectors of a frame, and the number of their matchers; None where they have none.

    Args:
        frame: as `framed` leaves it.
    """
    return tuple((one, int(one.matchers[0].value) if one.matchers else None) for one in _selectors(frame))


@lru_cache(maxsize=4096)
def _selector(metric: str, braces: str) -> Selector:
    return Selector(metric, matchers_of(braces))


@lru_cache(maxsize=4096)
def _selectors(frame: str) -> tuple[Selector, ...]:
    """Each selector once, in the order of the tree."""
    found = (node for node in _nodes(promql_parser.parse(frame)) if isinstance(node, promql_parser.VectorSelector))
    return tuple(dict.fromkeys(selector_of(node) for node in found))


@lru_cache(maxsize=4096)
def _of_frame(
    frame: str, sets: tuple[_Hidden, ...], equal: tuple[_Hidden, ...]
) -> tuple[LabelSets, tuple[Unmatched, ...]]:
    """The label sets of a frame's series and its mismatches; the values of all labels are hidden."""
    selectors = _selectors(frame)
    found = {selector: _mappings(one) for selector, one in zip(selectors, sets, strict=True)}
    required = {one: _mappings(labels) or () for one, labels in zip(selectors, equal, strict=False)}
    tree, known = promql_parser.parse(frame), _Reading(found, required)
    joins = (node for node in _nodes(tree) if isinstance(node, promql_parser.BinaryExpr))
    mismatches = (_mismatch(node, known) for node in joins)
    return _sets(tree, known), tuple(one for one in mismatches if one is not None)


@dataclass(frozen=True)
class _Reading:
    """What is known of the selectors of a frame: the labels of their series, and those that they demand."""

    found: Mapping[Selector, LabelSets]
    required: Mapping[Selector, tuple[Labels, ...]]


def _equal_labels(selector: Selector) -> Labels:
    return {m.label: m.value for m in selector.matchers if m.operator == "="}


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for name in ("lhs", "rhs", "param", "expr", "vector_selector"):
        below = getattr(node, name, None)
        if below is not None and not isinstance(below, str):
            yield from _nodes(below)
    for argument in getattr(node, "args", None) or ():
        yield from _nodes(argument)


def _sets(node: Any, known: _Reading) -> LabelSets:
    if isinstance(node, promql_parser.VectorSelector):
        return known.found[selector_of(node)]
    if isinstance(node, promql_parser.MatrixSelector):
        return _sets(node.vector_selector, known)
    if isinstance(node, promql_parser.Call):
        return _of_call(node, known)
    if isinstance(node, promql_parser.AggregateExpr):
        return _of_aggregation(node, known)
    if isinstance(node, promql_parser.BinaryExpr):
        return _of_binary(node, known)
    below = getattr(node, "expr", None)
    return None if below is None else _sets(below, known)


def _of_call(node: Any, known: _Reading) -> LabelSets:
    name = str(node.func.name)
    if name in _ANY_LABELS:
        return None
    if name == "vector":
        return ({},)
    if name.startswith("absent"):
        selectors = [selector_of(one) for one in _nodes(node) if isinstance(one, promql_parser.VectorSelector)]
        return (dict(pair for one in selectors for labels in known.required[one] for pair in labels.items()),)
    vectors = [argument for argument in node.args if not _is_scalar(argument)]
    sets = _sets(vectors[-1], known) if vectors else ({},)
    return _without(sets, {"le"}) if name.startswith("histogram_") else sets


def _of_aggregation(node: Any, known: _Reading) -> LabelSets:
    sets, operator = _sets(node.expr, known), str(node.op)
    if operator in ("topk", "bottomk", "limitk", "limit_ratio"):
        return sets
    if operator == "count_values":
        return None
    if node.modifier is None:
        return ({},)
    labels = set(node.modifier.labels)
    if node.modifier.type == promql_parser.AggModifierType.Without:
        return _without(sets, labels)
    return (dict.fromkeys(sorted(labels)),) if sets is None else _only(sets, labels)


def _of_binary(node: Any, known: _Reading) -> LabelSets:
    left, right, operator = _sets(node.lhs, known), _sets(node.rhs, known), str(node.op)
    if _is_scalar(node.lhs):
        return right
    if _is_scalar(node.rhs) or operator in _SETS:
        return left
    if operator == "or":
        return None if left is None or right is None else left + right
    card, included = node.modifier.card if node.modifier else None, node.modifier.group_labels if node.modifier else []
    if card == promql_parser.VectorMatchCardinality.ManyToOne:
        return _with(left, included or [])
    if card == promql_parser.VectorMatchCardinality.OneToMany:
        return _with(right, included or [])
    return _compared(left, node)


def _mismatch(node: Any, known: _Reading) -> Unmatched | None:
    operator = str(node.op)
    if operator not in _JOINS or _is_scalar(node.lhs) or _is_scalar(node.rhs):
        return None
    left, right = _compared(_sets(node.lhs, known), node), _compared(_sets(node.rhs, known), node)
    if not left or not right or any(_equal(one, other) for one in left for other in right):
        return None
    return Unmatched(operator, left[0], right[0])


def _compared(sets: LabelSets, node: Any) -> LabelSets:
    """What `on` or `ignoring` leaves to compare."""
    matching = node.modifier.matching if node.modifier else None
    if matching is None:
        return sets
    if matching.type == promql_parser.LabelModifierType.Include:
        return _only(sets, set(matching.labels))
    return _without(sets, set(matching.labels))


def _equal(one: Labels, other: Labels) -> bool:
    return one.keys() == other.keys() and all(
        value is None or other[label] is None or value == other[label] for label, value in one.items()
    )


def _is_scalar(node: Any) -> bool:
    if isinstance(node, promql_parser.NumberLiteral | promql_parser.StringLiteral):
        return True
    if isinstance(node, promql_parser.Call):
        return str(node.func.name) in _SCALARS
    if isinstance(node, promql_parser.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    if isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        return _is_scalar(node.expr)
    return False


def _only(sets: LabelSets, labels: set[str]) -> LabelSets:
    return None if sets is None else tuple({k: v for k, v in one.items() if k in labels} for one in sets)


def _without(sets: LabelSets, labels: set[str]) -> LabelSets:
    return None if sets is None else tuple({k: v for k, v in one.items() if k not in labels} for one in sets)


def _with(sets: LabelSets, labels: list[str]) -> LabelSets:
    return None if sets is None else tuple({**one, **dict.fromkeys(labels)} for one in sets)
