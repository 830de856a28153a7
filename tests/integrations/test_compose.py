"""Orthanc and a node as containers: the files fit together, docker takes them, and their settings work with a true Orthanc."""

import contextlib
import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from pynetdicom import AE
from tests.io.conftest import program  # noqa: F401
from tests.node.conftest import free_port, noisy_series, until

from demottle.node.log import quiet_libraries
from demottle.node.service import running
from demottle.node.toml_file import read_configuration

FOLDER = Path(__file__).parents[2] / "integrations" / "compose"


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    return found


def test_the_files_name_each_other(services: dict[str, Any]) -> None:
    told, orthanc = read_configuration(FOLDER / "node.toml"), json.loads((FOLDER / "orthanc.json").read_text())
    assert {told.senders[0].address, told.destinations[0].address} == {"orthanc"} <= services.keys()
    assert told.senders[0].title == told.destinations[0].title == orthanc["DicomAet"]
    assert orthanc["DicomModalities"] == {"demottle": [told.title, "demottle", told.port]} and "demottle" in services
    assert f"{orthanc['DicomPort']}:{told.destinations[0].port}" in services["orthanc"]["ports"]
    assert 'SendToModality(instance, "demottle")' in (FOLDER / "route.lua").read_text()
    assert str(told.folder) == "/data/held" and "held:/data" in services["demottle"]["volumes"]
    for service in services.values():
        for volume in service["volumes"]:
            name, *_ = volume.split(":")
            assert not name.startswith("./") or (FOLDER / name).is_file(), volume


def test_the_node_has_no_rights_and_publishes_nothing(services: dict[str, Any]) -> None:
    node = services["demottle"]
    assert node["read_only"] and node["cap_drop"] == ["ALL"] and node["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in node and "privileged" not in node
    assert re.search(r"^USER demottle$", (FOLDER / "../../Dockerfile").read_text(), re.M)
    assert all(port.startswith("127.0.0.1:") or port == "4242:4242" for port in services["orthanc"]["ports"])


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs the docker command")
def test_docker_reads_it() -> None:
    command = ["docker", "stack", "config", "-c", str(FOLDER / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"].keys() == {"orthanc", "demottle"}


@pytest.mark.slow
def test_what_a_scanner_sends_to_orthanc_comes_back_denoised(program, tmp_path: Path) -> None:  # noqa: F811
    quiet_libraries()
    orthanc, (dicom, http, node) = program("Orthanc"), (free_port(), free_port(), free_port())
    settings = json.loads((FOLDER / "orthanc.json").read_text())
    settings |= {"DicomPort": dicom, "HttpPort": http, "RemoteAccessAllowed": False, "Plugins": []}
    settings |= {"StorageDirectory": str(tmp_path / "db"), "IndexDirectory": str(tmp_path / "db")}
    settings |= {
        "LuaScripts": [str(FOLDER / "route.lua")],
        "DicomModalities": {"demottle": ["DEMOTTLE", "127.0.0.1", node]},
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    text = (FOLDER / "node.toml").read_text().replace('"orthanc"', '"127.0.0.1"').replace("0.0.0.0", "127.0.0.1")
    text = text.replace("/data/held", str(tmp_path / "held")).replace("port = 4242", f"port = {dicom}")
    text = text.replace("quiet = 30", f"quiet = 3\nport = {node}\nreserve = 0").replace("port = 8080", "port = 0")
    (tmp_path / "node.toml").write_text(
        text.replace('to = ["archive"]', 'method = "gaussian"\ngate = false\nto = ["archive"]')
    )
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([orthanc, str(tmp_path / "orthanc.json")], stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: _asked(http, "system"), 60)
        with running(read_configuration(tmp_path / "node.toml"), tmp_path / "node.toml"):
            _scan(dicom)
            until(lambda: (_asked(http, "statistics") or {}).get("CountInstances") == 12, 120)
            found = [one["MainDicomTags"]["SeriesDescription"] for one in _asked(http, "series?expand")]
            assert sorted(found) == ["Thorax", "Thorax [demottle gaussian]"]
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _scan(port: int) -> None:
    entity = AE("SCANNER")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
    association = entity.associate("127.0.0.1", port, ae_title="ORTHANC")
    assert association.is_established
    assert [int(association.send_c_store(one).Status) for one in noisy_series(slices=6)] == [0] * 6
    association.release()


def _asked(port: int, what: str) -> Any:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/{what}", timeout=5) as answer:
        return json.load(answer)
    return None
