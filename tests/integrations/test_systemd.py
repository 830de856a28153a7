"""The unit for systemd is one that systemd takes, closes off what it can, and starts what there is; the node answers to it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demottle.node.systemd import say_to_systemd

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "integrations" / "systemd" / "demottle-node.service"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there in place of /opt/demottle/bin/demottle."""
    found = tmp_path / UNIT.name
    found.write_text(UNIT.read_text().replace("/opt/demottle/bin/demottle", "/bin/true"))
    return found


@needs_systemd
def test_systemd_has_nothing_to_say_against_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and UNIT.name not in done.stderr, done.stderr


@needs_systemd
def test_the_unit_is_closed_off(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]  # an exposure of 2.0 of 10 at most


def test_the_unit_starts_commands_that_there_are() -> None:
    commands = re.findall(r"^Exec\w+=/opt/demottle/bin/demottle (.*?) /etc/demottle/node.toml$", UNIT.read_text(), re.M)
    assert commands == ["node check", "serve"]
    for words in commands:
        command = [sys.executable, "-m", "demottle", *words.split(), "--help"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        assert subprocess.run(command, capture_output=True, env=environment, check=False).returncode == 0


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield found


def test_a_line_reaches_systemd_and_nobody_is_missed(ear: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    say_to_systemd("READY=1")
    assert ear.recv(100) == b"READY=1"
    for gone in ("/nowhere/at/all", "@nobody", ""):
        monkeypatch.setenv("NOTIFY_SOCKET", gone)
        say_to_systemd("READY=1")


@pytest.mark.slow
def test_a_node_says_that_it_is_ready_that_it_lives_and_that_it_ends(ear: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(
        '[node]\nfolder = "held"\nport = 0\n[[sender]]\ntitle = "A"\naddress = "127.0.0.1"\n[[rule]]\nleave = true\n'
    )
    command = [sys.executable, "-m", "demottle", "serve", str(tmp_path / "node.toml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        assert [ear.recv(100), ear.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
        process.send_signal(signal.SIGTERM)
        assert ear.recv(100) == b"STOPPING=1"
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM and b"Traceback" not in said
