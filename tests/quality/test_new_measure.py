"""The recipe "Adding a measure" of CONTRIBUTING, followed in a copy of the tree: a function and a row."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION = '''

def mean_absolute_error(image: Array, truth: Array, mask: Where = None) -> float:
    """Return the mean absolute error in HU, unclipped: mean(|image - truth|)."""
    return float(np.abs(image - truth)[... if mask is None else mask].mean())
'''
ROW = '    Measure("mae", "MAE", IMAGE_UNIT, 2, "down", "truth", score=in_mask(mean_absolute_error)),\n'
SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from demottle.cli.evaluate.cohort_tables import show_cohort
from demottle.cli.evaluate.figures_csv import write_csv
from demottle.cli.evaluate.tables import show_evaluation
from demottle.image import Image
from demottle.quality.cohort import Case, pairings, summaries
from demottle.quality.evaluation import evaluate
from demottle.quality.figures import figures_of
from demottle.report.cohort import write_cohort_page
from demottle.report.page import write_page

def ct(voxels):
    return Image(voxels.astype(np.float32), (3.0, 0.8, 0.8), "CT", "HU")

out, random = Path(sys.argv[1]), np.random.default_rng(0)
truth = np.full((4, 64, 64), 60.0)
grain = random.normal(0, 20, truth.shape)
before, after, exact = ct(truth + grain), ct(truth + grain / 4), ct(truth)
found = evaluate(before, after, exact)
case = Case("one", "ours", tuple(figures_of(found)))
write_csv(out / "figures.csv", [case])
(out / "evaluation.json").write_text(json.dumps(found.to_dict()))
write_page(before, after, found.check, {}, out / "page.html", evaluation=found)
cases = [case, Case("two", "ours", case.figures)]
write_cohort_page(cases, summaries(cases), pairings(cases), [], out / "cohort.html")
show_evaluation(found)
show_cohort(cases, summaries(cases), pairings(cases))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one more measure."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    errors = copy / "src/demottle/quality/truth/errors.py"
    errors.write_text(errors.read_text() + FUNCTION)
    rows = copy / "src/demottle/quality/measures.py"
    text = rows.read_text()
    named = "errors import bias, psnr"
    place = text.index('    Measure("bias"')
    assert text.count(named) == 1
    text = text[:place] + ROW + text[place:]
    rows.write_text(text.replace(named, "errors import bias, mean_absolute_error, psnr"))
    return copy


def test_a_measure_of_one_function_and_one_row_is_told_everywhere(tree: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tree)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "figures.csv").open() as file:
        (line,) = [row for row in csv.DictReader(file) if row["figure"] == "MAE against the truth"]
    assert line["unit"] == "HU"
    assert float(line["before"]) == pytest.approx(16, rel=0.05)  # sqrt(2 / pi) of 20 HU
    assert float(line["after"]) == pytest.approx(4, rel=0.05)
    assert '"mae": ' in (tmp_path / "evaluation.json").read_text()
    told = f"{float(line['after']):.2f}"
    assert (
        f"<td>MAE</td><td>{float(line['before']):.2f} HU</td><td>{told} HU</td>" in (tmp_path / "page.html").read_text()
    )
    assert "MAE against the truth" in (tmp_path / "cohort.html").read_text()
    (row,) = [line for line in done.stdout.splitlines() if line.strip().startswith("MAE (HU)")]
    assert told in row
    assert any(line.startswith("MAE against the truth") for line in done.stdout.splitlines())
