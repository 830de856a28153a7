"""Suites that judge a decision: what the plan takes, what filters leave of wires, what the gate says."""

from pathlib import Path

import numpy as np
import pytest

from demottle.benchmark.engine.cell import run_cell
from demottle.benchmark.engine.entrants import Entrant, competing
from demottle.benchmark.engine.results import Cell
from demottle.benchmark.suites.cases import CaseSpec, Choices
from demottle.benchmark.suites.catalog import SUITES
from demottle.benchmark.suites.decisions import fluoroscopy_plan, fluoroscopy_wires, gate
from demottle.benchmark.suites.decisions.gate_cases import GateCase, cases
from demottle.benchmark.suites.decisions.runs import PlanCase, run_of
from demottle.errors import UnsuitableError
from demottle.image import Image
from demottle.physics.fluoroscopy.moved_still import StillMotion
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

SHORT = PlanCase("wires-50", StillMotion("pan", 1.0, 0), 60, 6, 8, 0.68, size=96)


def test_a_run_comes_back_from_its_recipe_bit_by_bit() -> None:
    again = PlanCase.of({**SHORT.recipe, "path": "somewhere"})
    assert again == SHORT
    assert np.array_equal(run_of(again)[0].voxels, run_of(SHORT)[0].voxels)


def test_the_plan_is_judged_in_a_cell_like_any_other(tmp_path: Path) -> None:
    spec = CaseSpec("fluoroscopy-plan", "judge", 1, SHORT.recipe)
    row = run_cell(Cell(spec, *competing(SUITES["fluoroscopy-plan"]), None, 1), tmp_path, alone=True)
    assert row["status"] == "done", row.get("reason")
    found, said = row["quality"], row["said"]
    best = min(v for k, v in said["errors"].items() if k not in said["barred"])
    assert found["error_best"] == float(f"{best:.6g}")  # as figures stand in a row
    assert found["above_best"] == pytest.approx(found["error"] - found["error_best"], abs=1e-4)
    assert found["passes"] == (found["above_best"] <= 0.2 and found["error"] <= found["error_input"])
    assert ("missed" in said) is (found["passes"] == 0)
    assert row["cost"]["seconds"] > 0 and row["cost"]["peak_mib"] > 0


def test_the_input_keeps_wires_of_every_depth_alike_and_a_short_run_has_no_learned_network(tmp_path: Path) -> None:
    spec = CaseSpec("fluoroscopy-wires", "judge", 1, SHORT.recipe)
    found = fluoroscopy_wires.measure(spec, "input", tmp_path).quality
    shares = [found[f"wire_contrast_{depth}"] for depth in (1, 2, 4)]
    assert shares == pytest.approx(3 * [shares[0]], abs=1e-3) and 0.9 < shares[0] < 1.05
    seen = [found[f"wire_seen_{depth}"] for depth in (1, 2, 4)]
    assert seen[1] == pytest.approx(2 * seen[0], rel=0.05) and seen[2] == pytest.approx(4 * seen[0], rel=0.05)
    with pytest.raises(UnsuitableError, match="20 frames and more; this one has 6"):
        fluoroscopy_wires.measure(spec, fluoroscopy_wires.LEARNED, tmp_path)


def scan() -> tuple[Image, Image]:
    truth = body_phantom(6, 128, (3.0, 2.8, 2.8), 3)
    return truth, low_dose_scan(truth, 20.0, 0.2, 3)


def test_the_gate_passes_a_clean_result_and_added_fat_is_caught() -> None:
    truth, before = scan()
    case = GateCase("phantom", "judge", "a phantom", lambda real, cache: (truth, before))
    body = truth.voxels > -900  # air as it is: where noise was cut at -1024, its mean is not the truth's
    clean = truth.with_voxels(np.where(body, truth.voxels, before.voxels))
    found = gate.held_against(case, truth, before, clean)
    assert found.quality["passes"] == 1 and "missed" not in found.said
    assert all(one["true"] == 0 for one in found.said["tissues"])
    shifted = gate.held_against(case, truth, before, clean.with_voxels(clean.voxels + np.float32(6) * body))
    assert shifted.quality["passes"] == 0 and shifted.said["missed"].startswith("phantom: ")
    assert all(one["true"] == pytest.approx(6, abs=1e-3) for one in shifted.said["tissues"])


def test_real_scans_are_gate_cases_only_where_their_folder_is_known(tmp_path: Path) -> None:
    assert {case.name for case in cases(True)} - {case.name for case in cases(False)} == {
        case.name for case in cases(True) if case.real
    }
    specs = gate.specs(Choices(real=tmp_path))
    assert all("path" not in spec.told for spec in specs)
    assert len(specs) > len(gate.specs(Choices()))


def test_judged_runs_come_before_those_that_were_looked_at() -> None:
    for module in (fluoroscopy_plan, fluoroscopy_wires, gate):
        groups = [spec.group for spec in module.specs(Choices())]
        assert groups == sorted(groups)  # "judge" before "tune"


def test_what_a_suite_cannot_do_is_a_row_with_its_reason(tmp_path: Path) -> None:
    spec = CaseSpec("fluoroscopy-wires", "judge", 1, SHORT.recipe)
    row = run_cell(Cell(spec, Entrant("learned"), None, 1), tmp_path, alone=False)
    assert row["status"] == "failed" and "20 frames" in row["reason"]
