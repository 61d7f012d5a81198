"""Whatever objective the constructors accept, promtool accepts its rules, and they say the same every time."""

import re
import subprocess
import tempfile
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sloproof.alerts import DEFAULT_POLICY, Links, RuleGroup, Timing, base_group, burn_groups, rules_yaml
from sloproof.alerts.rule_tests import rule_tests
from sloproof.lab import parts_apt
from sloproof.lab.parts import find
from sloproof.promql import quote
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

pytestmark = pytest.mark.integration
PARTS = Path(__file__).parents[2] / ".sloproof" / "parts"
CLOCKS = (
    Timing(),
    Timing(scale=120, scrape=timedelta(milliseconds=500)),
    Timing(scale=7, scrape=timedelta(seconds=5), evaluation=timedelta(seconds=15)),
)
NASTY = (
    *(
        '"',
        "'",
        "`",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\x00",
        "\x7f",
        "{",
        "}",
        "{{",
        "}}",
        "{{ .Bad",
        "{{ $value }}",
        "{{end}}",
    ),
    *(
        "%",
        "%s",
        "$1",
        "${HOME}",
        "#",
        ": ",
        "- ",
        "? ",
        "|",
        ">",
        "&a",
        "*a",
        "!!python/object:os.system",
        "---",
        "...",
    ),
    *(
        "ção",
        "日本語",
        "\u2028",
        "\u0085",
        "\ufeff",
        "🔥",
        "\u202e",
        "~",
        "null",
        "yes",
        "0x1",
        "1e3",
        "",
        " ",
        "5..",
        ".*",
    ),
)
PATTERNS = (
    "5..",
    "5..|4..",
    "(?i)get",
    "[[:digit:]]+",
    r"\d{3}",
    r"\pL+",
    ".*",
    ".+",
    "",
    "a|",
    "(?:x)",
    r"\Qa.b\E",
    "[^5]..",
)
KEYWORDS = ("sum", "rate", "by", "on", "offset", "bool", "inf", "nan", "and", "le", "start", "group_left", "ignoring")


def sentences() -> st.SearchStrategy[str]:
    """Words that Prometheus' templates leave alone."""
    return words().filter(lambda text: "{{" not in text)


def words() -> st.SearchStrategy[str]:
    """Text as people and attackers write it."""
    return st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)), max_size=4).map("".join)


names = st.from_regex(r"[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
metrics = st.one_of(st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,20}", fullmatch=True), st.sampled_from(KEYWORDS))
labels = st.one_of(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True), st.sampled_from(KEYWORDS))
literals = st.one_of(words().map(quote), words().map(lambda text: f"'{text}'"), words().map(lambda text: f"`{text}`"))
equalities = st.tuples(labels, st.sampled_from(("=", "!=")), literals)
expressions = st.tuples(
    labels, st.sampled_from(("=~", "!~")), st.one_of(st.sampled_from(PATTERNS).map(quote), literals)
)
matchers = st.lists(st.one_of(equalities, expressions).map("".join), max_size=3).map(",".join)
selectors = st.tuples(metrics, matchers).map(lambda parts: f"{parts[0]}{{{parts[1]}}}" if parts[1] else parts[0])
objectives = st.one_of(
    st.decimals("0.0001", "99.9999", places=4),
    st.integers(1, 9).map(lambda nines: Decimal(100) - Decimal(1).scaleb(-nines)),
    st.sampled_from((Decimal(1), Decimal(50), Decimal("1E+1"), Decimal("99.90"), Decimal("1E-9"))),
)
windows = st.sampled_from(
    ({"window": "7d"}, {"window": "28d"}, {"window": "90d"}, {"calendar": "month"}, {"calendar": "quarter"})
)


