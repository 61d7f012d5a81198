"""The wheel as a user has it: installed without the sources, with and without its extras."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "sloproof"
EXTRAS = {"light": (), "full": ("all",)}
ONLY_WITH_EXTRAS = (
    "locust",
    "gevent",
    "chaoslib",
    "chaostoolkit",
    "starlette",
    "uvicorn",
    "psycopg",
    "psutil",
    "envoy",
)
PATIENCE = 180


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel, and what the wheel asks for."""

    kind: str
    folder: Path

    def run(self, program: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment; nothing of the surrounding one is inherited."""
        return subprocess.run(
            [self.folder / "bin" / program, *words],
            cwd=folder,
            env={"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def say(*command: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(wheel: Distribution, extras: tuple[str, ...]) -> dict[str, Distribution]:
    """Every distribution that installing the wheel brings, by name, out of the environment of these tests."""
    found: dict[str, Distribution] = {}
    waiting = [(wheel, extra) for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        asking, extra = waiting.pop()
        for requirement in map(Requirement, asking.requires or ()):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            found[requirement.name] = distribution(requirement.name)
            further = {(requirement.name, extra) for extra in ("", *requirement.extras)} - seen
            seen |= further
            waiting += [(found[name], extra) for name, extra in further]
    return found


def linked(dependencies: Iterator[Distribution], packages: Path) -> None:
    """Make dependencies importable, and nothing else: a link to each package that they consist of."""
    for dependency in dependencies:
        for name in {file.parts[0] for file in dependency.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(Path(str(dependency.locate_file(name))))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    say(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=EXTRAS)
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Installed:
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    say(sys.executable, "-m", "venv", folder)
    say(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (ours,) = distributions(name="sloproof", path=[str(packages)])
    linked(iter(needed(ours, EXTRAS[request.param]).values()), packages)
    return Installed(request.param, folder)


@pytest.fixture
def workspace(installed: Installed, tmp_path: Path) -> Path:
    made = installed.run("sloproof", "init", "shop", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path / "shop"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    sources = {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert {"sloproof/py.typed", "sloproof/report/templates/report.html"} < held.keys()
    assert {f"sloproof/workspace/template/{name}" for name in ("pyproject.toml", "slo/tasks.py")} < held.keys()
    assert held == sources


def test_the_sources_are_out_of_reach(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("python", "-c", "import sloproof, sys; print(sloproof.__file__, *sys.path)", folder=tmp_path)
    file, *paths = done.stdout.split()
    assert Path(file).is_relative_to(installed.folder)
    assert not [path for path in paths if Path(path).is_relative_to(REPOSITORY)]


def test_a_light_install_brings_no_load_no_chaos_and_no_servers(installed: Installed, tmp_path: Path) -> None:
    seek = f"from importlib.util import find_spec; print(*filter(find_spec, {ONLY_WITH_EXTRAS}))"
    found = installed.run("python", "-c", seek, folder=tmp_path).stdout.split()
    assert found == ([] if installed.kind == "light" else list(ONLY_WITH_EXTRAS))


def test_help_lists_the_commands(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("sloproof", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert {"init", "generate", "check", "demo", "lab", "load", "chaos"} <= set(done.stdout.split())


def test_a_new_workspace_is_clean_and_stays_so(installed: Installed, workspace: Path) -> None:
    for words in (("check",), ("generate", "--check"), ("generate",), ("generate", "--check")):
        done = installed.run("sloproof", *words, folder=workspace)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_objective_is_drift_until_it_is_generated(installed: Installed, workspace: Path) -> None:
    definitions = workspace / "slo" / "tasks.py"
    definitions.write_text(definitions.read_text().replace('objective="99.9"', 'objective="99.5"'))
    drift = installed.run("sloproof", "generate", "--check", folder=workspace)
    assert drift.returncode == 1
    assert "alerts/generated/tasks.rules.yaml" in drift.stdout
    assert installed.run("sloproof", "generate", folder=workspace).returncode == 0
    assert installed.run("sloproof", "generate", "--check", folder=workspace).returncode == 0


def test_what_needs_an_extra_says_which(installed: Installed, workspace: Path) -> None:
    if installed.kind == "full":
        pytest.skip("a full install has every extra")
    needs = {
        ("lab", "up"): "lab",
        ("load", "run", "steady"): "load",
        ("chaos", "run", "slow-backend"): "load,chaos",
        ("demo", "--no-open"): "load,chaos,lab",
    }
    for words, extras in needs.items():
        done = installed.run("sloproof", *words, folder=workspace)
        assert done.returncode == 6, done.stdout + done.stderr
        assert f'hint: run `pip install "sloproof[{extras}]"`' in done.stderr
    assert not (workspace / ".sloproof").exists()
