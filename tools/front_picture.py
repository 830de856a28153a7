"""Make the picture of the front page, docs/pictures/front.png, and the figures of its caption.

    python -m tools.front_picture FOLDER CACHE

FOLDER holds the public scans (abdomen-ct), CACHE keeps what takes minutes. A real abdomen is made noise-free, as in the suite
`ct-real`, gets half of that suite's noise, drawn in the projections, and is denoised as `demottle denoise` does.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real_scans import RECIPES, image_of, noise_of, read_real
from demottle.benchmark.suites.store import kept_as
from demottle.benchmark.suites.truth import make_truth
from demottle.image import Image, Mask, Voxels
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.pipeline.run import denoise
from demottle.quality.truth.whole import against_truth

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "front.png"
SLICES = range(45, 51)
SHOWN = 2
PART = (slice(122, 394), slice(118, 390))
ZOOM = (slice(92, 160), slice(76, 144))
"""Rows and columns of PART that are shown larger."""
SIGMA, RHO, SEED = 20.0, 0.12, 7
FINE_MM = 2.0
"""Detail is what a Gaussian of this width (standard deviation) takes out."""
FAINT_HU = 10.0
WINDOW, WINDOW_REMOVED = (-110.0, 190.0), (-60.0, 60.0)
SOURCE = "CT: TCIA, TCGA-OV, TCGA-09-2043, CC BY 3.0, made noise-free; noise simulated"


def case(folder: Path, cache: Path) -> tuple[Image, Image]:
    """Return the truth and the scan with noise."""
    voxels, spacing = read_real("abdomen", folder)
    whole = image_of(voxels[SLICES.start : SLICES.stop], spacing)  # its own noise hardly shows in line integrals
    name = f"front-{SLICES.start}-{PART[0].start}-{PART[1].start}"

    def made() -> dict[str, Voxels]:
        return {"truth": make_truth(voxels, noise_of("abdomen", voxels, cache), list(SLICES), PART)}

    truth = image_of(kept_as(cache, f"truth-{name}", made)["truth"], spacing)
    noise = mix_slices(independent_noise(whole, SIGMA, Scanner(kernel=RECIPES["abdomen"].kernel), SEED), RHO)
    return truth, truth.with_voxels(np.rint(truth.voxels + noise[:, *PART]))


def detail_left(image: Image, truth: Image, where: Mask, below: float = np.inf) -> float:
    """Share of the truth's fine detail that an image holds, as the slope of one on the other; noise does not change it.

    Args:
        image, truth: what is compared.
        where: the voxels that count.
        below: detail of at least so many HU in the truth is left out.
    """
    width = FINE_MM / truth.spacing[1]
    fine, true = (
        np.stack([plane - gaussian_filter(plane, width) for plane in one.voxels])[where] for one in (image, truth)
    )
    faint = np.abs(true) < below
    fine, true = fine[faint], true[faint]
    return float(np.vdot(fine, true) / np.vdot(true, true))


def figures(truth: Image, noisy: Image, result: Image) -> dict[str, str]:
    """Return what the caption tells."""
    soft = body_mask(truth) & (truth.voxels > -150) & (truth.voxels < 200)
    soft = np.stack([binary_erosion(plane, iterations=2) for plane in soft])
    errors = against_truth(noisy, result, truth)
    return {
        "noise": f"{np.std((noisy.voxels - truth.voxels)[soft]):.0f} HU",
        "error": f"{errors.before.rmse:.1f} -> {errors.after.rmse:.1f} HU",
        "PSNR": f"{errors.before.psnr:.1f} -> {errors.after.psnr:.1f} dB",
        **{
            f"fine detail{told}": f"{100 * detail_left(noisy, truth, soft, below):.0f} -> "
            f"{100 * detail_left(result, truth, soft, below):.0f} %"
            for told, below in (("", np.inf), (f" of less than {FAINT_HU:g} HU", FAINT_HU))
        },
    }


def draw(truth: Image, noisy: Image, result: Image) -> np.ndarray:
    """Draw four pictures, and a part of each larger below."""
    removed = noisy.voxels - result.voxels
    planes = [
        ("as scanned", noisy.voxels[SHOWN], WINDOW),
        ("denoised", result.voxels[SHOWN], WINDOW),
        ("removed", removed[SHOWN], WINDOW_REMOVED),
        ("truth", truth.voxels[SHOWN], WINDOW),
    ]
    columns = [_column(name, plane, window) for name, plane, window in planes]
    foot = np.zeros((20, sum(column.shape[1] for column in columns)), np.uint8)
    _write(foot, SOURCE, 150)
    return np.vstack([np.hstack(columns), foot])


def _column(name: str, plane: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    low, high = window
    gray = np.clip((plane - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    side = gray.shape[1]
    larger = cv2.resize(gray[ZOOM], (side, side), interpolation=cv2.INTER_CUBIC)
    rows, columns = ZOOM
    cv2.rectangle(gray, (columns.start, rows.start), (columns.stop, rows.stop), 255)
    head = np.zeros((20, side), np.uint8)
    _write(head, name, 230)
    return np.pad(np.vstack([head, gray, np.zeros((4, side), np.uint8), larger]), ((0, 0), (2, 2)))


def _write(strip: np.ndarray, text: str, gray: int) -> None:
    cv2.putText(strip, text, (3, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, gray, 1, cv2.LINE_AA)


def main() -> None:
    """Draw, and tell the figures."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    truth, noisy = case(Path(sys.argv[1]), Path(sys.argv[2]))
    found = denoise(noisy, seed=0)
    PICTURE.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(PICTURE), draw(truth, noisy, found.image), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(found)
    for name, told in figures(truth, noisy, found.image).items():
        print(f"{name}: {told}")


if __name__ == "__main__":
    main()
