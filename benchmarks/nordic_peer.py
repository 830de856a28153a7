"""The Python peer of NORDIC (`patch-denoise`, MIT), run by `benchmarks.nordic` with a Python that has it. Imports no demottle.

    PEER-PYTHON benchmarks/nordic_peer.py SERIES.npz OUT.npz

It is given the series over its true noise map and the true level, and a grid of patches that covers the volume (it leaves gaps
otherwise): all slices, 11 to 12 voxels a volume, half to two thirds overlap.
"""

import json
import sys
import time

import numpy as np
from patch_denoise import denoise as peer

LEVEL = 2**0.5  # of complex noise whose parts have unit variance
METHODS = {
    "nordic": {"noise_std": LEVEL},
    "hybrid_pca": {"noise_std": LEVEL},
    "mp_pca": {},
    "optimal_thresholding": {"loss": "fro"},
}


def main() -> None:
    source, target = sys.argv[1:3]
    with np.load(source) as file:
        parts = {name: file[name] for name in ("noisy", "turned", "noise")}
    results, seconds = {}, {}
    for variant in ("noisy", "turned"):
        series = np.moveaxis(parts[variant] / parts["noise"], 0, -1).transpose(2, 1, 0, 3).copy()
        side, overlap = (10, 7) if series.shape[-1] > 80 else (8, 4)
        deep = series.shape[2]
        for method, options in METHODS.items():
            begun = time.process_time()
            out = getattr(peer, method)(
                series,
                patch_shape=(side, side, deep),
                patch_overlap=(overlap, overlap, deep - 1),
                mask_threshold=-1,
                **options,
            )[0]
            name = f"{method} {variant}"
            seconds[name] = time.process_time() - begun
            results[name] = np.asarray(out.transpose(3, 2, 1, 0) * parts["noise"], np.complex64)
    np.savez(target, seconds=json.dumps(seconds), **results)


if __name__ == "__main__":
    main()
