"""Every definition is found, every mistake is told once, and nothing of a workspace stays in the interpreter."""

import sys
from pathlib import Path

import pytest

from sloproof.errors import DefinitionError, Problem, UsageError
from sloproof.slo import SLO
from sloproof.workspace import load_workspace

SERVICE = """\
from sloproof import SLO, ErrorRatio, Service

shop = Service(name="shop", owner="shop team", job="shop")
sli = ErrorRatio(errors="failed_total", total="all_total")
"""


def objective(name: str, percent: str = "99.9") -> str:
    return f'SLO(service=shop, name="{name}", objective="{percent}", sli=sli)'


def workspace(root: Path, **files: str) -> Path:
    """A workspace with these files of `slo/`; `chaos__shop` is `chaos/shop.py`."""
    (root / "pyproject.toml").write_text("[tool.sloproof]\n")
    for name, text in files.items():
        folder, _, stem = name.rpartition("__")
        file = root / (folder or "slo") / f"{stem}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return root


def problems(root: Path) -> list[Problem]:
    with pytest.raises(DefinitionError) as caught:
        load_workspace(root)
    return list(caught.value.problems)


def found(root: Path) -> dict[str, str]:
    """Where each objective was found, by its name."""
    return {
        one.definition.name: f"{one.path}:{one.line} {one.variable}"
        for one in load_workspace(root).definitions
        if isinstance(one.definition, SLO)
    }


def test_definitions_are_found_in_lists_tuples_and_dicts(tmp_path: Path) -> None:
    text = SERVICE + (
        f"alone = {objective('alone')}\n"
        f"listed = [{objective('one')}, ({objective('two')},)]\n"
        f'by_route = {{"/buy": {objective("buy")}}}\n'
    )
    assert found(workspace(tmp_path, shop=text)) == {
        "alone": "slo/shop.py:5 alone",
        "one": "slo/shop.py:6 listed[0]",
        "two": "slo/shop.py:6 listed[1][0]",
        "buy": "slo/shop.py:7 by_route['/buy']",
    }


def test_a_definition_under_two_names_is_one(tmp_path: Path) -> None:
    text = SERVICE + f"first = {objective('one')}\nsecond = first\nboth = [first, second]\n"
    other = "from slo import shop\nfrom slo.shop import first as imported\n\nagain = shop.first\n"
    assert list(found(workspace(tmp_path, shop=text, later=other))) == ["one"]


def test_an_equal_definition_elsewhere_is_a_second_one_and_both_places_are_named(tmp_path: Path) -> None:
    text = SERVICE + f"one = {objective('one')}\n"
    (only,) = problems(workspace(tmp_path, shop=text, later="\n" + text))
    assert (only.path, only.line, only.check) == ("slo/shop.py", 5, "definition/duplicate-name")
    assert "`shop/one` is defined twice: here and at slo/later.py:6" in only.what


@pytest.mark.parametrize(
    "broken",
    [
        "shop = Service(name='shop', job='shop')\n",
        "shop = Service(name='Shop', owner='shop team', job='shop')\n",
        "from elsewhere import shop\n",
        "shop = {}['shop']\n",
        "shop = exit(0)\n",
        "shop = Service(\n",
        "  shop = None\n",
    ],
)
def test_what_fails_only_because_of_a_mistake_is_not_told(tmp_path: Path, broken: str) -> None:
    first = "from sloproof import SLO, ErrorRatio, Service\n" + broken
    first += f'sli = ErrorRatio(errors="failed_total", total="all_total")\none = {objective("one")}\ntiers = [one]\n'
    users = "from slo import shop\nfrom slo.shop import one\nfrom sloproof import BurnPolicy\n\n"
    users += "policy = BurnPolicy(tiers=shop.tiers, applies_to=(one,))\nlast = policy.tiers\n"
    told = problems(workspace(tmp_path, shop=first, alerts__shop=users))
    assert len(told) == 1, told
    assert told[0].path == "slo/shop.py"


