"""The machine: processor, memory, room on the disk, and what PyTorch can compute on."""

import os
import platform
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CPUINFO = Path("/proc/cpuinfo")
_LIMIT, _USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


@dataclass(frozen=True)
class Machine:
    """What there is to work with.

    Attributes:
        system: operating system and architecture.
        processor: its name, or its architecture where the system tells no name.
        cores: that this process may use.
        load: mean number of programs that wanted a core in the last minute; None where the system does not say.
        memory_free: GiB that can be had without swapping, a container's limit respected; None: not told.
        temporary: the folder for passing files.
        disk_free: GiB free there; None: it cannot be looked at.
        writable: whether a file can be written there.
    """

    system: str
    processor: str
    cores: int
    load: float | None
    memory_free: float | None
    temporary: Path
    disk_free: float | None
    writable: bool


@dataclass(frozen=True)
class Device:
    """What PyTorch computes on.

    Attributes:
        kind: "cuda" or "cpu".
        name: name of the GPU; "processor" else.
        threads: that PyTorch uses on the processor.
        fast_bfloat16: whether half precision pays there.
        memory: memory of the GPU in GiB; None on a processor.
    """

    kind: str
    name: str
    threads: int
    fast_bfloat16: bool
    memory: float | None


def machine() -> Machine:
    """Look at this machine; nothing is imported and nothing is left behind."""
    folder = Path(tempfile.gettempdir())
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        memory_free=_memory_free(),
        temporary=folder,
        disk_free=_disk_free(folder),
        writable=_writable(folder),
    )


def device() -> Device:
    """Ask PyTorch (imports it)."""
    import torch

    from demottle.learning.device import best_device, has_fast_bfloat16

    kind, threads, bfloat16 = best_device().type, torch.get_num_threads(), has_fast_bfloat16()
    if kind == "cpu":
        return Device(kind, "processor", threads, bfloat16, None)
    about = torch.cuda.get_device_properties(0)
    return Device(kind, about.name, threads, bfloat16, about.total_memory / 2**30)


def _processor() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_free() -> float | None:
    """What the system says is available, or less where a container may not use as much."""
    if not _MEMINFO.exists():
        return None
    sizes = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines() if ":" in line)
    if "MemAvailable" not in sizes:
        return None
    free = int(sizes["MemAvailable"].split()[0]) * 1024
    with suppress(OSError, ValueError):  # no such limit: the file is missing, or says "max"
        free = min(free, max(0, int(_LIMIT.read_text()) - int(_USED.read_text())))
    return free / 2**30


def _disk_free(folder: Path) -> float | None:
    try:
        return shutil.disk_usage(folder).free / 2**30
    except OSError:
        return None


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"demottle")
        return True
    except OSError:
        return False
