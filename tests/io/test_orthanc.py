"""A real PACS takes original and result as one study with two series, and shows both."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demottle.io import read, write

# Runs inside a network namespace of its own: Orthanc listens on all addresses whatever it is told.
SCRIPT = """
import json, os, subprocess, sys, time, urllib.request
orthanc, folder, *uploads = sys.argv[1:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
configuration = os.path.join(folder, "orthanc.json")
with open(configuration, "w") as stream:
    json.dump({"Name": "TEST", "StorageDirectory": folder, "IndexDirectory": folder, "HttpPort": 8042, "DicomPort": 4242,
               "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": []}, stream)
log = open(os.path.join(folder, "log"), "w")
server = subprocess.Popen([orthanc, configuration], stdout=log, stderr=log)
def ask(path, data=None):
    with urllib.request.urlopen(f"http://127.0.0.1:8042{path}", data, timeout=30) as reply:
        return reply.read()
try:
    for attempt in range(150):
        try:
            ask("/system")
            break
        except OSError:
            time.sleep(0.1)
    answers = []
    for upload in uploads:
        with open(upload, "rb") as stream:
            answers.append(json.loads(ask("/instances", stream.read())))
    studies = [json.loads(ask("/studies/" + name)) for name in json.loads(ask("/studies"))]
    series = [json.loads(ask("/series/" + name)) for name in json.loads(ask("/series"))]
    ordered = [json.loads(ask("/series/" + one["ID"] + "/ordered-slices")) for one in series]
    previews = [ask("/instances/" + one["ID"] + "/preview")[:8].hex() for one in answers]
    print(json.dumps({"answers": answers, "studies": studies, "series": series, "ordered": ordered, "previews": previews}))
finally:
    server.terminate()
    server.wait(20)
"""


@pytest.fixture
def pacs(program, tmp_path):
    """Return a function that uploads files to a fresh Orthanc and returns what it makes of them."""
    orthanc, unshare = program("Orthanc"), program("unshare")
    program("ip")

    def upload(files: list[Path]) -> dict:
        folder = tmp_path / "orthanc"
        folder.mkdir()
        command = [
            unshare,
            "-n" if os.geteuid() == 0 else "-rn",
            sys.executable,
            "-c",
            SCRIPT,
            orthanc,
            str(folder),
            *map(str, files),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        log = folder / "log"
        assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
        return json.loads(done.stdout)

    return upload


@pytest.mark.slow
def test_orthanc_holds_two_series_of_one_study(ct, tmp_path, denoised, pacs):
    folder = ct()
    write(denoised(read(folder)), tmp_path / "out")
    found = pacs(sorted(folder.iterdir()) + sorted((tmp_path / "out").iterdir()))
    assert [answer["Status"] for answer in found["answers"]] == ["Success"] * 10
    assert len(found["studies"]) == 1
    assert sorted(series["MainDicomTags"]["SeriesDescription"] for series in found["series"]) == [
        "Thorax",
        "Thorax [demottle bilateral]",
    ]
    assert [len(series["Instances"]) for series in found["series"]] == [5, 5]
    assert [(order["Type"], len(order["Slices"])) for order in found["ordered"]] == [("Volume", 5), ("Volume", 5)]
    assert found["previews"] == [b"\x89PNG\r\n\x1a\n".hex()] * 10


@pytest.mark.slow
def test_orthanc_takes_a_phantom_and_its_result(phantom, tmp_path, denoised, pacs):
    original = write(phantom, tmp_path / "ct")
    derived = write(denoised(read(original)), tmp_path / "out")
    found = pacs(sorted(original.iterdir()) + sorted(derived.iterdir()))
    assert {answer["Status"] for answer in found["answers"]} == {"Success"}
    assert (len(found["studies"]), len(found["series"])) == (1, 2)
    assert [order["Type"] for order in found["ordered"]] == ["Volume", "Volume"]
