"""The container image is built from the Dockerfile, and denoises a scan with the network cut off."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("buildah", "debootstrap", "unshare")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the image is; the environment may name a folder that keeps what is slow to get."""
    kept = os.environ.get("DEMOTTLE_CONTAINER")
    place = Path(kept) if kept else tmp_path_factory.mktemp("container")
    done = subprocess.run(["bash", str(ROOT / "tools/container.sh"), str(place)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return place


def _buildah(folder: Path, *command: str, network: bool = True) -> str:
    program = ["buildah", "--storage-driver", "vfs", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
    cut = [] if network else ["unshare", "--net"]
    done = subprocess.run([*cut, *program, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_image_denoises_a_scan_as_an_ordinary_user_without_a_network(folder: Path, tmp_path: Path) -> None:
    container = _buildah(folder, "from", "--pull-never", "localhost/demottle").strip()
    config = json.loads(_buildah(folder, "inspect", container))["OCIv1"]["config"]
    assert (config["Entrypoint"], config["User"], config["WorkingDir"]) == (["demottle"], "demottle", "/data")
    tmp_path.chmod(0o777)  # ours is root, its user is not

    def run(*command: str) -> str:
        volume = ("--volume", f"{tmp_path}:/data")
        return _buildah(
            folder, "run", "--isolation", "chroot", *volume, container, "--", *command, network=False
        ).strip()

    try:
        unreachable = (
            "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 2)\nexcept OSError as e: print(e)"
        )
        assert "unreachable" in run("python", "-c", unreachable)
        assert run("id", "-un") == "demottle"
        run("demottle", "simulate", "phantom", "-o", "phantom", "--slices", "6", "--size", "128")
        run("demottle", "denoise", "phantom/scan", "-o", "clean", "--seed", "0")
    finally:
        _buildah(folder, "rm", container)
    assert len(list((tmp_path / "clean").glob("*.dcm"))) == 6
    assert json.loads((tmp_path / "clean-report/run.json").read_text())["method"] == "guided-bayes"
