from pathlib import Path

import numpy as np

from demottle.benchmark.engine.cost import Energy, forget_peak, peak_mib


def zone(folder: Path, used: int) -> Path:
    package = folder / "intel-rapl:0"
    package.mkdir(exist_ok=True)
    (package / "energy_uj").write_text(f"{used}\n")
    (package / "max_energy_range_uj").write_text("10000000\n")
    return folder


def test_energy_is_the_counters_difference_in_joules_also_where_it_begins_anew(tmp_path: Path) -> None:
    energy = Energy(zone(tmp_path, 4_000_000))
    zone(tmp_path, 9_000_000)
    assert energy.joules() == 5
    zone(tmp_path, 1_000_000)
    assert energy.joules() == 7


def test_without_a_counter_energy_is_not_known(tmp_path: Path) -> None:
    assert Energy(tmp_path).joules() is None


def test_the_peak_holds_what_was_let_go() -> None:
    forget_peak()
    before = peak_mib()
    held = np.ones(2**24, np.float64)  # 128 MiB
    del held
    assert 100 < peak_mib() - before < 200
