"""A hospital that falls over all the time: run in a network namespace of its own, since Orthanc listens on all addresses.

    python -m tests.node.kills FOLDER ORTHANC KILLS SERIES SEED WAY SIZE GATE

WAY: how results go out, "dicom" or "web" (DICOMweb). SIZE: rows and columns of a slice. GATE: "true" or "false".
Two Orthancs (a source and an archive), dcmtk's storescu as a scanner, and a node. Node, worker and archive are killed (SIGKILL)
at random moments while series come; each is started again at once. Prints JSON: what was sent, what the archive holds, what
the queue says.
"""

import json
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.node.orthanc import WEB

from demottle.benchmark.suites.node import parties
from demottle.benchmark.suites.node.objects import series_uid, write_series
from demottle.node.queue import shown
from demottle.node.queue.store import Queue

SOURCE, ARCHIVE, NODE = (4241, 8041), (4242, 8042), 11112
SLICES = 6
STILL = 200.0
"""Seconds without any change after which what is not done counts as hanging."""
TOML = """
[node]
folder = "held"
quiet = 1.5
reserve = 0
[[sender]]
title = "STORESCU"
address = "127.0.0.1"
[[sender]]
title = "SOURCE"
address = "127.0.0.1"
[[rule]]
method = "gaussian"
gate = GATE
to = ["archive"]
[[destination]]
name = "archive"
"""
WAYS = {
    "dicom": f'title = "ARCHIVE"\naddress = "127.0.0.1"\nport = {ARCHIVE[0]}\n',
    "web": f'url = "http://127.0.0.1:{ARCHIVE[1]}/dicom-web"\n',
}


def ask(path: str, port: int = ARCHIVE[1], data: bytes | None = None) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=20) as reply:
        return json.loads(reply.read())


class Hospital:
    """What runs, by name, and how it is started."""

    def __init__(self, folder: Path, orthanc: str, way: str, size: int, gate: str) -> None:
        self.folder, self.size, self._orthanc = folder, size, orthanc
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._plugins = [str(WEB)] if way == "web" else []
        (folder / "node.toml").write_text(TOML.replace("GATE", gate) + WAYS[way])

    def start(self, name: str) -> None:
        if name == "node":
            command = [sys.executable, "-m", "demottle", "serve", str(self.folder / "node.toml")]
        else:
            command = [self._orthanc, str(self._configured(name))]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def _configured(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        dicom, http = ARCHIVE if name == "archive" else SOURCE
        told = {
            **{"Name": name, "DicomAet": name.upper(), "StorageDirectory": str(place), "IndexDirectory": str(place)},
            **{"HttpPort": http, "DicomPort": dicom, "RemoteAccessAllowed": False, "AuthenticationEnabled": False},
            **{
                "Plugins": self._plugins,
                "DicomAlwaysAllowStore": True,
                "OverwriteInstances": False,
                "DicomScuTimeout": 10,
            },
            "DicomModalities": {"node": ["DEMOTTLE", "127.0.0.1", NODE]},
        }
        file = place / "orthanc.json"
        file.write_text(json.dumps(told))
        return file

    def kill(self, name: str) -> bool:
        if name == "worker":
            found = self._worker()
            for _ in range(100):
                if found:
                    break
                time.sleep(0.1)  # the node was killed just now, and is about to start one
                found = self._worker()
            for child in found:
                subprocess.run(["kill", "-9", child], check=False)
            return bool(found)
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()
        self.start(name)
        return True

    def _worker(self) -> list[str]:
        command = ["pgrep", "-P", str(self.running["node"].pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()

    def end(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def bring(hospital: Hospital, number: int) -> str:
    """Send a series as a scanner does: again and again until all of it was acknowledged. Return its UID."""
    scans = hospital.folder / "scans" / str(number)
    write_series(scans, str(number), SLICES, hospital.size, {"SeriesNumber": number})
    files = sorted(scans.iterdir())
    if number % 2:
        command = [
            str(parties.program("storescu")),
            "-aec",
            "DEMOTTLE",
            "-to",
            "5",
            "127.0.0.1",
            str(NODE),
            *map(str, files),
        ]
        _again(lambda: subprocess.run(command, capture_output=True, check=True, timeout=60))
    else:
        ids = [ask("/instances", SOURCE[1], file.read_bytes())["ID"] for file in files]
        _again(lambda: ask("/modalities/node/store", SOURCE[1], json.dumps(ids).encode()))
    return series_uid(str(number))


def _again(do: Any) -> None:
    for _ in range(300):
        try:
            return do()
        except (OSError, subprocess.SubprocessError):
            time.sleep(0.3)
    raise AssertionError("a series could not be sent")


def held() -> dict[str, list[int]]:
    """How many objects the derived series of each source have in the archive, by the source's number."""
    found: dict[str, dict[str, int]] = {}
    for series in ask("/series"):
        members = ask(f"/series/{series}/instances")
        number = ask(f"/series/{series}")["MainDicomTags"]["SeriesNumber"]
        found.setdefault(str(int(number) % 10000), {})[series] = len(members)  # each time again has 10000 more
    return {source: sorted(counts.values()) for source, counts in found.items()}


def main(folder: Path, orthanc: str, kills: int, series: int, seed: int, way: str, size: int, gate: str) -> None:
    hospital, chance, sent = Hospital(folder, orthanc, way, size, gate), random.Random(seed), []
    for name in ("source", "archive", "node"):
        hospital.start(name)
    _again(lambda: ask("/system", SOURCE[1]))
    try:
        scanner = threading.Thread(target=lambda: sent.extend(bring(hospital, one) for one in range(1, series + 1)))
        scanner.start()
        done = {"node": 0, "worker": 0, "archive": 0}
        while sum(done.values()) < kills:
            time.sleep(chance.uniform(0.05, 4.0))
            name = chance.choice(["node", "node", "worker", "archive"])
            done[name] += hospital.kill(name)
        scanner.join()
        queue = Queue(folder / "held" / "queue.sqlite")
        moved, states = time.monotonic(), dict[str, str]()
        while time.monotonic() < moved + STILL and (len(states) < series or set(states.values()) - {"done", "failed"}):
            time.sleep(0.5)
            now = {one["uid"]: one["state"] for one in shown.list_series(queue)}
            moved, states = (moved if now == states else time.monotonic()), now
        listed = [{key: one[key] for key in ("uid", "state", "reason", "number")} for one in shown.list_series(queue)]
        rounds = queue.row("SELECT COUNT(*) FROM round WHERE state = 'done'")
        assert rounds is not None
        print(json.dumps({"sent": sent, "killed": done, "series": listed, "held": held(), "rounds": rounds[0]}))
    finally:
        hospital.end()


if __name__ == "__main__":
    place, program, kills, series, seed, way, size, gate = sys.argv[1:]
    main(Path(place), program, int(kills), int(series), int(seed), way, int(size), gate)
