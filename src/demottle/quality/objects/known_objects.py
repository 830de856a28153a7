"""Structures of known place: how much contrast is left of them, how sharp they are, how well they can be detected."""

from dataclasses import dataclass
from typing import Any

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.structures import GroundTruth, Structure
from demottle.quality.check.whole import Check
from demottle.quality.objects.contrast import Recovered, by_size_and_contrast, recovered
from demottle.quality.objects.contrast_noise import ContrastNoise
from demottle.quality.objects.detectability import Viewing, dprime
from demottle.quality.objects.sharpness import Sharpness, pooled, sharpness
from demottle.quality.objects.tasks import Disc
from demottle.quality.refusals import refusals
from demottle.quality.to_plain import plain


@dataclass(frozen=True)
class Detected:
    """Detectability of a structure as a disc, from noise spectrum and TTF, before and after; 0 is chance.

    `npw`, `npwe`: (before, after) of the non-prewhitening observer, without and with an eye filter.
    """

    name: str
    npw: tuple[float, float]
    npwe: tuple[float, float]


@dataclass(frozen=True, eq=False)
class KnownStructures:
    """What was measured, and in sentences what could not be."""

    contrast: tuple[Recovered, ...]
    sharpness: tuple[Sharpness, ...]
    detected: tuple[Detected, ...]
    refused: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        edges = [
            {
                "name": s.name,
                "contrast": s.contrast,
                "f50_per_mm": {"reference": s.reference.f50, "after": s.after.f50, "change": s.f50_change},
                "f10_per_mm": {"reference": s.reference.f10, "after": s.after.f10, "change": s.f10_change},
                "contrast_to_noise": {"reference": s.reference.cnr, "after": s.after.cnr},
            }
            for s in self.sharpness
        ]
        contrast = [{**plain(one), "share": one.share, "share_error": one.share_error} for one in self.contrast]
        parts = {
            "contrast": contrast,
            "contrast_by_size": by_size_and_contrast(self.contrast),
            "sharpness": edges,
            "sharpness_together": pooled(self.sharpness),
            "detectability": self.detected,
        }
        told: dict[str, Any] = plain(parts)
        return told


def known_structures(
    before: Image, after: Image, structures: GroundTruth, found: Check, truth: Image | None = None, scans: int = 1
) -> KnownStructures:
    """Measure the structures of a phantom: contrast of all, sharpness of those made for it, detectability where both
    sharpness and noise spectrum are known.

    `scans`: how many scans of independent noise `before` is the mean of; `found` is the check of one of them.
    """
    solid = [s for s in structures.structures if s.task in ("edge", "detection")]
    if not solid:
        why = f"the list of structures (phantom '{structures.kind}') holds no disc or sphere"
        return KnownStructures((), (), (), (f"No contrast, sharpness or detectability of structures: {why}.",))
    error = None
    if found.spectra is not None:
        error = ContrastNoise(found.spectra.before, found.leak.before if found.leak else None, scans).error
    contrast, no_contrast = recovered(before, after, solid, truth, error)
    edges = structures.for_task("edge")
    reference = before if truth is None else truth
    sharp, not_sharp = sharpness(reference, after, edges)
    refused = refusals("No contrast", no_contrast) + refusals("No sharpness", not_sharp)
    detected, undetected = _detected(edges, sharp, found)
    return KnownStructures(tuple(contrast), tuple(sharp), tuple(detected), (*refused, *undetected))


def _detected(edges: list[Structure], sharp: list[Sharpness], found: Check) -> tuple[list[Detected], list[str]]:
    if not sharp:
        return [], ["No detectability (NPW, NPWE): that takes the sharpness of a structure."]
    if found.spectra is None:
        return [], ["No detectability (NPW, NPWE): that takes a noise spectrum."]
    made, refused = [], []
    diameters = {s.name: 2 * s.insert.radius_mm for s in edges}
    pairs = [(s.reference, found.spectra.before) for s in sharp], [(s.after, found.spectra.after) for s in sharp]
    for one, was, now in zip(sharp, *pairs, strict=True):
        disc = Disc(diameters[one.name], one.contrast)
        try:
            npw, npwe = (
                tuple(dprime(disc, nps, edge.frequency, edge.ttf, view) for edge, nps in (was, now))
                for view in (None, Viewing())
            )
        except InputError as error:
            refused.append(f"No detectability of {one.name}: {error}")
            continue
        made.append(Detected(one.name, (npw[0], npw[1]), (npwe[0], npwe[1])))
    return made, refused
