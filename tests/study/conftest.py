"""Small studies, and readers whose behavior is known."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from demottle import io
from demottle.image import Image
from demottle.study import Plan, Study, create
from demottle.study.application import Application
from demottle.study.design import Key
from demottle.study.files import key_file, new_key_file, read_key
from demottle.study.server import address_of, listening

Arms = dict[str, Path]
Made = Callable[..., Path]


def scan(number: int = 0, slices: int = 3, size: int = 24, noise: float = 0.0) -> Image:
    """A disc with a stripe in air: something that can be told from its mirror image."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    plane = np.where(np.hypot(y, x) < 0.45, 50.0 + 3 * number, -1000.0)
    plane[(x > 0.1) & (x < 0.3) & (np.abs(y) < 0.2)] = 900
    voxels = plane + noise * np.random.default_rng(number).standard_normal((slices, size, size))
    return Image(np.round(voxels).astype(np.float32), (3.0, 0.8, 0.8), "CT", "HU")


def read(path: Path) -> Image:
    return io.read(path, modality="CT")


def write_arms(folder: Path, scans: int, **kind: Any) -> Arms:
    for number in range(scans):
        io.write(scan(number, noise=40, **kind), folder / "original" / f"scan{number:02d}.nii.gz")
        io.write(scan(number, noise=10, **kind), folder / "clean" / f"scan{number:02d}.nii.gz")
    return {"original": folder / "original", "clean": folder / "clean"}


@pytest.fixture(scope="session")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Arms:
    """Two arms of 14 scans; never written to."""
    return write_arms(tmp_path_factory.mktemp("arms"), 14)


@pytest.fixture(scope="session")
def studies(arms: Arms, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Studies of those arms by their plan, each made once; never written to."""
    known: dict[str, Path] = {}

    def study(plan: str) -> Path:
        if plan not in known:
            known[plan] = tmp_path_factory.mktemp("studies") / "study"
            create(arms, known[plan], read, Plan(**json.loads(plan)))
        return known[plan]

    return study


@pytest.fixture
def made(studies: Callable[[str], Path], tmp_path: Path) -> Made:
    """Give a study of those arms, to do anything with."""

    def make(name: str = "study", **plan: Any) -> Path:
        source = studies(json.dumps({"slices": 1, "seed": 0, **plan}))
        shutil.copytree(source, tmp_path / name)
        shutil.copy(new_key_file(source), new_key_file(tmp_path / name))
        return tmp_path / name

    return make


def key_of(folder: Path, study: Study) -> Key:
    return read_key(key_file(folder), study)


@contextmanager
def served(application: Application) -> Iterator[str]:
    """The address of a study that is served."""
    with listening(application) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield address_of(server)
        finally:
            server.shutdown()
            thread.join()


def asked(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the study's program answers to its page."""
    headers = {} if body is None else {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(address + path, data, headers), timeout=20) as response:
        return json.loads(response.read())
