"""Sharpness of faint discs where noise hides their edges: the same network on the same noise with and without the discs.

    python -m benchmarks.sharpness abdomen:0.12 chest:0.45

One network is fitted on the scan with discs of 35 HU and 10 mm, then applied to the scan with and without them. The difference
of the two results is what became of the discs, nearly free of noise; its mean edge has an f50 that can be compared with that of
the discs put in. (A denoiser is not linear: this is its answer to these discs in this noise, which is what is asked.)
"""

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.__main__ import DISC_RADIUS_MM, with_discs
from benchmarks.cases import load_case
from demottle.denoise import denoise
from demottle.physics.inserts import Insert
from demottle.quality import edge

LOWEST_CNR = 5.0  # what is left of the noise in a difference is small and makes a small error, which is told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", help="like abdomen:0.12")
    parser.add_argument("--seed", type=int, default=0, help="of noise and learning")
    options = parser.parse_args()
    for name in options.cases:
        anatomy, rho = name.split(":")
        empty = load_case(anatomy, float(rho), seed=options.seed)
        case, discs = with_discs(empty)
        if not discs:
            print(f"{name}: no flat place for discs of {2 * DISC_RADIUS_MM:g} mm")
            continue
        fitted = denoise(case.noisy, method="matched-neighbors", seed=options.seed)
        response = fitted.image.voxels - fitted.denoiser(empty.noisy).voxels
        put_in = case.truth.voxels - empty.truth.voxels
        step = case.truth.spacing[1]
        got, true = (mean_edge(voxels, discs, step) for voxels in (response, put_in))
        print(
            f"{name}: {len(discs)} discs, contrast {got.contrast / true.contrast:.2f} of that put in, contrast-to-noise "
            f"{got.cnr:.0f}, f50 {got.f50 / true.f50:.2f} +- {got.f50_error / true.f50:.2f} of that put in",
            flush=True,
        )


def mean_edge(voxels: np.ndarray, discs: Sequence[Insert], step: float) -> edge.EdgeResponse:
    """The edge of the mean of all discs, over the three slices in the middle of each."""
    half = int(np.ceil(2.4 * DISC_RADIUS_MM / step))
    cut = []
    for disc in discs:
        z, row, column = (int(c) for c in disc.center)
        cut.append(voxels[z - 1 : z + 2, row - half : row + half + 1, column - half : column + half + 1].mean(axis=0))
    return edge.disc_edge(np.stack(cut), step, (half, half), DISC_RADIUS_MM / step, lowest_cnr=LOWEST_CNR)


if __name__ == "__main__":
    main()
