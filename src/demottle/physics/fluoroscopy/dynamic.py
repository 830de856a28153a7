"""The dynamic phantom: a fluoroscopy scene of a chest, noise-free, whose motion is known at every pixel.

Heart, diaphragm, catheter and guidewire move in front of spine and ribs, and the table pans. A frame is the part of the
X-rays that comes through, `exp(-sum of line integrals)`, averaged over each pixel at 2 x 2 points; parallel rays, one energy
(50 keV), no scatter, no blur within a pulse. Noise is not part of it: `fluoroscopy.acquire` adds it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.physics.fluoroscopy.layers import Detector, Drawn, Layer, Part, transmitted
from demottle.physics.fluoroscopy.moving import Array, Ball, Motion, Rib, Shadow, Tube, Vector
from demottle.physics.fluoroscopy.pace import Pace, Preset, pace_named
from demottle.physics.phantoms.shapes import Point
from demottle.physics.phantoms.vessels import chain, smooth_path

FIELD_OF_VIEW = 200.0  # mm
WATER, BONE, STEEL = 0.0227, 0.0814, 1.55  # attenuation in 1/mm at 50 keV (NIST XCOM)
LUNG = -0.74 * WATER  # what air takes away
CATHETER = 0.3  # 1/mm: polymer loaded with barium
_FAINT = 0.2  # of heart and diaphragm, in front of a patient who has their own


@dataclass(frozen=True, eq=False)
class Dynamic:
    """A noise-free sequence and its truth.

    Attributes:
        image: transmitted part of the X-rays, 0 to 1, modality "XA"; spacing (s between frames, mm, mm).
        parts: `Part` in front at each pixel, uint8, shape of the image.
        flow: float32, shape (frames, rows, columns, 2): how far (rows, columns) in pixels what lies there moves until the
            next frame; the last frame's is the motion to the frame that would follow.
        tip: the guidewire's tip as (row, column) in pixels, shape (frames, 2).
        facts: rates and speeds, plain values.
    """

    image: Image
    parts: NDArray[np.uint8]
    flow: NDArray[np.float32]
    tip: Array
    facts: dict[str, float]


def dynamic_phantom(
    frames: int = 60,
    size: int = 256,
    rate: float = 15.0,
    pixel: float | None = None,
    seed: int = 0,
    listener: Listener = silent,
    motion: Preset = "natural",
    patient: Shadow | None = None,
) -> Dynamic:
    """Draw the sequence.

    Args:
        frames: number of frames.
        size: rows and columns.
        rate: frames per second.
        pixel: mm; None: 200 mm over the whole frame.
        seed: another seed gives another patient: heart rate, breathing, sizes, course of the wires.
        listener: hears of every frame.
        motion: "natural" (the table moves once), "static", "slow", "fast" or "panning" (the table goes to and fro).
        patient: what stands for tissue, lungs and bones, such as `fluoroscopy_ct.project_scan` gives; heart and diaphragm are
            then faint shadows in front of it, because it has its own.

    Raises:
        InputError: for counts, a rate or a pixel that are not positive, or a motion that is not known.
    """
    pixel = FIELD_OF_VIEW / max(size, 1) if pixel is None else pixel
    if frames < 1 or size < 1 or not all(np.isfinite(v) and v > 0 for v in (rate, pixel)):
        raise InputError(
            f"A sequence of {frames} frames of {size} x {size} pixels of {pixel:g} mm at {rate:g} frames/s cannot be made; "
            "all four have to be positive."
        )
    layers, facts, end = _scene(seed, frames / rate, pace_named(motion), patient)
    image, parts, flow = film(layers, frames, Detector(size, pixel), rate, listener)
    tip = np.empty((frames, 2))
    for index in range(frames):
        at = layers[-1].motion.to(index / rate, np.array(end[0]), np.array(end[1]))
        tip[index] = [float(v) / pixel + (size - 1) / 2 for v in at]
    return Dynamic(image, parts, flow, tip, facts)


def film(
    layers: list[Layer], frames: int, detector: Detector, rate: float, listener: Listener = silent
) -> tuple[Image, NDArray[np.uint8], NDArray[np.float32]]:
    """Draw frames of layers that move: image, parts and flow as in `Dynamic`; layers go from the back to the front."""
    size, pixel = detector.size, detector.pixel
    drawn = [Drawn(layer, detector) for layer in layers]
    voxels = np.empty((frames, size, size), np.float32)
    parts = np.zeros((frames, size, size), np.uint8)
    flow = np.empty((frames, size, size, 2), np.float32)
    y, x = detector.places()
    for index in range(frames):
        now, then = index / rate, (index + 1) / rate
        voxels[index] = transmitted(drawn, now)
        for one in drawn:
            here = one.covered(now)
            down, right = one.layer.motion.between(now, then, y, x)
            parts[index][here] = one.layer.part
            flow[index, ..., 0][here] = np.broadcast_to(down / pixel, here.shape)[here]
            flow[index, ..., 1][here] = np.broadcast_to(right / pixel, here.shape)[here]
        listener(Progress(Stage.PHANTOM, index + 1, frames))
    return Image(voxels, (1 / rate, pixel, pixel), modality="XA", unit="a.u."), parts, flow


def _scene(
    seed: int, duration: float, pace: Pace, given: Shadow | None
) -> tuple[list[Layer], dict[str, float], Vector]:
    """Layers from the back to the front, what decides their motion, and where the guidewire ends without motion."""
    rng = np.random.default_rng([seed, 2])
    beat, breath = float(rng.uniform(1.0, 1.4)), float(rng.uniform(0.2, 0.3))  # per second
    phase, pan_mm = float(rng.uniform(0, 1)), float(rng.uniform(15, 25))
    facts = {"heart_hz": beat, "breathing_hz": breath, "table_pan_mm": pan_mm}
    facts |= {"table_pan_from_s": 0.55 * duration, "table_pan_to_s": 0.8 * duration}
    facts |= {"reach": pace.reach, "rate": pace.rate}
    if pace.pan_speed is not None:
        facts = {key: value for key, value in facts.items() if not key.startswith("table")}
        facts |= {"table_speed_mm_per_s": pace.pan_speed}

    def breathing(t: float) -> float:  # mm down
        return 8 * pace.reach * float(np.sin(2 * np.pi * (breath * pace.rate * t + phase)))

    def squeeze(t: float) -> float:  # 0 relaxed, 1 contracted
        return pace.reach * float(np.clip(np.sin(2 * np.pi * beat * pace.rate * t), 0, None)) ** 2

    def push(t: float) -> float:  # -1 drawn back, 1 advanced
        return pace.reach * float(np.sin(2 * np.pi * 0.5 * pace.rate * t))

    def moved(down: Callable[[float], float], right: Callable[[float], float]) -> Callable[[float], Vector]:
        return lambda t: (down(t), right(t) + pace.table(t, duration, pan_mm))

    heart = (12.0, 14.0)
    patient = Motion(moved(lambda t: 0.0, lambda t: 0.0))
    diaphragm = Motion(moved(breathing, lambda t: 0.0))
    beating = Motion(moved(lambda t: 0.4 * breathing(t), lambda t: 0.0), lambda t: 1 - 0.08 * squeeze(t), heart)
    held = Motion(moved(lambda t: 1.5 * squeeze(t), lambda t: -1.0 * squeeze(t)))
    pushed = Motion(  # goes with the heart, and is advanced and drawn back
        moved(lambda t: 0.4 * breathing(t) + 3 * push(t), lambda t: 4 * push(t)),
        lambda t: 1 - 0.08 * squeeze(t),
        heart,
    )
    catheter, wire = _devices(rng)
    chest = _chest(rng) if given is None else (given,)
    organs = WATER if given is None else _FAINT * WATER
    end = (float(wire[-1][1]), float(wire[-1][2]))
    layers = [
        Layer(Part.PATIENT, patient, chest),
        Layer(Part.DIAPHRAGM, diaphragm, (Ball((118, -52), (78, 72), 130, 0.5 * organs),)),
        Layer(Part.DIAPHRAGM, diaphragm, (Ball((128, 62), (74, 62), 120, 0.5 * organs),)),
        Layer(Part.HEART, beating, (Ball(heart, (46, 42), 90, 0.35 * organs),)),
        Layer(Part.CATHETER, held, (Tube(chain(catheter, 1.0), 1.0, CATHETER, 0.6),)),
        Layer(Part.GUIDEWIRE, pushed, (Tube(chain(wire, 0.18), 0.18, STEEL),)),
    ]
    return layers, facts, end


def _devices(rng: np.random.Generator) -> tuple[Array, Array]:
    """Middle lines of the catheter, over the aortic arch to the heart, and of the guidewire that leaves it."""
    wobble = rng.uniform(-3, 3, 6)
    arch: list[Point] = [(0, 110, 4), (0, 20, 7), (0, -50, 8 + wobble[0]), (0, -68, -4), (0, -50, -14), (0, -26, -8)]
    tree: list[Point] = [(0, -26, -8), (0, -14, 2 + wobble[1]), (0, -4, 16 + wobble[2]), (0, 12, 26 + wobble[3])]
    tree += [(0, 28, 30 + wobble[4]), (0, 40, 24 + wobble[5])]
    return smooth_path(arch, 8), smooth_path(tree, 8)


def _chest(rng: np.random.Generator) -> tuple[Shadow, ...]:
    """Tissue around, lungs, spine and ribs: what only the table moves."""
    tissue = Ball((0, 0), (900, 230), 150, WATER)
    lungs = [Ball((-10, side * 62.0), (105, 46), 120, LUNG) for side in (-1, 1)]
    start = float(rng.uniform(-12, 12))
    spine = [Ball((start + 26.0 * level, 0), (14, 18), 13, BONE - WATER) for level in range(-7, 8)]
    column = Tube(chain([(0.0, -300.0, 0.0), (0.0, 300.0, 0.0)], 16.0), 16.0, 0.25 * (BONE - WATER))
    ribs = [Rib(start + 24.0 * level, 42, 115, 5.0, 0.5 * (BONE - WATER)) for level in range(-8, 5)]
    return tissue, *lungs, column, *spine, *ribs
