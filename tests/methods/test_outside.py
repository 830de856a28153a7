"""Methods of others: found where the user says so, saved with their origin, loaded only where they are given."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.methods.small_sets import scan_of
from typer.testing import CliRunner, Result

from demottle import io
from demottle.benchmark.suites import ct_volume
from demottle.cli import app
from demottle.errors import InputError
from demottle.methods import METHODS, load, use_file
from demottle.methods.models import read_header
from demottle.pipeline.run import denoise

OWN = """
from dataclasses import dataclass

from scipy.ndimage import median_filter

from demottle.methods import MethodInfo
from demottle.methods.filters.plane_filter import PlaneFilter

CARD = MethodInfo("median", "Median", "nothing", "A median.", "classical", __name__)


@dataclass(frozen=True)
class Settings:
    size: int = 3


class Median(PlaneFilter[Settings]):
    method = CARD.name
    even = False

    def _plane(self, plane, level):
        return median_filter(plane, self._settings.size)


fit, restore = Median.fit, Median.restore
"""


@pytest.fixture(autouse=True)
def _forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHODS, "_cards", {name: METHODS[name] for name in METHODS})


def forget() -> None:
    del METHODS._cards["median"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def test_a_file_is_denoised_with_saved_and_loaded(own: Path, tmp_path: Path) -> None:
    use_file(own)
    scan = scan_of(1, 40.0)
    made = denoise(scan, method="median", settings={"size": 5})
    model = made.denoiser.save(tmp_path / "own.safetensors")
    assert np.array_equal(load(model)(scan).voxels, made.image.voxels)
    assert read_header(model)["origin"] == "own.py"
    assert "median_filter" not in model.read_bytes().decode(errors="replace")


def test_a_model_loads_only_where_its_method_is_given(own: Path, tmp_path: Path) -> None:
    use_file(own)
    model = denoise(scan_of(1, 40.0), method="median").denoiser.save(tmp_path / "own.safetensors")
    forget()
    with pytest.raises(InputError, match=r'"median" of own\.py, which is not given; give it with --method-file\.'):
        load(model)
    other = own.rename(tmp_path / "other.py")
    use_file(other)
    with pytest.raises(InputError, match=r"of own\.py, but the one given is of other\.py"):
        load(model)


def test_a_model_of_demottle_does_not_load_as_somebody_elses(own: Path, tmp_path: Path) -> None:
    use_file(own)
    made = denoise(scan_of(1, 40.0), method="median").denoiser
    forget()
    model = made.save(tmp_path / "old.safetensors")
    assert "origin" not in read_header(model)
    use_file(own)
    with pytest.raises(InputError, match=r"not of that of own\.py"):
        load(model)


def test_nothing_that_a_model_names_is_executed(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_file(own)
    made = denoise(scan_of(1, 40.0), method="median").denoiser
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'was-here')!r}, 'w')\n{OWN}")
    for origin in ("evil.py", str(evil), "the package evil"):
        METHODS._cards["median"] = replace(METHODS["median"], origin=origin)
        model = made.save(tmp_path / "own.safetensors")
        card = METHODS["median"]
        forget()
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.syspath_prepend(str(tmp_path))
            with pytest.raises(InputError, match="not given"):
                load(model)
        METHODS.add(card)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", r"own\.py has no CARD"),
        ("1 / 0", r"own\.py fails when it is run \(ZeroDivisionError"),
        ("def (", r"own\.py fails when it is run \(SyntaxError"),
        (OWN.replace("fit, restore =", "fit, _ ="), r"own\.py has no restore; a method has Settings, restore, fit"),
        (OWN.replace('"median", "Median", "nothing"', '"median", "Median", "pairs"'), "has no train and no PRESETS"),
        (OWN.replace('"median", "M', '"tv", "M'), r'own\.py calls its method "tv", as demottle does'),
    ],
)
def test_a_file_that_is_no_method_is_one_sentence(own: Path, code: str, sentence: str) -> None:
    own.write_text(code)
    before = set(METHODS)
    with pytest.raises(InputError, match=sentence):
        use_file(own)
    assert set(METHODS) == before


def demottle(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done


def test_the_program_takes_a_file(own: Path, tmp_path: Path) -> None:
    io.write(scan_of(1, 40.0), tmp_path / "scan.nii.gz")
    told = json.loads(demottle("methods", "median", "--method-file", str(own), "--json").stdout)
    assert told["median"]["title"] == "Median"
    forget()
    scan = ("denoise", str(tmp_path / "scan.nii.gz"), "--modality", "CT", "--force", "--no-report")
    file, model = ("--method-file", str(own)), str(tmp_path / "own.safetensors")
    demottle(*scan, "-o", str(tmp_path / "a.nii.gz"), "--method", "median", *file, "--save-model", model)
    forget()
    refused = demottle(*scan, "-o", str(tmp_path / "b.nii.gz"), "--model", model, code=2)
    assert "give it with --method-file" in " ".join(refused.stderr.split())
    demottle(*scan, "-o", str(tmp_path / "b.nii.gz"), "--model", model, *file)
    first, second = (io.read(tmp_path / f"{n}.nii.gz", modality="CT", accept_own_output=True) for n in "ab")
    assert np.array_equal(first.voxels, second.voxels)
    idle = demottle(*scan, "-o", str(tmp_path / "c.nii.gz"), *file, code=2)
    assert "makes a method known" in " ".join(idle.stderr.split())


@pytest.mark.slow
def test_it_takes_part_in_the_benchmark(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"slices": 6, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0}
    monkeypatch.setattr(ct_volume, "QUICK", small)
    options = ("--method", "median", "--method-file", str(own), "--threads", "1")
    demottle("benchmark", "--quick", "-o", str(tmp_path / "out"), *options)
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()[1:]]
    assert {row["entrant"]: row["status"] for row in rows} == {"input": "done", "median": "done"}


def test_installed_packages_are_found_and_a_broken_one_hides_nothing(own: Path, tmp_path: Path) -> None:
    for name, code in (("own_package", OWN), ("broken_package", "1 / 0")):
        (tmp_path / f"{name}.py").write_text(code)
        facts = tmp_path / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[demottle.methods]\n{name} = {name}:CARD\n")
    path = os.pathsep.join((str(tmp_path), *sys.path))
    code = (
        "from demottle.methods import METHODS, method\n"
        "print(METHODS['median'].origin, METHODS['median'].load().Median.method)\n"
        "print(METHODS.troubles)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    found, troubles = done.stdout.splitlines()
    assert found == "the package own-package median"
    assert "broken_package of the package broken-package cannot be used (ZeroDivisionError" in troubles
