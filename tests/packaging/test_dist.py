"""What is built holds all of demottle and nothing else, and works where only it is installed."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from demottle import __version__

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and all other packages from this one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    packages = next((home / "lib").glob("python*/site-packages"))
    # As plain folders on the path, so that an editable install of demottle that lies there is not followed.
    (packages / "borrowed.pth").write_text("\n".join({sysconfig.get_path(kind) for kind in ("purelib", "platlib")}))
    wheel = next(dist.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run([*command, "--ignore-installed"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "bin"


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = SOURCE / "demottle"
    files = {str(path.relative_to(SOURCE)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {"demottle/py.typed", "demottle/report/page.html.j2", "demottle/study/web/app.js"} <= files
    assert names == files


def test_the_source_archive_builds_by_itself_and_holds_no_tests(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "src/demottle/report/viewer.js"} <= names
    assert not [name for name in names if name.split("/")[0] in ("tests", "docs")]


def test_it_works_where_only_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        command = [str(installed / arguments[0]), *arguments[1:]]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=clean).stdout

    where = run("python", "-c", "import demottle; print(demottle.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert run("demottle", "--version").strip() == f"demottle {__version__}"
    assert "matched-neighbors" in run("demottle", "methods")
    run("demottle", "simulate", "phantom", "-o", "phantom", "--slices", "4", "--size", "96")
    run("demottle", "denoise", "phantom/scan", "-o", "clean", "--steps", "2", "--force")
    assert len(list((tmp_path / "clean").glob("*.dcm"))) == 4
    assert "<html" in (tmp_path / "clean-report" / "report.html").read_text()
