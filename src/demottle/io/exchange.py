"""Several results take their names together: what stood there waits aside, and comes back if anything goes wrong.

No file system renames several things in one step. So what is about to be done is written down first, in every workplace; a
process that is killed halfway leaves that journal, and the next run of any of the results undoes what it had done.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOURNAL, PUBLISHED = ".exchange.json", ".published"


@dataclass(frozen=True)
class Move:
    """What happens to one name.

    Attributes:
        final: the name.
        old: where what stands there waits.
        new: the complete result; None: nothing takes its place.
    """

    final: Path
    old: Path
    new: Path | None = None


def exchange(moves: Sequence[Move], folders: Sequence[Path]) -> None:
    """Put all results in place of what is there; on error, everything is as it was.

    Args:
        moves: one for each name; `old` and `new` lie in `folders`.
        folders: the workplaces. The first is to be removed last: as long as it is there, it says whether all is done.

    Raises:
        OSError: as the system says.
    """
    if not moves:
        return
    if len(moves) == 1 and _is_one_step(moves[0]):
        _put(moves[0])
        return
    for folder in folders:
        _write_journal(moves, folders, folder)
    try:
        for move in moves:
            if os.path.lexists(move.final):
                _set_aside(move)
        for move in moves:
            _put(move)
        (folders[0] / PUBLISHED).touch()
    except BaseException:
        undo(moves)
        raise


def undo(moves: Sequence[Move]) -> None:
    """Bring back what stood at the names before, and take away what came in its place."""
    for move in reversed(moves):
        published = move.new is not None and not os.path.lexists(move.new) and os.path.lexists(move.final)
        if published and (move.final.is_dir() or not os.path.lexists(move.old)):
            assert move.new is not None
            move.final.rename(move.new)
        if not os.path.lexists(move.old):
            continue
        if os.path.lexists(move.final) and not published:  # a second link to the same file
            move.old.unlink()
        else:
            move.old.replace(move.final)


def journal_in(folder: Path) -> tuple[list[Path], list[Move]]:
    """Return the workplaces and moves that a dead process had begun with; nothing where it had not come to that, or was done."""
    try:
        told = json.loads((folder / JOURNAL).read_text())
    except (OSError, ValueError):
        return [], []
    folders = [_absolute(name, folder) for name in told["folders"]]
    if not folders[0].exists() or (folders[0] / PUBLISHED).exists():
        return folders, []
    return folders, [
        Move(_absolute(final, folder), _absolute(old, folder), None if new is None else _absolute(new, folder))
        for final, old, new in told["moves"]
    ]


def _is_one_step(move: Move) -> bool:
    """True where the system itself does it whole or not at all: nothing is there, or a file replaces a file."""
    if move.new is None:
        return False
    return not os.path.lexists(move.final) or (move.new.is_file() and not move.final.is_dir())


def _set_aside(move: Move) -> None:
    """A folder goes; a file stays under its name until the new one replaces it, where the file system knows links."""
    if move.new is not None and move.final.is_file() and not move.final.is_symlink() and move.new.is_file():
        try:
            move.old.hardlink_to(move.final)
            return
        except OSError:
            pass
    move.final.rename(move.old)


def _put(move: Move) -> None:
    if move.new is None:
        return
    if move.new.is_dir():
        move.new.rename(move.final)
    else:
        move.new.replace(move.final)


def _write_journal(moves: Sequence[Move], folders: Sequence[Path], folder: Path) -> None:
    """Names relative to the workplace, so that they hold when a folder above it was renamed."""

    def relative(path: Path | None) -> str | None:
        return None if path is None else os.path.relpath(path, folder)

    told: dict[str, Any] = {
        "folders": [relative(one) for one in folders],
        "moves": [[relative(move.final), relative(move.old), relative(move.new)] for move in moves],
    }
    (folder / JOURNAL).write_text(json.dumps(told))


def _absolute(name: str, folder: Path) -> Path:
    return Path(os.path.normpath(folder.absolute() / name))
