"""A head in CT: the analytic brain in CT numbers, with scalp fat, skull and diploe around it."""

from collections.abc import Iterator, Mapping

import numpy as np

from demottle.physics.phantoms.body import Layer, Tissue
from demottle.physics.phantoms.brain import BrainTissue, Head

FIELD_OF_VIEW = 220.0
_HU: Mapping[BrainTissue, float] = {
    BrainTissue.AIR: -1000, BrainTissue.SKIN: 50, BrainTissue.FAT: -95, BrainTissue.BONE: 1050, BrainTissue.MARROW: 420,
    BrainTissue.FLUID: 6, BrainTissue.GRAY: 38, BrainTissue.WHITE: 29, BrainTissue.DEEP_GRAY: 36, BrainTissue.VESSEL: 58,
}  # fmt: skip
_LABELS: Mapping[BrainTissue, Tissue] = {
    BrainTissue.SKIN: Tissue.SKIN, BrainTissue.FAT: Tissue.FAT, BrainTissue.BONE: Tissue.BONE,
    BrainTissue.MARROW: Tissue.MARROW, BrainTissue.FLUID: Tissue.FLUID, BrainTissue.VESSEL: Tissue.VESSEL,
    BrainTissue.LESION: Tissue.LESION,
}  # fmt: skip


def layers(seed: int) -> Iterator[Layer]:
    """Yield everything, from the skin inward; later layers cover earlier ones."""
    for paint in Head(np.random.default_rng([seed, 11]), _HU).paints:
        yield Layer(paint.solid, paint.value, _LABELS.get(BrainTissue(paint.label), Tissue.BRAIN))
