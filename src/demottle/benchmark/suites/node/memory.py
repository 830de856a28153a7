"""What a node holds beside the denoising itself: its network process at its peak, and its worker while that waits."""

import tempfile
import time
from pathlib import Path

from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.node.archive import Archive
from demottle.benchmark.suites.node.objects import LARGE, write_large, write_series
from demottle.benchmark.suites.node.parties import Peer, node, send
from demottle.benchmark.suites.node.processes import Watch, held_by, until
from demottle.errors import DemottleError

AIM_MIB = 1024.0
RULES = f"""
[[rule]]
when = {{ description = "{LARGE}" }}
leave = true
[[rule]]
method = "gaussian"
gate = false
to = ["archive"]
"""
_PATIENCE = 600.0
_SETTLED = 3.0  # seconds until a process has begun, or has freed what it frees


def measured(mib: int, slices: int, size: int) -> Finding:
    """Send one large object that no rule denoises, then a series that one does, and look when all is done.

    Args:
        mib: size of the object.
        slices, size: of the series.

    Raises:
        DemottleError: something was not taken or did not arrive, or the system does not tell what a process holds.
    """
    archive = Archive("ARCHIVE")
    archive.open()
    try:
        with tempfile.TemporaryDirectory(prefix="node-") as temporary:
            folder = Path(temporary)
            (folder / "large").mkdir()
            write_large(folder / "large" / "1.dcm", mib)
            write_series(folder / "series", "series", slices, size)
            with node(folder, archive.as_toml("archive") + RULES, quiet=1.0) as peer:
                return _measured(peer, folder, archive, slices)
    finally:
        archive.close()


def _measured(peer: Peer, folder: Path, archive: Archive, slices: int) -> Finding:
    with Watch(0.2, network=lambda: peer.process, worker=lambda: peer.worker) as watch:
        begun = time.monotonic()
        send([folder / "large"], peer)
        seconds = time.monotonic() - begun
        time.sleep(_SETTLED)
        before = held_by(peer.worker or 0)
        send([folder / "series"], peer)
        until(lambda: len(archive.came) == slices, _PATIENCE, "The denoised series did not arrive")
        time.sleep(_SETTLED)
        after = held_by(peer.worker or 0)
    network, worker = watch.most("network"), watch.most("worker")
    if before is None or after is None or network is None or worker is None:
        raise DemottleError("This system does not tell what a process holds (Linux does).")
    beside = network.peak + max(before.resident, after.resident)
    missed = {"missed": f"{beside:.0f} MiB, the aim is less than {AIM_MIB:.0f}"} if beside >= AIM_MIB else {}
    figures = {
        "network_mib": network.peak,
        "descriptors": network.descriptors,
        "worker_new_mib": before.resident,
        "worker_after_mib": after.resident,
        "beside_mib": beside,
        "large_seconds": seconds,
    }
    used = network.processor + worker.processor
    return Finding(figures, missed, {"peak_mib": round(network.peak + worker.peak, 1), "cpu_seconds": round(used, 2)})
