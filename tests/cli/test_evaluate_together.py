"""Table and page of `demottle evaluate` appear together: both are new, or what was there before is."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle
from tests.quality.phantoms import body, ct, noise

from demottle import io
from demottle.image import Image
from demottle.io.workplace import remove_leftovers

KILLED = """
import os, signal, sys
from pathlib import Path
from demottle.cli.results import Results
root, left = Path(sys.argv[1]), int(sys.argv[2])
def counted(name):
    real = getattr(Path, name)
    def one(self, *args, **kwargs):
        global left
        if drawn:
            left -= 1
            if left == -1:
                os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *args, **kwargs)
    setattr(Path, name, one)
drawn = []
for name in ("rename", "replace", "hardlink_to", "touch", "open"):
    counted(name)
def draw(page):
    page.write_text("new page")
    drawn.append(page)
Results(root / "figures.csv", root / "page.html", overwrite=True).write(lambda table: table.write_text("new table"), draw)
print(int(sys.argv[2]) - left)
"""
EARLIER = {"figures.csv": "old table", "page.html": "old page"}


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def lay(folder: Path, names: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in names.items():
        (folder / name).write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [{}, EARLIER], ids=["nothing was there", "earlier results"])
def test_killed_between_the_page_and_the_table(tmp_path: Path, earlier: dict[str, str]) -> None:
    """SIGKILL before each step from the drawn page on; whoever writes one of the two next finds both old or both new."""
    lay(tmp_path / "count", {})
    counted = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "count", "-1"], capture_output=True, check=True)
    new = held(tmp_path / "count")
    assert new.keys() == EARLIER.keys()
    for step in range(int(counted.stdout)):
        folder = tmp_path / f"{step}"
        lay(folder, earlier)
        done = subprocess.run([sys.executable, "-c", KILLED, folder, str(step)], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL
        remove_leftovers(folder / ("page.html" if step % 2 else "figures.csv"))
        assert held(folder) in (earlier, new), step


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A volume and a run of frames, noisy (`in`) and with less noise (`out`)."""
    truth = body(6, 96)
    grain = noise(truth.shape, 20, seed=1)
    frames = np.rint(np.random.default_rng(0).poisson(400, (6, 64, 64))).astype(np.float32)
    for name, left in (("in", 1.0), ("out", 0.5)):
        io.write(ct(np.rint(truth + left * grain)), tmp_path / "ct" / f"{name}.nii.gz")
        run = Image(np.rint(400 + left * (frames - 400)).astype(np.float32), (1 / 15, 1.0, 1.0), "XA", "")
        io.write(run, tmp_path / "xa" / f"{name}.nii.gz")
    return tmp_path


@pytest.mark.parametrize("kind", ["volume", "batch", "run"])
def test_what_fails_between_the_page_and_the_table_leaves_what_was_there(
    kind: str, scans: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = scans / ("xa" if kind == "run" else "ct")
    outputs = ("--batch", folder / "{case}ut.nii.gz") if kind == "batch" else (folder / "out.nii.gz",)
    command = ("evaluate", *outputs, "--input", folder / "in.nii.gz", "--modality", "XA" if kind == "run" else "CT")
    results = scans / "results"
    lay(results, EARLIER)
    wanted = ("--csv", results / "figures.csv", "--html", results / "page.html", "--overwrite")
    drawn = []

    def full(path: Path, cases: object) -> None:
        drawn.extend(path.parent.parent.glob(".page.html.*/page.html"))
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        for room in ("command", "batch", "sequence"):
            patched.setattr(f"demottle.cli.evaluate.{room}.write_csv", full)
        failed = demottle(*command, *wanted)
    assert len(drawn) == 1  # the page was complete
    assert (failed.exit_code, held(results)) == (2, EARLIER)
    assert f"The disk is full (No space left on device): {results / 'figures.csv'} was not" in failed.stderr
    assert sorted(path.name for path in results.iterdir()) == sorted(EARLIER)
    assert demottle(*command, *wanted).exit_code == 0
    assert held(results)["figures.csv"].startswith("case,method") and "<html" in held(results)["page.html"]


def test_one_name_for_both_is_refused_before_the_work(scans: Path, demottle: Demottle) -> None:
    both = scans / "both.html"
    arguments = (scans / "ct" / "out.nii.gz", "--input", scans / "ct" / "in.nii.gz")
    result = demottle("evaluate", *arguments, "--csv", both, "--html", both)
    assert result.exit_code == 2 and not both.exists()
    assert f"Two results would be called {both}; choose another name for one of them." in " ".join(
        result.stderr.split()
    )
