"""What every page has: its templates, its content security policy, and how foreign text is shown in it."""

import base64
import hashlib
import re
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from sloproof.foreign_text import visible
from sloproof.report import wording
from sloproof.report.svg import element

_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=(?:%|(?:ms|s|min|h|kB|MB|MiB)\b))")
SYMBOLS = {"PASS": "✓", "FAIL": "✗", "UNDECIDED": "?"}


def template_text(name: str) -> str:
    """A file of the templates, as it is."""
    return resources.files("sloproof.report").joinpath("templates", name).read_text(encoding="utf-8")


def policy(style: str, script: str = "") -> str:
    """A content security policy that allows this style sheet, this script, and nothing else.

    Args:
        style: the text of the style sheet.
        script: the text of the script; empty for none at all.
    """
    sources = f"style-src {_hashed(style)}" + (f"; script-src {_hashed(script)}" if script else "")
    return f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"


def page_environment(*names: str) -> Environment:
    """An environment with these templates, in which foreign text is escaped and nothing can hide."""
    environment = Environment(
        loader=DictLoader({name: template_text(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.globals.update(wording=wording, verdict=verdict_stamp)
    environment.filters["prose"] = prose
    return environment


def prose(sentence: str) -> Markup:
    """A sentence whose literals in backticks are set as code; everything in it is escaped.

    A line may not end between a figure and its unit.
    """
    parts = wording.literals(visible(sentence))
    return Markup("").join(
        element("code", part) if literal else escape(_kept_together(part)) for part, literal in parts
    )


def _kept_together(text: str) -> str:
    return _BEFORE_A_UNIT.sub("\N{NO-BREAK SPACE}", text)


def verdict_stamp(verdict: str, decides: bool = True) -> Markup:
    """A verdict in its colour, with a symbol for those who see none."""
    symbol = element("span", SYMBOLS[verdict], **{"aria-hidden": "true"})
    kind = verdict.lower() if decides else "muted"
    return element("span", symbol, Markup(" "), verdict, class_=f"verdict verdict-{kind}")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
