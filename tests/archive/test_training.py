"""A table of scans is trained on as the same scans in folders are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.archive.conftest import Indexer
from tests.cli.conftest import Demottle
from tests.methods.small_sets import scan_of

from demottle import io
from demottle.archive.columns import Column, write_table
from demottle.archive.training import read_manifest
from demottle.errors import InputError
from demottle.learning.data.dataset import Reading, gather, sets_of
from demottle.methods import load

ROOT = Path(__file__).parents[2]
COLUMNS = tuple(Column(name, "text", name) for name in ("side", "key", "folder"))
PATHS = tuple(Column(name, "text", name) for name in ("side", "path", "patient"))


@pytest.fixture
def manifest(root: Path, indexed: Indexer) -> Path:
    """Four patients as DICOM, two on each side, indexed; a table of them beside the index."""
    import pydicom

    for side, numbers, level in (("low", (0, 1), 40.0), ("full", (2, 3), 10.0)):
        for number in numbers:
            folder = root / side / f"p{number}"
            io.write(scan_of(number, level), folder, format="dicom")
            for path in folder.iterdir():
                made = pydicom.dcmread(path)
                made.PatientID = f"{number}"
                made.save_as(path)
    indexed()
    rows = [{"side": row["folder"].split("/")[0], "key": row["key"], "folder": row["folder"]} for row in indexed.series]
    write_table(indexed.archive.folder / "train.parquet", COLUMNS, rows)
    return indexed.archive.folder / "train.parquet"


def test_the_scans_and_their_split_are_those_of_folders(manifest: Path, root: Path, tmp_path: Path) -> None:
    listed = read_manifest(manifest, Reading())
    assert listed.inputs == (root,) and listed.low is not None
    one = sets_of(listed.low, listed.full, tmp_path / "cache")
    other = gather(root / "low", root / "full", tmp_path / "cache2")
    assert one.key == other.key
    kept = [[scan.facts.content for scan in side.scans] for sets in (one, other) for side in (sets.low, sets.full)]
    assert kept[:2] == kept[2:] and all(kept)


def test_the_table_of_the_documentation_is_one(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest.unlink()
    code = (ROOT / "docs" / "training.md").read_text().split("```python\nfrom pyarrow")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec("from pyarrow" + code.replace("ARCHIVE", "archive").replace("(mas or 0) < 40", "mas is None"), {})
    with pytest.raises(InputError, match="no full-dose scan"):  # these headers state no mAs
        read_manifest(manifest, Reading())


@pytest.mark.slow
def test_the_model_is_the_same(manifest: Path, root: Path, tmp_path: Path, demottle: Demottle) -> None:
    small = ("--preset", "small", "--set", "features=8", "--set", "growth=2", "--set", "batch=2", "--set", "warm_up=2")
    said = []
    for name, data in (("m", ("--manifest", manifest)), ("f", ("--low", root / "low", "--full", root / "full"))):
        model = tmp_path / f"{name}.safetensors"
        done = demottle("train", "pdml", *data, "-o", model, *small, "--steps", 3, "--pictures", 0, "--json")
        assert done.exit_code == 0, done.output
        said.append(json.loads(done.stdout)["model_hash"])
    assert said[0] == said[1]


@pytest.mark.slow
def test_two_processes_learn_from_a_manifest_what_one_does(manifest: Path, tmp_path: Path, demottle: Demottle) -> None:
    small = ["--preset", "small", "--set", "features=8", "--set", "growth=2", "--set", "batch=2", "--set", "warm_up=2"]
    command = ["train", "pdml", "--manifest", str(manifest), *small, "--steps", "4", "--pictures", "0"]
    assert demottle(*command, "-o", tmp_path / "one.safetensors").exit_code == 0
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "demottle",
    ]
    both = [*torchrun, *command, "-o", str(tmp_path / "two.safetensors")]
    done = subprocess.run(both, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr
    one, two = (load(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    apart = np.concatenate([np.abs(two.tensors()[name] - value).ravel() for name, value in one.tensors().items()])
    assert np.quantile(apart, 0.99) < 5e-4  # of weights that four steps move by up to 0.008


def test_paths_from_the_manifest_are_read_too(tmp_path: Path) -> None:
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", scan_of(number, 10.0).voxels)
    rows = [
        {"side": "full" if number > 1 else "low", "path": f"{number}.npy", "patient": f"p{number}"}
        for number in range(4)
    ]
    write_table(tmp_path / "m.parquet", PATHS, rows)
    listed = read_manifest(tmp_path / "m.parquet", Reading("CT", (3.0, 2.2, 2.2)))
    assert listed.low is not None and [entry.group for entry in listed.low] == ["p0", "p1"]
    assert listed.full[0].read().shape == (3, 96, 96)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "lists no scan"),
        ([{"side": "half", "path": "a.npy"}], "Row 1 of .* has side 'half'"),
        ([{"side": "full", "path": "gone.npy"}], "names 'gone.npy', which is not there"),
        ([{"side": "low", "path": "."}], "lists no full-dose scan"),
    ],
)
def test_what_a_manifest_says_wrongly_is_one_sentence(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    write_table(tmp_path / "m.parquet", PATHS, rows)
    with pytest.raises(InputError, match=said):
        read_manifest(tmp_path / "m.parquet", Reading())


def test_a_manifest_of_another_archive_is_refused(manifest: Path, tmp_path: Path, demottle: Demottle) -> None:
    rows = [{"side": "full", "key": "0123456789abcdef"}]
    write_table(manifest, COLUMNS, rows)
    with pytest.raises(InputError, match="the archive does not have; index it again"):
        read_manifest(manifest, Reading())
    write_table(manifest, COLUMNS, rows * 2)
    with pytest.raises(InputError, match="twice"):
        read_manifest(manifest, Reading())
    write_table(tmp_path / "m.parquet", COLUMNS, rows)
    with pytest.raises(InputError, match="holds no data set of an archive"):
        read_manifest(tmp_path / "m.parquet", Reading())
    write_table(manifest, COLUMNS[:1], [{"side": "full"}])
    with pytest.raises(InputError, match="needs the columns side"):
        read_manifest(manifest, Reading())
    both = demottle("train", "pdml", "--manifest", manifest, "--low", tmp_path, "-o", tmp_path / "m.safetensors")
    assert both.exit_code == 2 and "leave out --low" in " ".join(both.output.split())
    none = demottle("train", "pdml", "-o", tmp_path / "m.safetensors")
    assert none.exit_code == 2 and "--manifest" in none.output
