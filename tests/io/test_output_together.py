"""Scan, page, record and model take their names together: all of the new are there, or none and the old ones restored."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demottle.errors import OutputError
from demottle.io.output import publishing, publishing_in, refuse_existing, staged
from demottle.io.workplace import remove_leftovers

NAMES = ("scan", "report/page.html", "report/run.json", "models/net.safetensors")
FOLDER = "scan"  # a series is a folder, all others are files
STEPS = ("rename", "replace", "hardlink_to", "touch")  # by which names change

KILLED = f"""
import os, signal, sys
from pathlib import Path
from demottle.io.output import publishing
root, step = Path(sys.argv[1]), int(sys.argv[2])
finals = [root / name for name in {NAMES!r}]
count = [0]
def counted(name):
    real = getattr(Path, name)
    def one(self, *args, **kwargs):
        if count[0] == step and armed:
            os.kill(os.getpid(), signal.SIGKILL)
        count[0] += bool(armed)
        return real(self, *args, **kwargs)
    setattr(Path, name, one)
armed = []
for name in {STEPS!r}:
    counted(name)
with publishing(finals, overwrite=True) as at:
    for final, place in at.items():
        if final.name == {FOLDER!r}:
            place.mkdir()
            place = place / "slice.dcm"
        place.write_text("new")
    armed.append(1)
print(count[0])
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == FOLDER:
        path.mkdir()
        path = path / "slice.dcm"
    path.write_text(text)


def held(root: Path) -> dict[str, str]:
    """What each file holds, hidden ones too."""
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def all_of(text: str) -> dict[str, str]:
    return {(f"{name}/slice.dcm" if name == FOLDER else name): text for name in NAMES}


def publish(root: Path, text: str) -> None:
    with publishing([root / name for name in NAMES], overwrite=True) as at:
        for place in at.values():
            write(place, text)


