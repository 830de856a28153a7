"""Who takes part: a node, Orthanc, and scanners, each as a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from demottle.benchmark.suites.node.processes import children_of, free_port, last_of, started, until, until_listening
from demottle.errors import DemottleError

SCANNER, OTHER_SCANNER = "CT1", "CT2"
NODE_TITLE, ORTHANC_TITLE = "DEMOTTLE", "ORTHANC"
_MORE_PLACES = ("/usr/sbin", "/usr/local/sbin")
_LONGEST = 900.0  # seconds for one sender


@dataclass(frozen=True)
class Peer:
    """A DICOM server that runs: its AE title, port and process id; `folder`: where a node keeps what it holds."""

    title: str
    port: int
    process: int
    folder: Path

    @property
    def worker(self) -> int | None:
        """The process id of a node's worker; None where there is none now."""
        return next(iter(children_of(self.process)), None)


def program(name: str) -> str | None:
    """Where a program lies; None where it is not installed. Scripts do not count: pynetdicom brings a `storescu` of its own."""
    places = (*os.environ.get("PATH", os.defpath).split(os.pathsep), *_MORE_PLACES)
    found = (at for place in places if (at := shutil.which(name, path=place)))
    return next((at for at in found if not _is_script(Path(at))), None)


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def refuse_without_node() -> None:
    """Refuse where the node's own packages are missing.

    Raises:
        DemottleError: says what to install.
    """
    missing = [name for name in ("pynetdicom",) if find_spec(name) is None]
    if missing:
        raise DemottleError(f'The node needs {", ".join(missing)}; install it with: pip install "demottle[node]"')


@contextmanager
def node(folder: Path, text: str, *, quiet: float = 3600.0) -> Iterator[Peer]:
    """Run a node with two scanners listed, `CT1` and `CT2`, while the block does.

    Args:
        folder: an empty one.
        text: destinations and rules, as TOML.
        quiet: seconds after which a series is complete.

    Raises:
        DemottleError: it does not start; the sentence says what it said.
    """
    refuse_without_node()
    port, log = free_port(), folder / "node.log"
    senders = "".join(f'[[sender]]\ntitle = "{title}"\naddress = "127.0.0.1"\n' for title in (SCANNER, OTHER_SCANNER))
    told = f'[node]\nfolder = "held"\nport = {port}\nquiet = {quiet}\nreserve = 0\n{senders}{text}'
    (folder / "node.toml").write_text(told, encoding="utf-8")
    with started([sys.executable, "-m", "demottle", "serve", str(folder / "node.toml")], log) as process:
        until_listening(process, port, "The node", log)
        until(lambda: bool(children_of(process.pid)) or not Path("/proc").exists(), 30, "The node has no worker")
        yield Peer(NODE_TITLE, port, process.pid, folder / "held")


@contextmanager
def orthanc(folder: Path) -> Iterator[Peer]:
    """Run an Orthanc with its defaults while the block does; only `CT1` and `CT2` of this machine may send.

    Raises:
        DemottleError: it is not installed, or does not start.
    """
    found = program("Orthanc")
    if found is None:
        raise DemottleError("Orthanc is not installed; on Debian: apt-get install orthanc")
    port, log = free_port(), folder / "orthanc.log"
    told = {
        **{"DicomAet": ORTHANC_TITLE, "DicomPort": port, "HttpServerEnabled": False, "RemoteAccessAllowed": False},
        **{"StorageDirectory": str(folder / "held"), "IndexDirectory": str(folder / "held"), "Plugins": []},
        **{"DicomAlwaysAllowStore": False, "DicomCheckModalityHost": True, "DicomCheckCalledAet": True},
        "DicomModalities": {title: [title, "127.0.0.1", 1] for title in (SCANNER, OTHER_SCANNER)},
    }
    (folder / "orthanc.json").write_text(json.dumps(told), encoding="utf-8")
    with started([found, str(folder / "orthanc.json")], log) as process:
        until_listening(process, port, "Orthanc", log)
        yield Peer(ORTHANC_TITLE, port, process.pid, folder / "held")


def sending_program() -> str:
    """What sends: "storescu" (dcmtk) where it is installed, else "pynetdicom"."""
    return "storescu" if program("storescu") else "pynetdicom"


def sending(folder: Path, to: Peer, title: str = SCANNER) -> subprocess.Popen[bytes]:
    """Begin to send all objects in a folder over one association, as a scanner does; its log lies beside the folder."""
    ours = [sys.executable, "-m", "demottle.benchmark.suites.node.scanner", title, to.title, str(to.port), str(folder)]
    storescu = program("storescu")
    theirs = [str(storescu), "-aet", title, "-aec", to.title, "+sd", "127.0.0.1", str(to.port), str(folder)]
    with _log_of(folder).open("wb") as said:
        command = theirs if storescu else ours
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)


def _log_of(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.log"


def send(folders: Sequence[Path], to: Peer, title: str = SCANNER) -> None:
    """Send several folders at once, each by a sender of its own; return when all objects are acknowledged.

    Raises:
        DemottleError: one was not; the sentence says what its sender said.
    """
    running = [(folder, sending(folder, to, title)) for folder in folders]
    try:
        for folder, process in running:
            if process.wait(_LONGEST):
                raise DemottleError(f"{to.title} did not take all objects: {last_of(_log_of(folder))}")
    except subprocess.TimeoutExpired:
        raise DemottleError(f"{to.title} did not take all objects within {_LONGEST:.0f} s") from None
    finally:
        for _, process in running:
            process.kill()
            process.wait()