def test_a_mistake_hides_no_other_one(tmp_path: Path) -> None:
    text = SERVICE + f"one = {objective('one', '100')}\ntwo = {objective('two', '0')}\n"
    other = "from slo import shop\nfirst = shop.one\nsecond = shop.nowhere\nthird = unknown\n"
    told = problems(workspace(tmp_path, shop=text, later=other))
    assert [(one.path, one.line, one.name) for one in told] == [
        ("slo/later.py", 3, "second"),
        ("slo/later.py", 4, "third"),
        ("slo/shop.py", 5, "one"),
        ("slo/shop.py", 6, "two"),
    ]


def test_the_line_is_that_of_the_field_and_of_the_innermost_call(tmp_path: Path) -> None:
    text = SERVICE + 'one = SLO(\n    service=shop,\n    name="one",\n    objective="99",\n    sli=ErrorRatio(\n'
    text += '        errors="sum(",\n        total="all_total",\n    ),\n)\n'
    (only,) = problems(workspace(tmp_path, shop=text))
    assert (only.line, only.name) == (10, "one")
    assert only.what.startswith("`errors`: `sum(` is not PromQL")


def test_a_literal_with_a_semicolon_is_quoted_whole(tmp_path: Path) -> None:
    text = SERVICE + """one = ErrorRatio(errors='rate(a_total{b="c; d"}[5m])', total="all_total")\n"""
    (only,) = problems(workspace(tmp_path, shop=text))
    assert """`rate(a_total{b="c; d"}[5m])`""" in only.what
    assert "give only the metric" in only.hint


def test_what_a_helper_raises_is_told_at_the_line_that_called_it(tmp_path: Path) -> None:
    text = SERVICE + 'def made(name):\n    return SLO(service=shop, name=name, objective="99", sli=sli)\n\n\n'
    text += "good = made('good')\nbad = made('Not good')\n"
    (only,) = problems(workspace(tmp_path, shop=text))
    assert only.name == "bad"
    assert only.line in (6, 10)


def test_imports_work_between_files_whatever_their_order(tmp_path: Path) -> None:
    last = SERVICE + f"one = {objective('one')}\n"
    first = f"from slo.zoo import SLO, shop, sli\n\ntwo = {objective('two')}\n"
    assert sorted(found(workspace(tmp_path, zoo=last, ant=first))) == ["one", "two"]


def test_two_workspaces_with_the_same_file_names_stay_apart(tmp_path: Path) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        root.mkdir()
        workspace(root, shop=SERVICE + f"one = {objective(f'of-{root.name}')}\n", later="from slo.shop import one\n")
    assert [list(found(root)) for root in (*roots, roots[0])] == [["of-a"], ["of-b"], ["of-a"]]


def test_the_interpreter_is_left_as_it_was(tmp_path: Path) -> None:
    modules, finders = set(sys.modules), list(sys.meta_path)
    load_workspace(workspace(tmp_path, shop=SERVICE))
    problems(workspace(tmp_path, shop="import nowhere\n"))
    assert not {name for name in set(sys.modules) - modules if name.split(".")[0] in ("slo", "alerts")}
    assert sys.meta_path == finders


def test_an_unknown_name_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    loaded = load_workspace(workspace(tmp_path, shop=SERVICE + f"one = {objective('one')}\n"))
    with pytest.raises(UsageError, match="no objective `tow`") as caught:
        loaded.named(SLO, "tow")
    assert caught.value.hint == "defined are: `one`"


@pytest.mark.parametrize("folder", ["slo", "slo/deep/er"])
def test_the_workspace_is_found_from_any_folder_below(tmp_path: Path, folder: str) -> None:
    root = workspace(tmp_path, shop=SERVICE)
    (root / folder).mkdir(parents=True, exist_ok=True)
    assert load_workspace(root / folder).root == root.resolve()


def test_a_pyproject_without_our_table_does_not_end_the_search(tmp_path: Path) -> None:
    root = workspace(tmp_path, shop=SERVICE)
    inner = root / "slo" / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nname = "inner"\n')
    assert load_workspace(inner).root == root.resolve()
