"""A benchmark case as one small file, for machines without the public scans: int16, compressed.

    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.packed_case abdomen:0.12 --slices 20:44 --out CASE.npz

The scans are not ours to pass on: a packed case is for carrying to another machine of one's own, not for the repository.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, load_case
from demottle.benchmark.suites.judging import body_mask
from demottle.image import Image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", help="CASE:RHO")
    parser.add_argument("--slices", default=":", help="FIRST:LAST, the last not included; without, all")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    name, rho = options.case.split(":")
    pack(load_case(name, float(rho), options.seed, chosen(options.slices)), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.1f} MiB")


def chosen(text: str) -> slice:
    """From "FIRST:LAST" to a slice."""
    first, last = (int(part) if part else None for part in text.split(":"))
    return slice(first, last)


def pack(case: Case, path: Path) -> None:
    """Write a case, rounded to whole HU. Noise and truth apart, of the body's box alone: that compresses better."""
    rows, columns = (np.flatnonzero(case.body.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    box = tuple(slice(max(0, at[0] - 16) // 16 * 16, min(side, -(-(at[-1] + 16) // 16) * 16)) for at, side in (
        (rows, case.truth.shape[1]), (columns, case.truth.shape[2])
    ))  # fmt: skip
    truth, noisy = (np.rint(image.voxels[:, *box]).astype(np.int16) for image in (case.truth, case.noisy))
    note = {"spacing": case.truth.spacing, "description": case.description}
    np.savez_compressed(path, truth=np.diff(truth, axis=2, prepend=0), noise=noisy - truth, note=json.dumps(note))


def unpacked(path: Path) -> Case:
    """Read a packed case."""
    with np.load(path, allow_pickle=False) as file:
        truth = np.cumsum(file["truth"], axis=2, dtype=np.int16).astype(np.float32)
        noisy = truth + file["noise"]
        note = json.loads(str(file["note"]))
    spacing = tuple(float(v) for v in note["spacing"])
    images = [
        Image(np.ascontiguousarray(voxels), spacing, modality="CT", unit="HU", slice_thickness=spacing[0])
        for voxels in (truth, noisy)
    ]
    return Case(images[0], images[1], body_mask(images[0]), f"{note['description']}, packed")


if __name__ == "__main__":
    main()
