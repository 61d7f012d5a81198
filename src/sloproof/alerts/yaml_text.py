"""YAML, written as PyYAML writes it, byte for byte, in a third of its time.

Rules are maps, lists and short texts. PyYAML makes a node object of each before it writes the first byte, which was
40 % of the time that generating a thousand objectives took. Here the plain texts are written straight away; a text that
needs quotes is still given to PyYAML, and so is a whole document that holds something unusual.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import yaml

_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/(")
"""Plain texts may start with more characters; these have no second meaning, and start no number."""
_QUOTED_FIRST = frozenset("{[}],\"'%@`&*!|>#")
"""What no plain text starts with."""
_RESOLVED = frozenset(("yes", "no", "true", "false", "on", "off", "null"))
"""Plain texts that YAML would read as something else."""
_LONGEST_RESOLVED = max(map(len, _RESOLVED))
_LONGEST_KEY = 100
"""PyYAML writes keys above 128 characters in another form."""

_SHORT = 80


class _Unusual(Exception):
    """Something that only PyYAML writes well."""


def to_yaml(document: Any) -> str:
    """YAML in the order given, long lines left whole, Unicode as it is.

    Args:
        document: maps, lists, texts, numbers and None.
    """
    try:
        if isinstance(document, Mapping) and document:
            out: list[str] = []
            _write_map(document, "", out)
            return "".join(out)
    except _Unusual:
        pass
    return _dumped(document)


def _dumped(document: Any) -> str:
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=10**6))


def _write_map(value: Mapping[Any, Any], indent: str, out: list[str]) -> None:
    """A map that is not empty; the caller has written what stands before its first key."""
    lead = ""
    for key, inside in value.items():
        if type(inside) is str:
            text = _short(inside) if len(inside) < _SHORT else _text(inside)
            out.append(f"{lead}{_key(key)}: {text}\n")
        else:
            out.append(f"{lead}{_key(key)}:")
            deeper = f"{indent}  " if isinstance(inside, Mapping) else indent  # PyYAML does not indent lists
            _write_value(inside, f"\n{deeper}", deeper, out)
        lead = indent


def _write_list(value: Iterable[Any], indent: str, out: list[str]) -> None:
    """A list that is not empty; the caller has written what stands before its first dash."""
    lead = ""
    for inside in value:
        out.append(f"{lead}-")
        _write_value(inside, " ", f"{indent}  ", out)
        lead = indent


def _write_value(value: Any, before: str, indent: str, out: list[str]) -> None:
    if isinstance(value, Mapping) and value:
        out.append(before)
        _write_map(value, indent, out)
    elif isinstance(value, list | tuple) and value:
        out.append(before)
        _write_list(value, indent, out)
    else:
        out.append(f" {_scalar(value)}\n")


@lru_cache(maxsize=4096)
def _key(key: Any) -> str:
    if not isinstance(key, str) or len(key) > _LONGEST_KEY or not key.isascii():
        raise _Unusual
    return _scalar(key)


def _scalar(value: Any) -> str:
    if type(value) is str:
        return _text(value)
    if isinstance(value, Mapping | list | tuple):
        return _by_itself(value)
    return _other(value.__class__, value)


@lru_cache(maxsize=16384)  # labels say the same again and again
def _short(value: str) -> str:
    return _text(value)


def _text(value: str) -> str:
    """A text as it is, or in single quotes, where it is certain that PyYAML would write it so."""
    if value and value.isascii() and value.isprintable():
        splits = ": " in value or " #" in value
        if value[0] in _FIRST and not splits and "  " not in value and value[-1] not in ": ":
            return value if len(value) > _LONGEST_RESOLVED or value.lower() not in _RESOLVED else f"'{value}'"
        if splits or value[0] in _QUOTED_FIRST:
            return "'" + value.replace("'", "''") + "'"
    return _other(str, value)


@lru_cache(maxsize=16384)
def _other(kind: Any, value: Any) -> str:
    """One scalar as PyYAML writes it; the kind is a part of the key, because `1` and `True` are equal."""
    if isinstance(value, str) and not value.isprintable():
        raise _Unusual
    return _by_itself(value)


def _by_itself(value: Any) -> str:
    return _dumped([value]).removeprefix("- ").removesuffix("\n")
