"""The cohort of `benchmarks.unpaired` in one file, for a machine that has neither the real scans nor the time to simulate.

    python -m benchmarks.unpaired_data pack cohort.npz --seeds 0 1 2
    python -m benchmarks.unpaired_data unpack cohort.npz

Holds truths and scans as whole HU, named as in the cache (`benchmarks.unpaired_cases`).
"""

import argparse
import io
import lzma
from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE
from benchmarks.unpaired_cases import FULL_HU, LOW_HU, has_real_scans, patients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pack", "unpack"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the noise of judged patients")
    parser.add_argument("--phantoms", action="store_true", help="leave out the real scans")
    options = parser.parse_args()
    if options.what == "unpack":
        print(f"{unpack(options.file)} arrays")
        return
    made(options.seeds, has_real_scans() and not options.phantoms)
    print(f"{pack(options.file)} arrays, {options.file.stat().st_size / 1e6:.1f} MB")


def made(seeds: list[int], real: bool, cache: Path = CACHE) -> None:
    """Simulate whatever is not in the cache yet."""
    for side in ("low", "full", "tuning", "test"):
        for one in patients(side, real):
            one.truth(cache)
            for seed in seeds if side == "test" else [0]:
                one.scan(FULL_HU if side == "full" else LOW_HU, seed, cache)
            print(side, one.name, flush=True)


def pack(file: Path, cache: Path = CACHE) -> int:
    """Write what the cache holds of the cohort, but no truths of full-dose patients; returns how many arrays."""
    left_out = {f"unpaired-truth-{one.name.removeprefix('phantom')}" for one in patients("full", real=True)}
    paths = [path for path in sorted(cache.glob("unpaired-*.npy")) if path.stem not in left_out]
    found = {path.stem: np.load(path).astype(np.int16) for path in paths}
    buffer = io.BytesIO()
    np.savez(buffer, **found)
    file.write_bytes(lzma.compress(buffer.getvalue(), preset=6))
    return len(found)


def unpack(file: Path, cache: Path = CACHE) -> int:
    """Fill the cache; returns how many arrays."""
    cache.mkdir(parents=True, exist_ok=True)
    with np.load(io.BytesIO(lzma.decompress(file.read_bytes())), allow_pickle=False) as found:
        for name in found.files:
            np.save(cache / f"{name}.npy", found[name].astype(np.float32))
        return len(found.files)


if __name__ == "__main__":
    main()
