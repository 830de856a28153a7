"""The Python peer of NORDIC (`patch-denoise`, MIT), run by suite nordic with a Python that has it. Imports no demottle.

    PEER-PYTHON nordic_peer.py METHOD SERIES.npz OUT.npz

It is given the series over its true noise map and the true level, and a grid of patches that covers the volume (it leaves gaps
otherwise): all slices, 11 to 12 voxels a volume, half to two thirds overlap.
"""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

LEVEL = 2**0.5  # of complex noise whose parts have unit variance
METHODS: Mapping[str, Mapping[str, Any]] = {
    "nordic": {"noise_std": LEVEL},
    "hybrid_pca": {"noise_std": LEVEL},
    "mp_pca": {},
    "optimal_thresholding": {"loss": "fro"},
}
SERIES = ("noisy", "turned")


def main() -> None:
    """Denoise one series by one method."""
    from patch_denoise import denoise as peer

    method, source, target = sys.argv[1:4]
    with np.load(source) as file:
        noisy, noise = file["series"], file["noise"]
    series = np.moveaxis(noisy / noise, 0, -1).transpose(2, 1, 0, 3).copy()
    side, overlap = (10, 7) if series.shape[-1] > 80 else (8, 4)
    deep = series.shape[2]
    begun = time.process_time()
    out = getattr(peer, method)(
        series,
        patch_shape=(side, side, deep),
        patch_overlap=(overlap, overlap, deep - 1),
        mask_threshold=-1,
        **METHODS[method],
    )[0]
    seconds = time.process_time() - begun
    np.savez(target, seconds=json.dumps(seconds), found=np.asarray(out.transpose(3, 2, 1, 0) * noise, np.complex64))


if __name__ == "__main__":
    main()
