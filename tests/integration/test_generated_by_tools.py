"""What is generated here, as the tools that will read it judge it; and broken on purpose, to see them object."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from sloproof.lab.parts import find
from sloproof.promtool import ENVIRONMENT

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
GENERATED = REPOSITORY / "alerts" / "generated"
RULES = sorted(GENERATED.glob("*.rules.yaml"))
CASES = sorted((REPOSITORY / "alerts" / "tests").glob("*.test.yaml"))
FAST_CASES = REPOSITORY / "alerts" / "tests" / "tasks.minutes.test.yaml"
SLOPROOF = Path(sys.executable).with_name("sloproof")
PATIENCE = 1200
"""Seconds for one promtool, which gives way to all that runs beside it."""
LONGEST_WAIT = 1800
"""Seconds for all that begins before one of them, too."""
BALANCER = 'job="tasks-balancer",envoy_http_conn_manager_prefix="tasks"'
QUIET_CASES = f"""\
rule_files: [../generated/tasks.base.rules.yaml, ../generated/tasks.rules.yaml]
evaluation_interval: 30s
tests:
- name: traffic without a single error is no burn, and not the absence of a figure
  interval: 30s
  input_series:
  - series: envoy_http_downstream_rq_completed{{{BALANCER}}}
    values: 0+300x240
  promql_expr_test:
  - expr: slo:error:ratio_5m{{slo="availability"}}
    eval_time: 1h
    exp_samples: [{{labels: 'slo:error:ratio_5m{{service="tasks",slo="availability"}}', value: 0}}]
  - expr: slo:error_budget:remaining_ratio{{slo="availability"}}
    eval_time: 2h
    exp_samples: [{{labels: 'slo:error_budget:remaining_ratio{{service="tasks",slo="availability"}}', value: 1}}]
- name: no traffic is no burn, and never NaN
  interval: 30s
  input_series:
  - series: envoy_http_downstream_rq_xx{{{BALANCER},envoy_response_code_class="5"}}
    values: 7x240
  - series: envoy_http_downstream_rq_completed{{{BALANCER}}}
    values: 700x240
  promql_expr_test:
  - expr: '{{__name__=~"slo:error:ratio_.*",slo="availability"}}'
    eval_time: 1h
    exp_samples: []
  - expr: ALERTS{{slo="availability"}}
    eval_time: 1h
    exp_samples: []
"""
"""What the generated cases take for granted, because each of them has traffic and an error series."""


def unchanged(rules: str) -> str:
    """The rules as they are."""
    return rules


def no_zero_errors(rules: str) -> str:
    """A service without a single error has no error ratio."""
    return rules.replace(") or (0 * ", ") and (0 * ")


def no_traffic_guard(rules: str) -> str:
    """No traffic becomes NaN."""
    return rules.replace(" > 0)", ")")


def short_window_twice(rules: str) -> str:
    """The fast page looks at its short window only, and comes too early."""
    return rules.replace("slo:error:ratio_1h{", "slo:error:ratio_5m{")


def long_window_twice(rules: str) -> str:
    """The short window is recorded over the long one, so that nothing resolves or fires in time."""
    return rules.replace("[5m]", "[3h]")


def unequal_labels(rules: str) -> str:
    """`and` between series whose labels differ never holds."""
    return re.sub(r"(record: slo:error:ratio_1h\n.*?labels:\n)", r"\1      window: 1h\n", rules, flags=re.DOTALL)


def tenfold_threshold(rules: str) -> str:
    """A page that comes too late, or never."""
    return rules.replace("> 0.0144)", "> 0.144)")


Break = Callable[[str], str]
BREAKS: dict[Break, str] = {
    no_zero_errors: QUIET_CASES,
    no_traffic_guard: QUIET_CASES,
    short_window_twice: FAST_CASES.read_text(),
    long_window_twice: FAST_CASES.read_text(),
    unequal_labels: FAST_CASES.read_text(),
    tenfold_threshold: FAST_CASES.read_text(),
}


Answer = tuple[int, str]
"""A promtool's exit code, and what it said."""


def judge(promtool: Path, cases: Path) -> Answer:
    """What promtool makes of a file of cases; it gives way to whatever runs beside it and has promises to keep."""
    done = subprocess.run(
        ["nice", "-n", "5", promtool, "test", "rules", str(cases)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT | os.environ,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


def copy_of_rules(folder: Path, cases: str, change: Break) -> Path:
    """The generated rules, changed, with cases beside them; the path of the cases."""
    (folder / "generated").mkdir(parents=True)
    (folder / "tests").mkdir()
    before = {path.name: path.read_text() for path in RULES}
    after = {name: change(text) for name, text in before.items()}
    assert change is unchanged or before != after, "this change no longer changes anything"
    for name, text in after.items():
        (folder / "generated" / name).write_text(text)
    (folder / "tests" / "cases.test.yaml").write_text(cases)
    return folder / "tests" / "cases.test.yaml"


@pytest.fixture(scope="module")
def promtool(parts: Path) -> Path:
    return find("promtool", parts)


@pytest.fixture(scope="module")
def judged(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path | Break, Future[Answer]]]:
    """Every promtool run of this module, as many at once as there are cores; they share nothing."""
    folder = tmp_path_factory.mktemp("broken")
    cases: dict[Path | Break, Path] = {path: path for path in CASES}
    cases[unchanged] = copy_of_rules(folder / "unchanged", QUIET_CASES, unchanged)
    cases |= {change: copy_of_rules(folder / change.__name__, text, change) for change, text in BREAKS.items()}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {name: pool.submit(judge, promtool, path) for name, path in cases.items()}
        pool.shutdown(cancel_futures=True)


def run(*command: str | Path, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_there_is_something_to_judge() -> None:
    assert {path.name for path in RULES} >= {"tasks.base.rules.yaml", "tasks.rules.yaml"}
    assert {path.name for path in CASES} >= {"tasks.minutes.test.yaml", "tasks.days.test.yaml"}


def test_promtool_accepts_every_rule_with_all_its_lints(promtool: Path) -> None:
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.name)
def test_every_alert_fires_in_time_and_keeps_quiet_under_its_threshold(
    cases: Path, judged: dict[Path | Break, Future[Answer]]
) -> None:
    code, said = judged[cases].result(LONGEST_WAIT)
    assert code == 0, said


def test_a_service_without_errors_or_without_traffic_is_quiet(judged: dict[Path | Break, Future[Answer]]) -> None:
    code, said = judged[unchanged].result(LONGEST_WAIT)
    assert code == 0, said


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_broken_rules_are_caught(change: Break, judged: dict[Path | Break, Future[Answer]]) -> None:
    code, said = judged[change].result(LONGEST_WAIT)
    assert code == 1, said
    assert "FAILED" in said
    assert "parse error" not in said


def test_amtool_accepts_the_routes(parts: Path) -> None:
    done = run(find("amtool", parts), "check-config", GENERATED / "alertmanager.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_for_a_lab_are_accepted_too(promtool: Path, tmp_path: Path) -> None:
    out = tmp_path / "scaled"
    made = run(SLOPROOF, "generate", "--scale", "120", "--out", out, "--scrape-interval", "500ms")
    assert made.returncode == 0, made.stderr
    scaled = sorted(out.glob("*.rules.yaml"))
    assert [path.name for path in scaled] == [path.name for path in RULES]
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *scaled)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("words", [("check",), ("generate", "--check")], ids=" ".join)
def test_this_workspace_is_clean(words: tuple[str, ...]) -> None:
    done = run(SLOPROOF, *words)
    assert done.returncode == 0, done.stdout + done.stderr
