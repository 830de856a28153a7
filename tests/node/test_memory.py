"""What the processes of a node do not need goes back to the system."""

import os
import platform
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from demottle.benchmark.suites.node import parties
from demottle.node import memory
from demottle.node.memory import HEAPS

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="its heaps are glibc's")
THREADS = """
import sys, threading
from pathlib import Path
from demottle.node.memory import few_heaps
if sys.argv[1] == "few":
    few_heaps()
held, all_hold = [], threading.Barrier(13)
def hold():
    held.append([bytes(50_000) for _ in range(20)])
    all_hold.wait()
for _ in range(12):
    threading.Thread(target=hold, daemon=True).start()
all_hold.wait()
print(Path("/proc/self/maps").read_text())
"""
CYCLES = """
from pathlib import Path
from demottle.node.memory import give_back
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
class Ring:
    def __init__(self):
        self.me, self.voxels = self, [bytes(50_000) for _ in range(20)]
pins = []
for _ in range(60):
    Ring()
    pins.append(bytes(50_000))
before = held()
give_back()
print(before - held())
"""


def _said(script: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=_environment(environment)).stdout


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}, **more}


def _heaps(maps: str) -> int:
    """How many heaps of 64 MiB (used and reserved part side by side) a process has beside that of its first thread."""
    parts = [(int(low, 16), int(high, 16), mode) for low, high, mode in re.findall(r"^(\w+)-(\w+) (\S+)", maps, re.M)]
    size = 64 << 20
    return sum(
        begin % size == 0 and mode == "rw-p" and reserved == "---p" and until - begin == size
        for (begin, end, mode), (again, until, reserved) in pairwise(parts)
        if end == again
    )


@glibc
def test_threads_share_a_few_heaps_unless_told_otherwise() -> None:
    assert _heaps(_said(THREADS, "as ever")) > HEAPS
    assert _heaps(_said(THREADS, "few")) < HEAPS
    assert _heaps(_said(THREADS, "few", MALLOC_ARENA_MAX="6")) > HEAPS


@glibc
def test_what_refers_to_itself_alone_goes_back_to_the_system() -> None:
    assert float(_said(CYCLES)) > 20  # MiB, of 57


def test_where_the_library_has_no_such_thing_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_library", lambda: None)
    memory.few_heaps()
    memory.give_back()


@pytest.mark.slow
@glibc
def test_a_node_with_many_associations_has_a_few_heaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pynetdicom import AE

    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    entity = AE(parties.SCANNER)
    entity.add_requested_context("1.2.840.10008.1.1")
    with parties.node(tmp_path, "[[rule]]\nleave = true\n") as node, ExitStack() as all_open:
        for _ in range(20):
            one = entity.associate("127.0.0.1", node.port, ae_title=node.title)
            assert one.is_established and one.send_c_echo().Status == 0
            all_open.callback(one.release)
        assert threading.active_count() > 20  # all at once
        assert _heaps(Path(f"/proc/{node.process}/maps").read_text()) < HEAPS