def steps_of(root: Path) -> int:
    """How often a name changes when nothing goes wrong."""
    done = subprocess.run([sys.executable, "-c", KILLED, root, "-1"], capture_output=True, text=True, check=True)
    assert held(root) == all_of("new")
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [False, True], ids=["nothing was there", "earlier results"])
def test_killed_at_any_change_of_a_name(tmp_path: Path, earlier: bool) -> None:
    """SIGKILL before each single step; the next run of any one of the results finds all of the old, or all of the new."""
    before = all_of("old") if earlier else {}
    if earlier:
        publish(tmp_path / "count", "old")
    steps = steps_of(tmp_path / "count")
    assert steps >= len(NAMES) * (1 + earlier)
    seen = set()
    for step in range(steps):
        root = tmp_path / f"{step}"
        root.mkdir()
        if earlier:
            publish(root, "old")
        done = subprocess.run([sys.executable, "-c", KILLED, root, str(step)], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL
        remove_leftovers(root / NAMES[step % len(NAMES)])
        found = held(root)
        assert found in (before, all_of("new")), (step, found)
        seen.add(found == before)
        publish(root, "newest")  # and the next run leaves nothing of the dead one
        assert held(root) == all_of("newest")
    assert True in seen


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let the step of a number fail, once, counted down in the list that is given."""
    left: list[int] = []

    def guard(name: str) -> None:
        real = getattr(Path, name)

        def one(self: Path, *args: object, **kwargs: object) -> object:
            if left:
                left[0] -= 1
                if left[0] == 0:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
            return real(self, *args, **kwargs)

        monkeypatch.setattr(Path, name, one)

    for name in STEPS:
        guard(name)
    yield left


@pytest.mark.parametrize("earlier", [False, True], ids=["nothing was there", "earlier results"])
@pytest.mark.parametrize("step", range(1, 9))
def test_a_failure_at_any_change_of_a_name_leaves_what_was_there(
    tmp_path: Path, earlier: bool, step: int, failing: list[int]
) -> None:
    if earlier:
        publish(tmp_path, "old")
    before = held(tmp_path)
    finals = [tmp_path / name for name in NAMES]
    try:
        with publishing(finals, overwrite=True) as at:
            for place in at.values():
                write(place, "new")
            failing.append(step)
    except OutputError as error:
        assert re.search(r"^\S+ could not be written \(Input/output error\)", str(error))
        assert ".partial" not in str(error)  # the hidden folder is not what a user asked for
        assert held(tmp_path) == before
    else:  # a link that could not be made: the file was moved aside instead; or there are fewer steps
        assert held(tmp_path) == all_of("new")
    failing.clear()
    publish(tmp_path, "newest")
    assert held(tmp_path) == all_of("newest")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, ValueError])
def test_what_fails_before_all_is_written_leaves_what_was_there(tmp_path: Path, failure: type[BaseException]) -> None:
    publish(tmp_path, "old")
    with (
        pytest.raises(failure),
        publishing([tmp_path / NAMES[0], tmp_path / NAMES[1], tmp_path / "more" / "x"], overwrite=True) as at,
    ):
        write(at[tmp_path / NAMES[1]], "new")
        raise failure
    assert held(tmp_path) == all_of("old")
    assert not (tmp_path / "more").exists()


def test_one_wording_for_every_name_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("earlier")
    taken = re.escape(f"{path} exists already; choose another name or add --overwrite (in Python: overwrite=True).")
    for attempt in (
        lambda: staged(path),
        lambda: publishing([None, path]),
        lambda: publishing_in(tmp_path, re.compile("a")),
    ):
        with pytest.raises(OutputError, match=f"^{taken}$"), attempt():  # type: ignore[attr-defined]
            pytest.fail("the work had begun")
    with pytest.raises(OutputError, match=f"^{taken}$"):
        refuse_existing([None, path])


def test_a_full_disk_is_said_of_the_result_and_not_of_its_hidden_folder(tmp_path: Path) -> None:
    finals = [tmp_path / "page.html", tmp_path / "scan"]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = r"^The disk is full \(No space left on device\):"
    with (
        pytest.raises(OutputError, match=f"{said} {finals[1]} was not"),
        publishing(finals) as at,
        staged(at[finals[1]]),
    ):
        raise full
    with pytest.raises(OutputError, match=f"{said} {finals[0]} was not written"), publishing(finals):
        raise full
    with pytest.raises(FileNotFoundError, match=r"No such file .*/absent"), publishing(finals):  # of something else
        (tmp_path / "absent").read_text()
    assert held(tmp_path) == {}


def test_what_is_staged_for_a_result_that_is_published_later_appears_with_it(tmp_path: Path) -> None:
    final = tmp_path / "run"
    with publishing([final]) as at:
        with staged(at[final] / "volumes" / "a.bin") as place:
            place.write_text("new")
        assert held(tmp_path).keys() != {"run/volumes/a.bin"}
        with pytest.raises(OutputError, match=f"^{final}/volumes/a.bin exists already"), staged(place):
            pytest.fail("the work had begun")
    assert held(tmp_path) == {"run/volumes/a.bin": "new"}


def test_two_results_of_one_name_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path)
    finals = [tmp_path / "page.html", None, tmp_path / "other" / "page.html"]
    with (
        pytest.raises(OutputError, match=r"page\.html; choose another name for one of them"),
        publishing(finals),
    ):
        pytest.fail("the work had begun")


def test_a_name_taken_during_the_work_is_not_replaced(tmp_path: Path) -> None:
    finals = [tmp_path / "page", tmp_path / "scan.bin"]
    with pytest.raises(OutputError, match="exists already"), publishing(finals) as at:
        for place in at.values():
            place.write_text("new")
        finals[0].write_text("somebody else's")
    assert held(tmp_path) == {"page": "somebody else's"}


def test_a_file_that_grows_is_replaced_with_the_others_or_not_at_all(tmp_path: Path) -> None:
    table, grown = tmp_path / "table.csv", tmp_path / "history.csv"
    for line in ("one\n", "two\n"):
        with publishing([table], overwrite=line == "two\n", grown=grown) as at:
            write(at[table], line)
            write(at[grown], (grown.read_text() if grown.exists() else "") + line)
    assert grown.read_text() == "one\ntwo\n"
    with pytest.raises(OutputError, match="exists already"), publishing([table], grown=grown):
        raise AssertionError("the table is there")
    with pytest.raises(ZeroDivisionError), publishing([table], overwrite=True, grown=grown) as at:
        write(at[grown], "three\n")
        _ = 1 / 0
    assert grown.read_text() == "one\ntwo\n" and table.read_text() == "two\n"


def test_runs_that_add_to_one_file_wait_for_each_other(tmp_path: Path) -> None:
    grown = tmp_path / "new" / "history.csv"

    def add(line: str) -> None:
        with publishing([], grown=grown) as at:
            earlier = grown.read_text() if grown.exists() else ""
            time.sleep(0.02)
            write(at[grown], earlier + line)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [f"{number}\n" for number in range(8)]))
    assert sorted(grown.read_text().split()) == [str(number) for number in range(8)]


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "page.html"
    folder.mkdir()
    (folder / "precious").write_text("kept")
    with (
        pytest.raises(OutputError, match="is a folder, and a file is to be written there"),
        staged(folder, overwrite=True) as at,
    ):
        at.write_text("page")
    assert held(tmp_path) == {"page.html/precious": "kept"}


def test_nothing_wanted_is_nothing_published(tmp_path: Path) -> None:
    with publishing([None, None]) as at:
        assert dict(at) == {}
    with publishing_in(tmp_path / "new", re.compile("a")):
        pass
    assert held(tmp_path) == {}
