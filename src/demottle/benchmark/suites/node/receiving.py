"""How many slices a second a node takes, and how many Orthanc on the same machine a moment before or after."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.node.objects import write_series
from demottle.benchmark.suites.node.parties import (
    ORTHANC_TITLE,
    SCANNER,
    Peer,
    node,
    orthanc,
    program,
    send,
    sending_program,
)
from demottle.benchmark.suites.node.processes import Held, Watch
from demottle.errors import DemottleError

SENDERS = 3
AIM = 0.6
"""Of Orthanc's rate."""
ONLY_KEPT = '[[rule]]\nname = "kept"\nleave = true\n'


def measured(slices: int, size: int, number: int, cache: Path) -> Finding:
    """Send to a node and to Orthanc, the node first where `number` is even.

    Args:
        slices: for each of three senders, which send at once.
        size: rows and columns.
        number: of the repetition.
        cache: where what is sent is kept.

    Raises:
        DemottleError: objects were refused, or are not there afterwards.
    """
    scans = written(cache, slices, size)
    rival = program("Orthanc") is not None
    rates: dict[str, float] = {}
    figures: dict[str, float | None] = {}
    cost: dict[str, float] = {}
    for who in ("orthanc", "node") if number % 2 else ("node", "orthanc"):
        if who == "orthanc" and not rival:
            continue
        with tempfile.TemporaryDirectory(prefix=f"{who}-") as temporary:
            party = node(Path(temporary), ONLY_KEPT) if who == "node" else orthanc(Path(temporary))
            rates[who], held = _rate(party, scans, slices)
        if who == "node" and held is not None:
            figures = {"network_mib": held.peak, "descriptors": held.descriptors}
            cost = {"peak_mib": round(held.peak, 1), "cpu_seconds": round(held.processor, 2)}
    ratio = rates["node"] / rates["orthanc"] if rival else None
    missed = []
    if not rival:
        missed = ["Orthanc is not installed (on Debian: apt-get install orthanc), so there is nothing to compare with"]
    elif ratio is not None and ratio < AIM:
        missed = [f"{100 * ratio:.0f} % of Orthanc's rate, the aim is {100 * AIM:.0f} %"]
    said = {"senders": sending_program(), **({"missed": missed[0]} if missed else {})}
    told = {"rate": rates["node"], "rate_orthanc": rates.get("orthanc"), "rate_ratio": ratio, **figures}
    return Finding(told, said, {**cost, "seconds": round(SENDERS * slices / rates["node"], 2)})


def written(cache: Path, slices: int, size: int) -> list[Path]:
    """The folders of the senders, made now or before."""
    folders = [cache / f"node-sender-{number}-{slices}x{size}" for number in range(SENDERS)]
    for number, folder in enumerate(folders):
        if not folder.exists():
            made = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(made, ignore_errors=True)
            write_series(made, f"sender {number}", slices, size)
            made.rename(folder)
    return folders


def _rate(party: AbstractContextManager[Peer], scans: Sequence[Path], slices: int) -> tuple[float, Held | None]:
    """Slices a second, and what the process held at most."""
    with party as peer:
        with Watch(0.2, it=lambda: peer.process) as watch:
            begun = time.monotonic()
            send(scans, peer, SCANNER)
            seconds = time.monotonic() - begun
        if peer.title != ORTHANC_TITLE:
            there = sum(1 for _ in (peer.folder / "objects").glob("*/*.dcm"))
            if there != len(scans) * slices:
                raise DemottleError(f"Of {len(scans) * slices} objects that were acknowledged {there} are there.")
        return len(scans) * slices / seconds, watch.most("it")
