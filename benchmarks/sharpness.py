"""Sharpness of faint discs where noise hides their edges: the same network on the same noise with and without the discs.

    python -m benchmarks.sharpness abdomen:0.12 chest:0.45

One network is fitted on the scan with discs of 35 HU and 10 mm, then applied to the scan with and without them. The difference
of the two results is what became of the discs, nearly free of noise; its mean edge has an f50 that can be compared with that of
the discs put in. (A denoiser is not linear: this is its answer to these discs in this noise, which is what is asked.)
"""

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.__main__ import DISC_RADIUS_MM, disc_figures, with_discs
from benchmarks.cases import load_case
from demottle.denoise import denoise
from demottle.image import Image


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
        put_in = replace(case, truth=_image(case.truth, case.truth.voxels - empty.truth.voxels))
        contrast, f50 = disc_figures(put_in, _image(case.truth, response), discs)
        told = "not measurable" if f50 is None else f"{f50:.2f} of that put in"
        print(f"{name}: {len(discs)} discs, contrast {contrast:.2f}, f50 {told}", flush=True)


def _image(like: Image, voxels: np.ndarray) -> Image:
    return replace(like, voxels=np.ascontiguousarray(voxels, dtype=np.float32))


if __name__ == "__main__":
    main()
