"""How a fluoroscopy scene moves: presets from a table that stands still to one that pans."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from demottle.errors import InputError

Preset = Literal["natural", "static", "slow", "fast", "panning"]


@dataclass(frozen=True)
class Pace:
    """What a preset changes of the scene's natural motion.

    Attributes:
        reach: how far heart, diaphragm and wire move, times what is natural.
        rate: how often, times what is natural.
        pan_speed: the table goes to and fro at so many mm/s; None: it moves once, after half of the run.
        pan_reach: how far to each side, in mm.
    """

    reach: float = 1.0
    rate: float = 1.0
    pan_speed: float | None = 0.0
    pan_reach: float = 20.0

    def table(self, t: float, duration: float, once_mm: float) -> float:
        """Where the table is at time t (s) of a run of `duration`, in mm; `once_mm` is how far it moves where it does so once."""
        if self.pan_speed is None:
            part = float(np.clip((t / duration - 0.55) / 0.25, 0, 1))
            return once_mm * part**2 * (3 - 2 * part)
        if self.pan_speed == 0:
            return 0.0
        turn = 4 * self.pan_reach / self.pan_speed  # s there and back
        phase = (t / turn + 0.25) % 1.0
        return self.pan_reach * (4 * abs(phase - 0.5) - 1)


PRESETS: dict[str, Pace] = {
    "natural": Pace(pan_speed=None),
    "static": Pace(reach=0.0),
    "slow": Pace(reach=0.6, rate=0.6),
    "fast": Pace(reach=1.3, rate=1.5),
    "panning": Pace(reach=0.6, rate=0.6, pan_speed=40.0),
}
"""At 15 frames/s and 512 pixels over 200 mm the wire moves at most 0, 1 to 3 and 7 to 13 pixels per frame in "static", "slow"
and "fast"; in "panning" the table moves at 7 and the rest as in "slow". Fewer pixels, fewer per frame."""


def pace_named(name: str) -> Pace:
    """Look a preset up.

    Raises:
        InputError: for an unknown name; the sentence lists the known ones.
    """
    if name not in PRESETS:
        raise InputError(f"There is no motion '{name}'; choose one of {', '.join(get_args(Preset))}.")
    return PRESETS[name]
