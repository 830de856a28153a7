"""TLS with dcmtk on the other side: its storescu sends to a node, and a node sends to its storescp."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from tests.io.conftest import save
from tests.node.conftest import TOML, free_port, noisy_series, stored, until
from tests.node.test_tls import TLS, certificates  # noqa: F401

from demottle.benchmark.suites.node.parties import program
from demottle.node.queue import shown


def _dcmtk(name: str) -> str:
    found = program(name)
    if found is None:
        pytest.skip(f"{name} of dcmtk is not installed; on Debian: apt-get install dcmtk")
    return found


def _as(folder: Path, name: str) -> list[str]:
    return ["+tls", str(folder / f"{name}.key"), str(folder / f"{name}.pem"), "+cf", str(folder / "ca.pem")]


@pytest.mark.slow
def test_storescu_sends_over_tls_and_not_without_the_right_certificate(
    receiver: Callable[..., object],
    certificates: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    server, _, told = receiver(TLS)  # type: ignore[misc]
    files = [str(save(one, tmp_path / "scan" / f"{at}.dcm")) for at, one in enumerate(noisy_series(slices=3))]
    to = ["-aet", "CT1", "-aec", "DEMOTTLE", "-to", "10", "127.0.0.1", str(server.port), *files]
    for name, taken in (("other", False), ("", False), ("scanner", True)):
        by = _as(certificates, name) if name else []
        done = subprocess.run([_dcmtk("storescu"), *by, *to], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) is taken, done.stderr
        assert len(stored(told.folder)) == (3 if taken else 0)


@pytest.mark.slow
def test_results_go_to_storescp_over_tls_and_to_nobody_else(
    due: Callable[..., object],
    certificates: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    """First the port has a server whose certificate another authority signed: nothing is sent to that."""
    port, came = free_port(), tmp_path / "came"
    came.mkdir()

    def serve(name: str) -> "subprocess.Popen[bytes]":
        command = [_dcmtk("storescp"), *_as(certificates, name), "-aet", "PACS", "-od", str(came), str(port)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    wrong = serve("other")
    try:
        queue, uids = due(extra=TLS, text=TOML.replace('name = "pacs"', 'name = "pacs"\ntls = true'), pacs=port)  # type: ignore[misc]
        until(lambda: [one for one in shown.sends_with_reasons(queue, 1) if one["reason"] == "no connection"])
    finally:
        wrong.kill()
        wrong.wait()
    assert list(came.iterdir()) == []
    right = serve("orthanc")
    try:
        until(lambda: shown.sends_of(queue, 1)["pacs"] == {"arrived": 3}, 60)
    finally:
        right.kill()
        right.wait()
    assert sorted(str(pydicom.dcmread(file).SOPInstanceUID) for file in came.iterdir()) == sorted(uids)
