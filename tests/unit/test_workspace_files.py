"""Generated files appear whole or not at all, whatever the disk does."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sloproof.errors import PartFailed, Refused
from sloproof.workspace import artifacts, load_workspace, template
from sloproof.workspace.files import Artifact, Change, compare, write, write_file
from sloproof.workspace.scaling import refuse_mixture, scales_in

OLD = {"alerts/generated/a.yaml": "old a\n", "alerts/generated/b.yaml": "old b\n", "runbooks/c.md": "old c\n"}
NEW = [Artifact(path, text.replace("old", "new")) for path, text in OLD.items()]
NOBODY = 65534


def folder_of(root: Path) -> Path:
    for path, text in OLD.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def contents(root: Path) -> dict[str, str]:
    return {file.relative_to(root).as_posix(): file.read_text() for file in root.rglob("*") if file.is_file()}


def in_a_child(work: Callable[[], None]) -> str:
    """What happens to `work` in a process of its own, whose limits and account may be changed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(writing, b"done")
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def as_nobody() -> None:
    """Folders that are closed to everybody else are open to root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def test_what_is_written_is_what_was_compared(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    expected = [Change(path, "changed") for path in OLD]
    assert compare(root, NEW) == expected
    assert write(root, NEW) == expected
    assert compare(root, NEW) == []
    assert contents(root) == {artifact.path: artifact.text for artifact in NEW}


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    big = [*NEW[:2], Artifact(NEW[2].path, "x" * 100_000)]

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        write(root, big)

    said = in_a_child(work)
    assert said.startswith("PartFailed: ")
    assert "c.md` cannot be written: File too large; no file was changed" in said
    assert contents(root) == OLD


def test_a_closed_folder_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    for folder in (root, *root.rglob("*")):
        folder.chmod(0o777)
    (root / "runbooks").chmod(0o555)
    for above in root.parents:
        if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 0o005:
            above.chmod(above.stat().st_mode | 0o005)

    def work() -> None:
        as_nobody()
        write(root, NEW)

    assert "c.md` cannot be written: Permission denied; no file was changed" in in_a_child(work)
    assert contents(root) == OLD


def test_a_file_in_the_place_of_a_folder_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    (root / "dashboards").write_text("a file\n")
    with pytest.raises(PartFailed, match=r"dashboards/generated/d\.json` cannot be read: Not a directory"):
        write(root, [*NEW, Artifact("dashboards/generated/d.json", "{}")])
    assert contents(root) == {**OLD, "dashboards": "a file\n"}


def test_a_folder_in_the_place_of_a_file_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    (root / "runbooks" / "c.md").unlink()
    (root / "runbooks" / "c.md").mkdir()
    with pytest.raises(PartFailed, match=r"c\.md` cannot be read: Is a directory"):
        write(root, NEW)
    assert contents(root) == {path: text for path, text in OLD.items() if path != "runbooks/c.md"}


def test_an_interruption_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of(tmp_path)
    real, calls = os.fsync, 0

    def interrupted_at_the_third(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        real(handle)

    monkeypatch.setattr(os, "fsync", interrupted_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write(root, NEW)
    assert contents(root) == OLD


def test_one_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        write_file(file, "x" * 100_000)

    assert "report.html` cannot be written: File too large" in in_a_child(work)
    assert contents(tmp_path) == {"report.html": "old"}


def test_one_file_over_a_folder_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(PartFailed, match=r"report\.html` cannot be written: Is a directory"):
        write_file(tmp_path / "report.html", "text")
    assert contents(tmp_path) == {}


def test_what_no_definition_implies_any_more_is_removed_and_what_people_wrote_stays(tmp_path: Path) -> None:
    root = folder_of(tmp_path)
    (root / "alerts" / "tests").mkdir()
    (root / "alerts" / "tests" / "mine.test.yaml").write_text("# by hand\n")
    (root / "runbooks" / "Old.md").write_text("kept\n")
    assert write(root, NEW[1:]) == [
        Change("alerts/generated/a.yaml", "stale"),
        Change("alerts/generated/b.yaml", "changed"),
        Change("runbooks/c.md", "changed"),
    ]
    assert sorted(contents(root)) == [
        "alerts/generated/b.yaml",
        "alerts/tests/mine.test.yaml",
        "runbooks/Old.md",
        "runbooks/c.md",
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first workspace, generated."""
    root = tmp_path_factory.mktemp("made") / "workspace"
    template.copy_to(root)
    write(root, implied(root))
    return root


def implied(root: Path) -> list[Artifact]:
    return artifacts.all_artifacts(load_workspace(root), artifacts.read_page(root))


PRINT_ALL = """
import hashlib, sys
from pathlib import Path
from sloproof.workspace import artifacts, load_workspace
root = Path(sys.argv[1])
for artifact in artifacts.all_artifacts(load_workspace(root), lambda path: None):
    print(artifact.path, hashlib.sha256(artifact.text.encode()).hexdigest())
"""


def test_two_processes_write_the_same_bytes(made: Path) -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL, str(made)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for seed, zone in (("1", "UTC"), ("4711", "Asia/Tokyo"), ("99", "America/Bogota"))
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 53


def test_generating_twice_changes_nothing(made: Path) -> None:
    assert compare(made, implied(made)) == []


def test_line_ends_of_windows_in_a_runbook_are_kept(made: Path) -> None:
    page = made / "runbooks" / "TasksLatencyFastBurn.md"
    unix = page.read_bytes()
    windows = unix.replace(b"\n", b"\r\n") + b"\r\n## Our own words\r\n\r\nCall Ana.\r\n"
    page.write_bytes(windows)
    try:
        assert compare(made, implied(made)) == []
        page.write_bytes(windows.replace(b"14.4", b"99.9"))
        assert write(made, implied(made)) == [Change("runbooks/TasksLatencyFastBurn.md", "changed")]
        assert page.read_bytes() == windows
    finally:
        page.write_bytes(unix)


def test_scaled_rules_are_told_from_real_ones(made: Path, tmp_path: Path) -> None:
    real = (made / "alerts" / "generated" / "tasks.rules.yaml").read_text()
    assert scales_in(real) == {1}
    (tmp_path / "tasks.rules.yaml").write_text(real)
    refuse_mixture(tmp_path, 1)
    refuse_mixture(tmp_path / "nowhere", 120)
    with pytest.raises(Refused, match="divided by 1, and these are divided by 120"):
        refuse_mixture(tmp_path, 120)


def test_rules_of_others_are_no_mixture(tmp_path: Path) -> None:
    (tmp_path / "other.rules.yaml").write_bytes(b"groups: []  # caf\xe9\n")
    refuse_mixture(tmp_path, 120)


def test_a_new_workspace_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    with pytest.raises(Refused, match=r"README\.md` exists already; nothing was written"):
        template.copy_to(tmp_path)
    assert contents(tmp_path) == {"README.md": "mine\n"}