@st.composite
def objectives_of_anybody(draw: st.DrawFn) -> SLO:
    """An objective, where the constructors take what was drawn."""
    try:
        service = Service(
            name=draw(names),
            owner=draw(sentences()),
            job=draw(words()),
            description=draw(words()),
            escalation=draw(words()),
        )
        indicator: Any = (
            ErrorRatio(
                errors=draw(selectors), total=draw(selectors), good=draw(sentences()), born_late=draw(st.booleans())
            )
            if draw(st.booleans())
            else LatencyBelow(
                timedelta(milliseconds=draw(st.integers(1, 100_000))),
                histogram=draw(selectors),
                unit=draw(st.sampled_from(("seconds", "milliseconds"))),
            )
        )
        return SLO(
            service=service,
            name=draw(names),
            objective=draw(objectives),
            sli=indicator,
            **draw(windows),
            description=draw(words()),
        )
    except ValidationError:
        reject()


batches = st.lists(objectives_of_anybody(), min_size=1, max_size=8, unique_by=lambda slo: slo.identity)
thorough = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
"""Each example starts a promtool; a busy machine is no failure."""


@pytest.fixture(scope="module")
def promtool() -> Path:
    parts_apt.install(PARTS, print)
    return find("promtool", PARTS)


def groups_of(slos: list[SLO], timing: Timing) -> list[RuleGroup]:
    links = Links(runbook="https://runbooks.example.org/{alert}?a=b#{alert}", dashboard="/d/{uid}")
    return [
        group for slo in slos for group in (base_group(slo, timing), *burn_groups(slo, DEFAULT_POLICY, timing, links))
    ]


def check_rules(promtool: Path, slos: list[SLO], timing: Timing) -> "subprocess.CompletedProcess[str]":
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", newline="") as file:
        file.write(rules_yaml(groups_of(slos, timing)))
        file.flush()
        return subprocess.run(
            [promtool, "check", "rules", file.name], capture_output=True, text=True, timeout=60, check=False
        )


@given(slos=batches, timing=st.sampled_from(CLOCKS))
@thorough
def test_promtool_accepts_the_rules_of_every_accepted_objective(
    promtool: Path, slos: list[SLO], timing: Timing
) -> None:
    said = check_rules(promtool, slos, timing)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("text", ["{{ .Bad", "answered {{ quickly }}", "}} {{ end }}"])
def test_braces_in_a_definition_are_no_template(promtool: Path, text: str) -> None:
    service = Service(name="shop", owner=text, job="shop")
    slo = SLO(
        service=service, name="availability", objective="99.9", sli=ErrorRatio(errors="bad", total="all", good=text)
    )
    assert check_rules(promtool, [slo], CLOCKS[0]).returncode == 0


@given(slos=batches, timing=st.sampled_from(CLOCKS))
@thorough
def test_yaml_reads_back_the_same_and_the_bytes_are_the_same(slos: list[SLO], timing: Timing) -> None:
    groups = groups_of(slos, timing)
    text = rules_yaml(groups)
    assert yaml.safe_load(text) == {"groups": [group.document() for group in groups]}
    again = [slo.model_copy(deep=True) for slo in slos]
    assert rules_yaml(groups_of(again, timing)) == text


@given(objective=objectives)
@settings(deadline=None)
def test_the_budget_is_exactly_what_the_objective_leaves(objective: Decimal) -> None:
    service = Service(name="shop", owner="shop team", job="shop")
    sli = ErrorRatio(errors="failed_total", total="all_total")
    slo = SLO(service=service, name="availability", objective=str(objective), sli=sli)
    assert Fraction(slo.budget) == 1 - Fraction(objective) / 100


@given(slo=objectives_of_anybody())
@thorough
def test_rule_tests_are_whole_or_refused_in_words(slo: SLO) -> None:
    said, files = "", {}
    try:
        files = rule_tests(slo.service.name, [(slo, DEFAULT_POLICY)])
    except (ValueError, re.error) as error:
        said = str(error)
    assert said or all(yaml.safe_load(text)["tests"] for text in files.values())
