"""What `sloproof chaos doctor` says."""

from sloproof.chaos.doctor import Examination, examine, mend
from sloproof.cli import console
from sloproof.cli.interruption import uninterrupted
from sloproof.errors import UndoFailed
from sloproof.workspace import load_workspace

_FOUND = 1


def see_doctor(*, fix: bool) -> int:
    """Look, tell, and put back where that was asked for.

    Args:
        fix: put back what is surely ours.

    Returns:
        The exit code.

    Raises:
        UndoFailed: something is left although it should have been put back.
    """
    workspace = load_workspace()
    found = examine(workspace.state, workspace.settings.targets)
    _tell(found)
    if not found.orphans:
        console.say("nothing was left broken" if not found.going_on else "nothing else was left broken")
        return 0
    if not fix:
        console.say("`sloproof chaos doctor --fix` puts back what is surely ours")
        return _FOUND
    with uninterrupted():
        mend(found.orphans, console.say)
        # What one thing hid, such as a stopped balancer its keys, is seen only now.
        again = examine(workspace.state, workspace.settings.targets).orphans
        left = mend(again, console.say)
    if left:
        raise UndoFailed(
            f"STILL BROKEN: {'; '.join(orphan.what for orphan in left)}",
            hint="; ".join(dict.fromkeys(orphan.mend for orphan in left if orphan.mend)),
        )
    return 0


def _tell(found: Examination) -> None:
    for system, pid in found.going_on:
        console.say(
            f"a chaos run on `{system}` is going on (process {pid or 'unknown'}): what is broken there is its own"
        )
    for sentence in found.passed_over:
        console.say(sentence)
    for orphan in found.orphans:
        console.show(f"{orphan.what}\n  mend: {orphan.mend}")
