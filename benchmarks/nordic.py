"""Complex MR series with known truth: `nordic`, the phase left out, `mp-pca`, and the Python peer `patch-denoise`.

    python -m benchmarks.nordic --seeds 1000 1001 1002 --peer PYTHON --out benchmark-results/nordic.jsonl

Functional (100 volumes, block design) and diffusion series (66 volumes) of `physics.mr.series`, 12 x 64 x 64 voxels, g-factor 1
to 3.
PYTHON is the interpreter of an environment with `pip install patch-denoise`; without it its rows are missing. The peer is given
the true noise; demottle measures it ("nordic") or is given it ("nordic, noise given"). "turned" is the peer on series whose phase
was taken off by demottle. Times are of the processor, one thread, of denoising alone. tSNR is mean over deviation in time, median
over the head; beta the slope on the design as a share of the truth's, over active voxels; t the median of its t values there.
No setting was chosen on seeds from 1000 on (those chosen: seed 900).
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.io.files.nifti_frames import frames_of, gaps, volumes_of
from demottle.methods.filters import mp_pca
from demottle.methods.low_rank import nordic
from demottle.methods.low_rank.phase import turning
from demottle.physics.mr.series import MrSeries, diffusion_series, functional_series

KINDS = {"functional": functional_series, "diffusion": diffusion_series}
Row = dict[str, float | str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1000, 1001, 1002])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--peer", help="a Python that has patch-denoise")
    parser.add_argument("--mp-pca", action="store_true", help="also mp-pca, which takes half a minute")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/nordic.jsonl"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with options.out.open("w") as file:
        for seed in options.seeds:
            for kind in options.kinds:
                for row in case(kind, seed, options.peer, options.mp_pca):
                    rows.append(row)
                    file.write(json.dumps(row) + "\n")
                    file.flush()
                    print(json.dumps(row), flush=True)
    print(table(rows))


def case(kind: str, seed: int, peer: str | None, with_mp_pca: bool) -> Iterator[Row]:
    """Yield the rows of one series."""
    series = KINDS[kind](seed=seed)
    yield row(kind, seed, "input", series, np.abs(series.noisy), 0.0)
    image = image_of(series)
    alone = replace(image, phase=None)
    given = replace(image, maps={"noise": stacked(series.noise_map[None])[0]})
    entrants = [
        ("nordic", nordic.Nordic(nordic.Settings(), {}), image),
        ("nordic, noise given", nordic.Nordic(nordic.Settings(), {}), given),
        ("nordic, threshold", nordic.Nordic(nordic.Settings(shrinkage="threshold"), {}), image),
        ("nordic, magnitude alone", nordic.Nordic(nordic.Settings(), {}), alone),
        *([("mp-pca, magnitude alone", mp_pca.MpPca(mp_pca.Settings(), {}), alone)] if with_mp_pca else []),
    ]
    for name, method, seen in entrants:
        begun = time.process_time()
        out = method(seen).voxels
        spent = time.process_time() - begun
        yield row(kind, seed, name, series, volumes_of(out, series.truth.shape[1]).transpose(3, 2, 1, 0), spent)
    if peer is not None:
        yield from of_peer(kind, seed, series, peer)


def of_peer(kind: str, seed: int, series: MrSeries, peer: str) -> Iterator[Row]:
    turned = np.stack(
        [series.noisy[:, z] * turning(series.noisy[:, z]).conj() for z in range(len(series.head))], axis=1
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "series.npz", Path(folder) / "out.npz"
        np.savez(source, noisy=series.noisy, turned=turned, noise=series.noise_map)
        script = str(Path(__file__).with_name("nordic_peer.py"))
        subprocess.run([peer, script, str(source), str(target)], check=True, capture_output=True)
        with np.load(target) as file:
            seconds = json.loads(str(file["seconds"]))
            for name, spent in seconds.items():
                yield row(kind, seed, f"peer: {name}", series, np.abs(file[name]), spent)


def row(kind: str, seed: int, name: str, series: MrSeries, found: NDArray[np.floating], seconds: float) -> Row:
    """Measure one result."""
    truth = np.abs(series.truth)
    error = (found - truth)[:, series.head]
    inside = found[:, series.head]
    told: Row = {"kind": kind, "seed": seed, "method": name, "rmse": float(np.sqrt(np.mean(error**2)))}
    told |= {"bias": float(error.mean()), "tsnr": float(np.median(inside.mean(axis=0) / inside.std(axis=0).clip(1e-9)))}
    if series.active.any():
        design, active = series.design, series.active
        weight = float(design @ design)
        slopes = [design @ (values[:, active] - values[:, active].mean(axis=0)) / weight for values in (truth, found)]
        rest = found[:, active] - found[:, active].mean(axis=0) - np.outer(design, slopes[1])
        free = len(design) - 2
        told["beta"] = float(slopes[0] @ slopes[1] / (slopes[0] @ slopes[0]))
        told["t"] = float(np.median(slopes[1] / np.sqrt((rest**2).sum(axis=0) / free / weight)))
    return {**told, "seconds": seconds}


def image_of(series: MrSeries) -> Image:
    frames = stacked(np.abs(series.noisy))
    valid = gaps(frames.shape, series.truth.shape[1])
    return Image(frames, (2, 3, 3), "MR", valid=valid, sequence=True, phase=stacked(np.angle(series.noisy)))


def stacked(values: NDArray[np.floating]) -> NDArray[np.float32]:
    frames: NDArray[np.float32] = frames_of(np.ascontiguousarray(values.transpose(3, 2, 1, 0), np.float32))
    return frames


def table(rows: list[Row]) -> str:
    """Mean and range over seeds, as Markdown."""
    lines = []
    for kind in dict.fromkeys(str(row["kind"]) for row in rows):
        first = next(row for row in rows if row["kind"] == kind)
        figures = [key for key in ("rmse", "bias", "tsnr", "beta", "t", "seconds") if key in first]
        lines += [f"\n| {kind} | " + " | ".join(figures) + " |", "|---|" + "--:|" * len(figures)]
        for name in dict.fromkeys(str(row["method"]) for row in rows if row["kind"] == kind):
            some = [row for row in rows if row["kind"] == kind and row["method"] == name]
            told = [np.array([float(row[key]) for row in some]) for key in figures]
            lines.append(
                f"| {name} | " + " | ".join(f"{v.mean():.2f} ({v.min():.2f} to {v.max():.2f})" for v in told) + " |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
