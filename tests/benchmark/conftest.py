"""A suite small enough to run in seconds: two cases of 6 slices, 96 x 96."""

from collections.abc import Callable
from pathlib import Path

import pytest

from demottle.benchmark.engine.entrants import Entrant
from demottle.benchmark.engine.results import Results, Row
from demottle.benchmark.engine.runner import Work, cells_of, run_cells
from demottle.benchmark.suites import ct_volume
from demottle.benchmark.suites.cases import CaseSpec, Choices

TINY = {"slices": 6, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0}
TWO = (Entrant("input"), Entrant("spectral-wiener", "spectral-wiener"))
MakeRow = Callable[..., Row]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases")


@pytest.fixture(scope="session")
def specs() -> tuple[CaseSpec, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ct_volume, "QUICK", TINY)
        return ct_volume.specs(Choices(quick=True))


@pytest.fixture(scope="session")
def finished(cache: Path, specs: tuple[CaseSpec, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of two entrants on two cases; never written to."""
    results = Results(tmp_path_factory.mktemp("finished") / "results.jsonl")
    results.begin(
        {"started": "now", "machine": {"processor": "p", "cores": 2}, "versions": {"numpy": "2"}, "code": "c"}
    )
    assert run_cells(cells_of(specs, TWO, 0.1, 1), results, Work(jobs=2, threads=1, cache=cache))
    return results.path.parent


@pytest.fixture
def make_row() -> MakeRow:
    """Return a function that makes a row as a cell would."""

    def make(
        entrant: str, seed: int, group: str = "rho 0", psnr: float = 30.0, seconds: float = 1.0, **more: object
    ) -> Row:
        return {
            "key": f"{entrant} {seed} {group}",
            "suite": "ct-volume",
            "group": group,
            "seed": seed,
            "entrant": entrant,
            "status": "done",
            "sees_truth": False,
            "quality": {"psnr": psnr, "rmse": 400 / 10 ** (psnr / 20)},
            "cost": {"seconds": seconds},
            "wall": seconds,
            **more,
        }

    return make
