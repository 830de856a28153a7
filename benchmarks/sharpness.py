"""Sharpness of faint discs where noise hides their edges: the same network on the same noise with and without the discs.

    python -m benchmarks.sharpness abdomen:0.12 chest:0.45

One network is fitted on the scan with discs of 35 HU and 16 mm, then applied to the scan with and without them. The difference
of the two results is what became of the discs, nearly free of noise; its mean edge has an f50 that can be compared with that of
the discs put in. (A denoiser is not linear: this is its answer to these discs in this noise, which is what is asked.)
"""

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.__main__ import DISC_HEIGHT_MM, DISC_HU
from benchmarks.cases import Case, load_case
from demottle.errors import InputError
from demottle.physics.phantoms.inserts import Insert, add_inserts, flat_places
from demottle.pipeline.run import denoise
from demottle.quality.objects import edge

RADIUS_MM = 8.0  # an edge needs five pixels
LOWEST_CNR = 5.0  # what is left of the noise in a difference is small and makes a small error, which is told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", help="like abdomen:0.12")
    parser.add_argument("--seed", type=int, default=0, help="of noise and learning")
    options = parser.parse_args()
    for name in options.cases:
        anatomy, rho = name.split(":")
        empty = load_case(anatomy, float(rho), seed=options.seed)
        discs, put_in = discs_in(empty)
        scan = empty.noisy.with_voxels(empty.noisy.voxels + put_in)
        fitted = denoise(scan, method="matched-neighbors", seed=options.seed)
        response = fitted.image.voxels - fitted.denoiser(empty.noisy).voxels
        step = empty.truth.spacing[1]
        got, true = (mean_edge(voxels, discs, step) for voxels in (response, put_in))
        print(
            f"{name}: {len(discs)} discs, contrast {got.contrast / true.contrast:.2f} of that put in, contrast-to-noise "
            f"{got.cnr:.0f}, f50 {got.f50 / true.f50:.2f} +- {got.f50_error / true.f50:.2f} of that put in",
            flush=True,
        )


def discs_in(case: Case) -> tuple[list[Insert], np.ndarray]:
    """Discs where the tissue is flat, as many as there is room for, and what they add to the scan."""
    for count in (12, 8, 5, 3, 1):
        try:
            places = flat_places(case.truth, RADIUS_MM, count, height_mm=DISC_HEIGHT_MM, tolerance=30.0)
            break
        except InputError:
            if count == 1:
                raise
    discs = [Insert(place, RADIUS_MM, DISC_HU, DISC_HEIGHT_MM) for place in places]
    return discs, add_inserts(case.truth, discs, blur_mm=0.7).voxels - case.truth.voxels


def mean_edge(voxels: np.ndarray, discs: Sequence[Insert], step: float) -> edge.EdgeResponse:
    """The edge of the mean of all discs, over the three slices in the middle of each."""
    half = int(np.ceil(2.4 * RADIUS_MM / step))
    cut = []
    for disc in discs:
        z, row, column = (int(c) for c in disc.center)
        cut.append(voxels[z - 1 : z + 2, row - half : row + half + 1, column - half : column + half + 1].mean(axis=0))
    return edge.disc_edge(np.stack(cut), step, (half, half), RADIUS_MM / step, lowest_cnr=LOWEST_CNR)


if __name__ == "__main__":
    main()
