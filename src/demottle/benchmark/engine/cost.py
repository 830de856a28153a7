"""What a method costs: seconds, memory at its peak, energy where the machine tells."""

import ctypes
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RAPL = Path("/sys/class/powercap")
_WRAP = "max_energy_range_uj"


@dataclass
class Spent:
    """Seconds of the clock and of the processors, filled in when the block is left."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Measure a block."""
    spent, begun, cpu = Spent(), time.monotonic(), time.process_time()
    yield spent
    spent.seconds, spent.cpu_seconds = time.monotonic() - begun, time.process_time() - cpu


def forget_peak() -> None:
    """Let the peak begin anew, where the system can (Linux); else it is that of the whole process."""
    with suppress(OSError):
        _RESET.write_text("5")


def peak_mib() -> float:
    """Most memory (resident) that this process has had since `forget_peak`, in MiB."""
    with suppress(OSError, StopIteration, ValueError):
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


class Energy:
    """Energy of the processor packages (RAPL) and of the first NVIDIA card (NVML) since the beginning, in J.

    Counters are of the whole machine, so this means something only where nothing else runs.
    """

    def __init__(self, rapl: Path = _RAPL) -> None:
        """Begin now."""
        self._packages = [zone for zone in sorted(rapl.glob("intel-rapl:?")) if _read(zone / "energy_uj") is not None]
        self._first = [_read(zone / "energy_uj") or 0 for zone in self._packages]
        self._card = _card_millijoules()

    def joules(self) -> float | None:
        """Return what was used; None where no counter can be read."""
        parts: list[float] = []
        for zone, first in zip(self._packages, self._first, strict=True):
            now, wrap = _read(zone / "energy_uj"), _read(zone / _WRAP)
            if now is not None:
                parts.append(((now - first) if now >= first else now - first + (wrap or 0)) / 1e6)
        card = _card_millijoules()
        if card is not None and self._card is not None:
            parts.append((card - self._card) / 1e3)
        return sum(parts) if parts else None


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _card_millijoules() -> int | None:
    """Total energy of the first card since its driver was loaded; None without one that this process can use."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    with suppress(OSError, AttributeError):
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        handle, total = ctypes.c_void_p(), ctypes.c_ulonglong()
        steps = (
            nvml.nvmlInit_v2(),
            nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)),
            nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(total)),
        )
        if not any(steps):
            return total.value
    return None
