"""Everything about this machine that decides whether and how well demottle works here, in one value."""

import importlib.util
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from demottle import __version__
from demottle.doctor.machine import Device, Machine, device, machine
from demottle.doctor.packages import Extra, Package, extras, needed_packages, programs
from demottle.events import Listener, silent

if TYPE_CHECKING:
    from demottle.doctor.pace import Pace
    from demottle.io.dicom.decoders import TransferSyntax

LITTLE_MEMORY = 2.0
"""GiB: 500 slices of 512 x 512 take about this much."""
LITTLE_DISK = 1.0
"""GiB in the temporary folder."""


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        version, python: versions of demottle and Python.
        packages: those demottle needs.
        extras, programs: what it can use or is checked with, and what is there of it.
        syntaxes: the kinds of DICOM pixels, and whether they can be read here.
        machine: processor, memory, disk.
        device: what PyTorch computes on; None where it cannot be loaded.
        pace: how fast it is; None where that was not asked for, or failed.
        problems: why scans cannot be denoised here, each in a sentence with what to do; empty where they can.
        notes: what is worth knowing beside that.
    """

    version: str
    python: str
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]
    programs: dict[str, bool]
    syntaxes: tuple["TransferSyntax", ...]
    machine: Machine
    device: Device | None
    pace: "Pace | None"
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values without names of folders or users, to be sent with a report of a bug."""
        told = asdict(self)
        del told["machine"]["temporary"]
        if self.pace is not None:
            told["pace"]["scan"] = self.pace.scan
        return told


def examine(*, quick: bool = False, listener: Listener = silent) -> Diagnosis:
    """Look at everything; nothing of what is broken here raises.

    Args:
        quick: leave out the trial run that tells how fast the machine is.
        listener: hears of the trial run.
    """
    packages, here = needed_packages(), machine()
    problems = [*_package_problems(packages), *_folder_problems(here)]
    notes = _notes(here, packages)
    computes_on: Device | None = None
    pace: Pace | None = None
    syntaxes: tuple[TransferSyntax, ...] = ()
    try:
        from demottle.io.dicom.decoders import transfer_syntaxes

        syntaxes = transfer_syntaxes()
    except Exception as error:  # whatever a broken installation raises: it is what we are here to tell
        problems.append(f"pydicom cannot be loaded ({_told(error)}); install it again.")
    try:
        computes_on = device()
    except Exception as error:
        if importlib.util.find_spec("torch") is not None:
            problems.append(f"PyTorch cannot be loaded ({_told(error)}); install it again.")
    if not quick and not problems:
        try:
            from demottle.doctor.pace import measure_pace

            pace = measure_pace(listener)
            notes += _busy(here)
        except Exception as error:
            problems.append(f"A trial run on a small simulated scan failed ({_told(error)}); please report it.")
    return Diagnosis(
        version=__version__,
        python=platform.python_version(),
        packages=packages,
        extras=extras(),
        programs=programs(),
        syntaxes=syntaxes,
        machine=here,
        device=computes_on,
        pace=pace,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _package_problems(packages: Iterable[Package]) -> list[str]:
    problems = []
    for package in packages:
        if not package.fits:
            state = "not installed" if package.version is None else f"version {package.version}"
            wanted = f"{package.name}{package.wanted}"
            problems.append(f'{package.name} is {state}; get it with: pip install "{wanted}".')
    return problems


def _folder_problems(here: Machine) -> list[str]:
    if here.writable:
        return []
    return [f"Nothing can be written to the temporary folder {here.temporary}; set TMPDIR to one that has room."]


def _notes(here: Machine, packages: tuple[Package, ...]) -> list[str]:
    notes = []
    if not packages:
        notes.append("demottle is not installed as a package, so what it needs cannot be looked up.")
    if here.memory_free is not None and here.memory_free < LITTLE_MEMORY:
        notes.append(f"Only {here.memory_free:.1f} GiB of memory are free; 500 slices of 512 x 512 take about 2 GiB.")
    if here.disk_free is not None and here.disk_free < LITTLE_DISK:
        notes.append(f"Only {here.disk_free:.1f} GiB are free in the temporary folder.")
    return notes


def _busy(here: Machine) -> list[str]:
    if here.load is None or here.load < 0.5 * here.cores:
        return []
    return [f"Other programs are busy (load {here.load:.1f} on {here.cores} cores), so the time shown is too long."]


def _told(error: Exception) -> str:
    """The kind of an exception and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
