"""Patterns of label matchers, read as Prometheus reads them (RE2), which is not as Python does.

RE2 knows classes by name and by Unicode's categories, and quoted stretches; it knows no look-around and no back
references. A pattern is read into a small tree; from it come an example that it matches, and the same pattern in
Python's spelling.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]
"""Code points, from and to, both included, in order and apart."""

LAST = 0x10FFFF
_DIGIT: Ranges = ((48, 57),)
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_CLASSES = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_NAMED: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ASSERTIONS = {"A": r"\A", "z": r"\Z", "b": r"(?a:\b)", "B": r"(?a:\B)"}
_LIKED = "0aA-_. /:"
_MOST_FOLDED = 4096
"""Ranges up to this size are folded character by character where letters of both cases match."""
_HIGHEST_REPEAT = 1000
_OCTAL, _OCTAL_DIGITS = "01234567", 3


@dataclass(frozen=True)
class Characters:
    """One character out of some."""

    ranges: Ranges


@dataclass(frozen=True)
class Assertion:
    """A place, such as the start of the text, in Python's spelling."""

    python: str


@dataclass(frozen=True)
class Sequence:
    """One after the other."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True)
class Choice:
    """One of them."""

    options: "tuple[Node, ...]"


@dataclass(frozen=True)
class Repeat:
    """A part several times; without an upper bound `most` is None."""

    part: "Node"
    least: int
    most: int | None


Node = Characters | Assertion | Sequence | Choice | Repeat


def example(pattern: str) -> str:
    """A short text that a label pattern matches.

    Args:
        pattern: a regular expression as Prometheus reads it, anchored at both ends.

    Raises:
        ValueError: the pattern cannot be read here, or nothing that it matches was found; the message names it.
    """
    text = _example(_read(pattern))
    if not matches(pattern, text):
        raise ValueError(f"no example found for the pattern `{pattern}`")
    return text


def matches(pattern: str, text: str) -> bool:
    """Whether a label pattern, anchored at both ends, matches a text.

    Raises:
        ValueError: the pattern cannot be read here; the message names it.
    """
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_python(_read(pattern)))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern `{pattern}` is beyond what can be read here: {error}") from None


@lru_cache(maxsize=1024)
def _read(pattern: str) -> Node:
    try:
        return _Reader(pattern).whole()
    except (IndexError, KeyError, ValueError, RecursionError, OverflowError) as error:
        reason = str(error) if type(error) is ValueError else "it ends too early or holds an unknown name"
        raise ValueError(f"the pattern `{pattern}` is beyond what can be read here: {reason}") from None


def _example(node: Node) -> str:
    if isinstance(node, Characters):
        liked = (c for c in _LIKED if any(first <= ord(c) <= last for first, last in node.ranges))
        return next(liked, chr(node.ranges[0][0]) if node.ranges else "")
    if isinstance(node, Sequence):
        return "".join(_example(part) for part in node.parts)
    if isinstance(node, Choice):
        return _example(next((one for one in node.options if _example(one)), node.options[0]))
    if isinstance(node, Repeat):
        most = node.least + 1 if node.most is None else node.most
        return _example(node.part) * max(node.least, min(1, most))
    return ""


def _python(node: Node) -> str:
    if isinstance(node, Characters):
        inside = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in node.ranges)
        return f"[{inside}]" if inside else "(?!)"
    if isinstance(node, Assertion):
        return node.python
    if isinstance(node, Sequence):
        return "".join(_python(part) for part in node.parts)
    if isinstance(node, Choice):
        return f"(?:{'|'.join(_python(option) for option in node.options)})"
    most = "" if node.most is None else node.most
    return f"(?:{_python(node.part)}){{{node.least},{most}}}"


class _Reader:
    """Reads a pattern from left to right; flags are those of the group that is open."""

    def __init__(self, pattern: str) -> None:
        self._left, self._at = pattern, 0
        self._fold = self._dot_all = self._lines = False

    def whole(self) -> Node:
        """The whole pattern."""
        found = self._choice()
        if self._at < len(self._left):
            raise ValueError("a `)` closes nothing")
        return found

    def _choice(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._left) and self._left[self._at] not in "|)":
            if self._take(r"\Q"):
                quoted = self._until(r"\E")  # without an end it would quote the bracket that Prometheus puts after it
                parts += [self._literal(ord(character)) for character in quoted]
                if not quoted:
                    continue
            else:
                part = self._one()
                if part is None:
                    continue
                parts.append(part)
            while (bounds := self._bounds()) is not None:
                parts[-1] = Repeat(parts[-1], *bounds)
        return Sequence(tuple(parts))

    def _one(self) -> Node | None:
        """One character, class, place or group; None for what only sets flags."""
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return Characters(self._class())
        if character == "\\":
            return self._escaped()
        if character in "*+?":
            raise ValueError(f"`{character}` repeats nothing")
        special: dict[str, Node] = {
            ".": Characters(((0, LAST),) if self._dot_all else _without(((10, 10),))),
            "^": Assertion("(?m:^)" if self._lines else r"\A"),
            "$": Assertion("(?m:$)" if self._lines else r"\Z"),
        }
        return special.get(character) or self._literal(ord(character))

    def _group(self) -> Node | None:
        kept = self._fold, self._dot_all, self._lines
        if self._take("?"):
            if self._take("P<") or (self._peek(1) == "<" and self._peek(2)[1:] not in ("=", "!") and self._take("<")):
                self._at = self._left.index(">", self._at) + 1
            elif self._flags():
                return None
        found = self._choice()
        if not self._take(")"):
            raise ValueError("a `(` is not closed")
        self._fold, self._dot_all, self._lines = kept
        return found

    def _flags(self) -> bool:
        """Read `i-s:` or `i-s)`; True when they are for the rest of the enclosing group."""
        on = True
        while True:
            flag = self._next()
            if flag in ":)":
                return flag == ")"
            if flag == "-":
                on = False
            elif flag == "i":
                self._fold = on
            elif flag == "s":
                self._dot_all = on
            elif flag == "m":
                self._lines = on
            elif flag != "U":  # greed does not decide whether a text matches
                raise ValueError(f"`(?{flag}` is no group of RE2")

    def _bounds(self) -> tuple[int, int | None] | None:
        found = re.compile(r"([*+?]|\{(\d{1,4})(,(\d{0,4}))?\})\??").match(self._left, self._at)
        if found is None:
            return None
        self._at = found.end()
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[1])
        if simple is not None:
            return simple
        least = int(found[2])
        most = least if found[3] is None else int(found[4]) if found[4] else None
        if max(least, most or 0) > _HIGHEST_REPEAT or (most is not None and most < least):
            raise ValueError(f"`{found[0]}` is no repetition of RE2")
        return least, most

    def _escaped(self) -> Node:
        letter = self._peek(1)
        if letter in _ASSERTIONS:
            self._next()
            return Assertion(_ASSERTIONS[letter])
        return Characters(self._folded(self._escape()))

    def _escape(self) -> Ranges:
        """What stands after a backslash: a class, or one character."""
        letter = self._next()
        if letter.lower() in _CLASSES:
            ranges = _CLASSES[letter.lower()]
            return _without(ranges) if letter.isupper() else ranges
        if letter in "pP":
            name = self._until("}") if self._take("{") else self._next()
            negated = name.startswith("^") is not (letter == "P")
            ranges = _category(name.removeprefix("^"))
            return _without(ranges) if negated else ranges
        if letter == "x":
            code = int(self._until("}") if self._take("{") else self._next() + self._next(), 16)
            return ((code, code),)
        if letter in _OCTAL:
            digits = letter
            while len(digits) < _OCTAL_DIGITS and self._peek(1) and self._peek(1) in _OCTAL:
                digits += self._next()
            if letter != "0" and len(digits) == 1:
                raise ValueError(f"`\\{letter}` is a back reference, which RE2 has not")
            return ((int(digits, 8),) * 2,)
        if letter in _CONTROLS:
            return ((_CONTROLS[letter],) * 2,)
        if letter.isalnum() and letter.isascii():
            raise ValueError(f"`\\{letter}` is no escape of RE2")
        return ((ord(letter),) * 2,)

    def _class(self) -> Ranges:
        negated, first = self._take("^"), True
        found: list[tuple[int, int]] = []
        while first or not self._take("]"):
            first = False
            if self._take("[:"):
                name = self._until(":]")
                ranges = _NAMED[name.removeprefix("^")]
                found += _without(ranges) if name.startswith("^") else ranges
                continue
            start = self._member()
            if len(start) == 1 and start[0][0] == start[0][1] and self._peek(1) == "-" and self._peek(2) != "-]":
                self._next()
                (_, last), *others = self._member()
                if others or last < start[0][0]:
                    raise ValueError("a range of characters runs backwards")
                start = ((start[0][0], last),)
            found += start
        ranges = self._folded(_merged(found))
        return _without(ranges) if negated else ranges

    def _member(self) -> Ranges:
        character = self._next()
        return self._escape() if character == "\\" else ((ord(character),) * 2,)

    def _literal(self, code: int) -> Characters:
        return Characters(self._folded(((code, code),)))

    def _folded(self, ranges: Ranges) -> Ranges:
        if not self._fold:
            return ranges
        small = [(first, last) for first, last in ranges if last - first <= _MOST_FOLDED]
        both = [chr(code).swapcase() for first, last in small for code in range(first, last + 1)]
        return _merged([*ranges, *((ord(one), ord(one)) for one in both if len(one) == 1)])

    def _next(self) -> str:
        self._at += 1
        return self._left[self._at - 1]

    def _peek(self, count: int) -> str:
        return self._left[self._at : self._at + count]

    def _take(self, text: str) -> bool:
        taken = self._left.startswith(text, self._at)
        self._at += len(text) if taken else 0
        return taken

    def _until(self, end: str) -> str:
        start, self._at = self._at, self._left.index(end, self._at) + len(end)
        return self._left[start : self._at - len(end)]


def _merged(ranges: "list[tuple[int, int]] | Ranges") -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def _without(ranges: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    start = 0
    for first, last in _merged(ranges):
        if start < first:
            found.append((start, first - 1))
        start = last + 1
    return (*found, (start, LAST)) if start <= LAST else tuple(found)


@lru_cache(maxsize=64)
def _category(name: str) -> Ranges:
    """The characters of a general category of Unicode; scripts are not known to Python."""
    if name == "Any":
        return ((0, LAST),)
    if not re.fullmatch("[CLMNPSZ][a-z]?", name):
        raise ValueError(f"`\\p{{{name}}}` is a script of Unicode, and only general categories are known here")
    codes = (code for code in range(LAST + 1) if unicodedata.category(chr(code)).startswith(name))
    return _merged([(code, code) for code in codes])
