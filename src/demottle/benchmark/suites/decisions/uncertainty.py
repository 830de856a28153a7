"""Suite uncertainty: do the intervals result +- 1.645 SE hold the truth in 90 % of voxels, in all of the body and by tissue?

The cases are those of ct-anatomies, in the same halves by name, and of ct-volume, which are judged too; of each the six slices
in the middle. What is assumed of structure weaker than the noise (`quality.uncertainty.unseen`) was chosen on "tune: ..." alone.
Tissues are told on the truth, smoothed by 2 mm, so that no voxel is chosen by its own error; voxels of the body that are of none
lie at edges.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from demottle.benchmark.suites import ct_anatomies, ct_volume
from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, Finding
from demottle.image import Image, Mask
from demottle.pipeline.run import denoise
from demottle.quality.check.tissues import CT_TISSUES, label_plane, smoothed
from demottle.quality.uncertainty.spread import Z90

_SUITES = {"ct-anatomies": ct_anatomies, "ct-volume": ct_volume}
DEFAULT = "default"
SLICES = 6
"""Those in the middle of each case."""
_FEWEST = 1000
AIM = (0.88, 0.92)
KEYS = {
    "lung": "lung", "fat": "fat", "fluid": "fluid", "soft tissue": "soft", "enhanced vessel": "vessel", "bone": "bone",
}  # fmt: skip


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases of both suites, the tuning half last."""
    seeds = Choices(choices.quick, choices.seeds or 1)
    found = [
        CaseSpec("uncertainty", spec.group, spec.seed, {**spec.recipe, "from": name})
        for name, module in _SUITES.items()
        for spec in module.specs(seeds)
    ]
    return tuple(sorted(found, key=lambda spec: spec.group.startswith("tune")))


def entrants() -> tuple[str, ...]:
    """What `denoise` does without a method being named, and a filter on which nothing was chosen."""
    return (DEFAULT, "spectral-wiener")


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Denoise one scan, and count."""
    recipe = {name: value for name, value in spec.recipe.items() if name != "from"}
    name = str(spec.recipe["from"])
    case: Case = _SUITES[name].build(CaseSpec(name, spec.group, spec.seed, recipe), cache)
    first = (case.noisy.shape[0] - SLICES) // 2 if case.noisy.shape[0] > SLICES else 0
    truth, noisy = (image.part(first, first + SLICES) for image in (case.truth, case.noisy))
    method = None if entrant == DEFAULT else entrant
    made = denoise(noisy, method=method, seed=spec.seed, uncertainty=True)
    return counted(truth, made.image, made.uncertainty, case.body[first : first + SLICES], spec.name)


def counted(truth: Image, result: Image, error: Image, body: Mask, name: str) -> Finding:
    """Share of voxels whose truth lies in the interval: all, by tissue, and in the fifths with the least and the most SE."""
    held = np.abs(result.voxels - truth.voxels) <= Z90 * error.voxels
    shares = {key: (float(held[where].mean()), int(where.sum())) for key, where in _places(truth, body)}
    least, most = np.quantile(error.voxels[body], [0.2, 0.8])
    quality: dict[str, float | None] = {f"covered_{key}": share for key, (share, _) in shares.items()}
    quality |= {
        "covered_sure": float(held[body & (error.voxels <= least)].mean()),
        "covered_unsure": float(held[body & (error.voxels >= most)].mean()),
    }
    out = {key: share for key, (share, _) in shares.items() if not AIM[0] <= share <= AIM[1]}
    told = ", ".join(f"{key} {100 * share:.1f} %" for key, share in out.items())
    said = {
        "voxels": {key: count for key, (_, count) in shares.items()},
        "median_se": {key: float(np.median(error.voxels[where])) for key, where in _places(truth, body)},
        **({"missed": f"{name}: {told}"} if out else {}),
    }
    return Finding(quality, said)


def _places(truth: Image, body: Mask) -> Iterator[tuple[str, Mask]]:
    """All of the body, its tissues with 1000 voxels or more, and what is of none."""
    labels = np.stack([label_plane(smoothed(plane, truth), truth, CT_TISSUES) for plane in truth.voxels])
    yield "all", body
    for number, tissue in enumerate(CT_TISSUES, start=1):
        where = body & (labels == number)
        if tissue.name in KEYS and where.sum() >= _FEWEST:
            yield KEYS[tissue.name], where
    edges = body & (labels == 0)
    if edges.any():
        yield "edges", edges
