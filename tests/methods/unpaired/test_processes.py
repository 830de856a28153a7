"""Every game played by two processes teaches what one process with the whole batch does."""

import os
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.methods.small_sets import small_sets

from demottle.methods.base import Budget

TINY: dict[str, Any] = {"channels": (4, 8), "blocks": 1, "batch": 2}
GAMES: dict[str, dict[str, Any]] = {
    "cyclegan": {**TINY, "judge_channels": 4, "pool": 2},
    "cut": {**TINY, "judge_channels": 4, "places": 16, "head_width": 8},
    "perceptual_cyclegan": {**TINY, "judge_channels": 4, "feature_channels": 4, "pool": 2},
    "supervised": {**TINY, "features": 8, "growth": 2},
    "ascon": {  # its start is that of perceptual_cyclegan
        **{"channels": 8, "batch": 2, "warm_up": 0, "places": (4, 16)},
        **{"feature_channels": (8,) * 5, "head_width": 8, "vector": 8},
    },
}
STEPS = 4


def trained(name: str, folder: Path) -> dict[str, np.ndarray]:
    """Weights after some steps in full precision, in which the order of sums is all that differs."""
    module = import_module(f"demottle.methods.unpaired.{name}")
    settings = module.Settings(**{**module.PRESETS["small"], **GAMES[name], "averaging": 0.0})
    sets = small_sets(folder, paired=name == "supervised")
    return dict(module.train(sets, settings, seed=1, budget=Budget(steps=STEPS)).tensors())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same two processes train everything, one game after the other; their weights lie in RANK-NAME.npz."""
    folder = tmp_path_factory.mktemp("two")
    code = (
        "import sys, os, torch\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "torch.set_num_threads(1)\n"
        "torch.cpu._is_avx512_bf16_supported = lambda: False\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from tests.methods.unpaired.test_processes import GAMES, trained\n"
        f"folder, rank = Path({str(folder)!r}), os.environ['RANK']\n"
        "for name in GAMES:\n"
        "    np.savez(folder / f'{rank}-{name}.npz', **trained(name, folder / f'{rank}-{name}'))\n"
    )
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    running = [subprocess.Popen([sys.executable, "-c", code], env={**common, "RANK": str(rank)}) for rank in range(2)]
    assert [process.wait(timeout=1800) for process in running] == [0, 0]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_two_processes_learn_what_one_does(
    name: str, by_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    alone = trained(name, tmp_path)
    for rank in range(2):
        theirs = np.load(by_two / f"{rank}-{name}.npz")
        assert set(theirs) == set(alone)
        for key, value in alone.items():
            assert theirs[key] == pytest.approx(value, abs=1e-4), key
