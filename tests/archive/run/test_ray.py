"""What Ray opens to the network when a run begins it on this machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
BEGIN = """
import json, os, subprocess, sys
from pathlib import Path
from demottle.archive.run.engines.cluster import Cluster
from demottle.archive.run.order import Order
here = Path(sys.argv[1])
engine = Cluster(Order(here, here, here), 1, None, 1, 0, 0, 3)
import ray
from ray._private.worker import global_worker
listening = {row.split()[9] for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
             if row.split()[3] == "0A"}
sockets = {}
for process in Path("/proc").glob("[0-9]*"):
    try:
        words, opened = (process / "cmdline").read_text().split("\\0"), (process / "fd").iterdir()
        if any(word.endswith("dashboard/dashboard.py") for word in words) and global_worker.node.session_name in str(words):
            links = [os.readlink(one) for one in opened]
            sockets[process.name] = [one for one in links if one[8:-1] in listening and one.startswith("socket:")]
    except OSError:
        pass
code = "import ray; ray.init(address=" + repr(global_worker.node.gcs_address) + ", log_to_driver=False); print('in')"
came = {}
for mode, token in (("disabled", ""), ("token", "0" * 64)):
    env = {**os.environ, "RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN": token}
    came[mode] = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout
engine.close(True)
print(json.dumps([sockets, came]))
"""


def test_who_has_no_token_is_refused_and_the_dashboard_listens_nowhere(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    sockets, came = json.loads(done.stdout.splitlines()[-1])
    assert all(opened == [] for opened in sockets.values())
    assert came == {"disabled": "", "token": ""}
