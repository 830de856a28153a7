"""What a killed process leaves beside a result is removed by the next run of that result, and nothing else is."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demottle.io.output import staged
from demottle.io.workplace import remove_leftovers, workplace

_DIES = """
import os, signal, sys
from pathlib import Path
from demottle.io.output import staged
final = Path(sys.argv[1])
with staged(final, overwrite=True) as part:
    part.mkdir()
    (part / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

_DIES_WHILE_REPLACING = """
import os, signal, sys
from pathlib import Path
from demottle.io.output import staged
real = Path.rename
def rename(self, target):
    result = real(self, target)
    os.kill(os.getpid(), signal.SIGKILL)  # the old result has just been moved aside
    return result
Path.rename = rename
final = Path(sys.argv[1])
with staged(final, overwrite=True) as part:
    part.mkdir()
    (part / "new").write_text("new")
"""


def killed(program: str, final: Path) -> None:
    done = subprocess.run([sys.executable, "-c", program, str(final)], check=False)
    assert done.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_run_of_an_output_removes_what_a_killed_one_left_and_only_that(tmp_path):
    killed(_DIES, tmp_path / "out")
    killed(_DIES, tmp_path / "out")
    killed(_DIES, tmp_path / "other")
    assert len(names(tmp_path)) == 2  # the second of "out" removed the first
    with staged(tmp_path / "out") as part:
        part.write_text("whole")
    left = names(tmp_path)
    assert "out" in left and len(left) == 2
    assert next(name for name in left if name != "out").startswith(".other.")


def test_an_old_result_that_a_killed_run_had_moved_aside_comes_back(tmp_path):
    final = tmp_path / "out"
    final.mkdir()
    (final / "old").write_text("old")
    killed(_DIES_WHILE_REPLACING, final)
    assert not final.exists()
    remove_leftovers(final)
    assert names(tmp_path) == ["out"]
    assert (final / "old").read_text() == "old"


def test_what_a_living_run_is_writing_is_left_alone(tmp_path):
    final = tmp_path / "out"
    with workplace(final) as mine:
        (mine / "half").write_text("half")
        remove_leftovers(final)
        with workplace(final) as another:
            assert another != mine
        assert (mine / "half").read_text() == "half"
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["a[1]*", "ü" * 60, "x" * 200, "two\nlines", "a.b"])
def test_any_name_of_a_result_will_do(tmp_path, name):
    killed(_DIES, tmp_path / name)
    assert len(names(tmp_path)) == 1
    remove_leftovers(tmp_path / name)
    assert names(tmp_path) == []


def test_a_name_that_begins_like_another_is_another(tmp_path):
    killed(_DIES, tmp_path / "out.extra")
    remove_leftovers(tmp_path / "out")
    left = names(tmp_path)
    remove_leftovers(tmp_path / "out.extra")
    assert len(left) == 1 and names(tmp_path) == []
