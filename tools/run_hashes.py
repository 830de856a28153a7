"""Do the same runs give the same results as before? Hashes of a dozen runs of the program, for changes that move code.

    python tools/run_hashes.py --write FILE      # before the change
    python tools/run_hashes.py --compare FILE    # after it: names the runs that differ, exit code 1

Each run starts from small scans that `demottle simulate` makes, on one thread and with a fixed seed, so that two
runs of the same code agree bit by bit on one machine (not across machines). Of what was written the voxels, headers, tables,
records and learned numbers count; UIDs, dates, times and paths do not.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from safetensors.numpy import load_file

SCAN = "--size 128 --slices 8"
RUNS = {
    "phantom": f"simulate phantom -o body {SCAN} --repeats 2",
    "brain": "simulate phantom -o brain --kind brain --size 96 --slices 6",
    "frames": "simulate fluoroscopy -o run --size 96 --frames 12 --motion panning",
    "inspect": "inspect body/repeat-1 --json",
    "inspect-run": "inspect run/run.dcm --json",
    "volume": "denoise body/repeat-1 -o volume --force",
    "volume-learned": "denoise body/repeat-1 -o learned --method matched-neighbors --steps 20 --force "
    "--save-model learned.safetensors",
    "volume-model": "denoise body/repeat-2 -o with-model --model learned.safetensors --force",
    "volume-filter": "denoise body/repeat-1 -o filtered.nii.gz --method nl-bayes --texture 0.3 --strength 0.8 --force",
    "slice": "denoise body/repeat-1/image-0004.dcm -o slice --force",
    "mr": "denoise brain/scan.nii.gz -o mr.nii.gz --modality MR --force",
    "run": "denoise run/run.dcm -o frames.dcm",
    "run-learned": "denoise run/run.dcm -o udca.dcm --method udca --steps 20 --save-model udca.safetensors --force",
    "stream": "stream run/run.dcm -o stream.dcm --method recursive",
    "stream-model": "stream run/run.dcm -o stream-model.dcm --model udca.safetensors --engine torch",
    "train": "train pdml --low low --full full --steps 6 -o pdml.safetensors --preset small --pictures 0 --set warm_up=4",
    "evaluate": "evaluate volume --input body/repeat-1 --truth body/truth --structures body/truth.json --csv evaluate.csv",
    "evaluate-run": "evaluate frames.dcm --input run/run.dcm --truth run/truth.nii.gz --csv evaluate-run.csv",
}
_PASSING = re.compile(
    "date|time|uid|seconds|version|created|host|path|folder|elapsed|machine|took|ms_per|^patient$|^scan$|_ms|fps|latency|"
    "rate|speed|pace|hash|sha",
    re.IGNORECASE,
)

_TIMES = re.compile(r"\d[\d.:]*\s(s|ms|min|minutes|seconds|frames per second)\b")


def main() -> None:
    """Run everything; write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="where the hashes go")
    parser.add_argument("--compare", type=Path, help="hashes written before")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = dict(_hashes(Path(folder)))
    if wanted.write:
        wanted.write.write_text(json.dumps(found, indent=1) + "\n")
    if wanted.compare:
        before = json.loads(wanted.compare.read_text())
        differing = [name for name in RUNS if before.get(name) != found.get(name)]
        print(f"{len(RUNS) - len(differing)} of {len(RUNS)} runs as before")
        for name in differing:
            parts = sorted(set(before.get(name, {}).items()) ^ set(found[name].items()))
            print(f"{name}: " + ", ".join(sorted({part for part, _ in parts})))
        sys.exit(bool(differing))


def _hashes(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every run, in order, with the hash of each thing it wrote."""
    seen: set[Path] = set()
    for name, line in RUNS.items():
        if name == "train":
            _cohorts(folder)
            seen.update(_files(folder))
        done = subprocess.run(
            [sys.executable, "-m", "demottle", *line.split()],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": ""},
        )
        if done.returncode:
            print(f"{name}: exit code {done.returncode}: {done.stderr[-400:]}", file=sys.stderr)
        new = [path for path in _files(folder) if path not in seen]
        seen.update(new)
        hashes = {str(path.relative_to(folder)): _content(path) for path in new}
        hashes["screen"] = _digest(str(done.returncode), _said(done.stdout, folder))
        print(f"{name}: {len(hashes)} things", file=sys.stderr, flush=True)
        yield name, hashes


def _cohorts(folder: Path) -> None:
    """Two patients a side, for training: the two scans of the phantom and its truth stand for them."""
    for side, scans in (("low", ("repeat-1", "repeat-2")), ("full", ("truth", "truth"))):
        for number, scan in enumerate(scans):
            target = folder / side / f"patient-{number}"
            target.mkdir(parents=True)
            for path in sorted((folder / "body" / scan).glob("*.dcm")):
                header = pydicom.dcmread(path)
                header.PatientID = f"{side}-{number}"
                header.SeriesInstanceUID = f"1.2.826.0.1.3680043.8.498.{len(side)}{number}"
                header.save_as(target / path.name)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".html", ".png", ".jpg"})


def _said(text: str, folder: Path) -> str:
    """What a user read, without times and places, however its lines were broken."""
    lines = [line for line in text.replace(str(folder), "").splitlines() if not _PASSING.search(line)]
    return _TIMES.sub("...", " ".join(" ".join(lines).split()))


def _content(path: Path) -> str:
    if path.suffix == ".dcm":
        return _dicom(path)
    if path.name.endswith((".nii", ".nii.gz")):
        image = nibabel.load(path)
        return _digest(np.asarray(image.dataobj).tobytes(), str(image.affine))
    if path.suffix == ".npy":
        return _digest(path.read_bytes())
    if path.suffix == ".json":
        return _digest(json.dumps(_lasting(json.loads(path.read_text())), sort_keys=True))
    if path.suffix == ".safetensors":
        tensors = load_file(path)
        return _digest(*(part for key in sorted(tensors) for part in (key, tensors[key].tobytes())))
    return _digest(_said(path.read_text(errors="replace"), path.parent))


def _dicom(path: Path) -> str:
    """Pixels and header, without UIDs, dates and times."""
    header = pydicom.dcmread(path)
    lines = [
        str(element)
        for element in header.iterall()
        if element.VR not in {"UI", "DA", "TM", "DT", "OB", "OW"} and not _PASSING.search(element.name)
    ]
    return _digest(header.PixelData, "\n".join(re.sub(r"\d[\d.]{20,}", "UID", line) for line in lines))


def _lasting(value: object) -> object:
    if isinstance(value, dict):
        return {key: _lasting(inner) for key, inner in value.items() if not _PASSING.search(key)}
    if isinstance(value, list):
        return [_lasting(inner) for inner in value]
    return value


def _digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()[:16]


if __name__ == "__main__":
    main()
