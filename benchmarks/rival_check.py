"""Whether rivals do what their papers say: white noise goes, and CT noise, which has a grain, comes back from some of them.

    python -m benchmarks.rival_check noise2void neighbor2neighbor zs-n2n --steps 120 --seed 0

Analytic phantom, slices 8 to 15, once with CT noise (rho 0.12) and once with white noise of 40 HU in its place. Prints a line for
each: error in the soft tissue of the body, and how much of the noise of flat tissue is left.
"""

import argparse
import time

import numpy as np

from benchmarks.cases import Case, load_case
from demottle.image import Image
from demottle.methods import METHODS, Budget
from demottle.noise.fingerprint import measure
from demottle.noise.flat import flat_mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--noise", nargs="+", default=["white", "ct"], choices=["white", "ct"])
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0, help="of patient, noise and learning")
    options = parser.parse_args()
    case = load_case("phantom", 0.12, options.seed, slice(8, 16))
    for kind in options.noise:
        noisy = case.noisy if kind == "ct" else white(case.truth, options.seed)
        measured, flat = measure(noisy), flat_mask(case.truth)
        for name in options.methods:
            module, started = METHODS[name].load(), time.process_time()
            budget = Budget(steps=options.steps)
            fitted = module.fit(noisy, module.Settings(), measured, seed=options.seed, budget=budget)
            out = fitted(noisy)
            spent = time.process_time() - started
            before, after = error(case, noisy), error(case, out)
            left = (out.voxels - case.truth.voxels)[flat].std() / (noisy.voxels - case.truth.voxels)[flat].std()
            print(
                f"{kind} noise, {name}: RMSE {before:.1f} to {after:.1f} HU, noise left in flat tissue {100 * left:.0f} %, "
                f"{spent:.0f} s of one core",
                flush=True,
            )


def white(truth: Image, seed: int, sigma: float = 40.0) -> Image:
    """The truth with white noise."""
    noise = sigma * np.random.default_rng(seed).standard_normal(truth.shape, dtype=np.float32)
    return truth.with_voxels(truth.voxels + noise)


def error(case: Case, image: Image) -> float:
    """RMSE in the soft tissue of the body, HU."""
    tissue = case.body & (case.truth.voxels > -150) & (case.truth.voxels < 200)
    return float(np.sqrt(np.mean((image.voxels - case.truth.voxels)[tissue].astype(np.float64) ** 2)))


if __name__ == "__main__":
    main()
