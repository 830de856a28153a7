"""The frame of the body phantom: muscles of the back, spine, and ribs. Millimeters and HU, as `anatomy`."""

from collections.abc import Iterator

import numpy as np

from demottle.physics.phantoms.body import Body, Layer, Tissue
from demottle.physics.phantoms.shapes import Capsule, Common, Ellipsoid, Grown, Slab
from demottle.physics.phantoms.vessels import chain, smooth_path, wander


def muscles(body: Body) -> Iterator[Layer]:
    """Psoas and the muscles beside the spine, with fat between their bundles."""
    for side in (-1, 1):
        psoas = smooth_path([(40, 34, side * 30), (0, 35, side * 36), (-60, 36, side * 46), (-130, 36, side * 52)])
        for piece in chain(psoas, [float(r) for r in np.linspace(6, 23, len(psoas))]):
            yield Layer(piece, 60, Tissue.MUSCLE)
        back = Ellipsoid((0, 72, side * 38), (np.inf, 19, 32), side * 0.15, 2.4)
        yield Layer(Common((back, Grown(body.outline, -body.fat * 0.6))), 57, Tissue.MUSCLE)
        for offset in (-10, 8):  # fat between the bundles
            start = (-130.0, 68.0, side * (38.0 + offset))
            for piece in chain(wander(start, (1, 0, 0), 12, 22, body.rng), 1.3):
                yield Layer(Common((piece, Grown(back, -3))), -70, Tissue.FAT)


def spine(body: Body) -> Iterator[Layer]:
    """Vertebrae with cortical bone and marrow, discs between them, arches and processes, and the spinal canal."""
    first = body.rng.uniform(-18, 18)
    column = Ellipsoid((0, 40, 0), (np.inf, 17, 23), power=2.4)
    yield Layer(column, 85, Tissue.MUSCLE)  # intervertebral discs
    canal = Ellipsoid((0, 66, 0), (np.inf, 8.5, 10.5))
    for level in range(-5, 6):
        z = first + 36 * level
        vertebra = Common((column, Slab(0, z - 14, z + 14)))
        yield Layer(vertebra, 620, Tissue.BONE)
        yield Layer(Grown(vertebra, -1.8), 190 + body.rng.uniform(-20, 20), Tissue.MARROW)
        yield Layer(Common((Grown(canal, 5), Slab(0, z - 10, z + 6))), 560, Tissue.BONE)
        arch = [Capsule((z - 4, 74, 0), (z - 12, 96, 0), 4.5, 3.5)]
        arch += [Capsule((z, 64, side * 12.0), (z, 68, side * 40.0), 4.5, 3.5) for side in (-1, 1)]
        for piece in arch:
            yield Layer(piece, 520, Tissue.BONE)
            yield Layer(Grown(piece, -1.7), 230, Tissue.MARROW)
    yield Layer(canal, 15, Tissue.SPINAL_CANAL)
    yield Layer(Ellipsoid((0, 66, 0), (np.inf, 4.5, 5.5)), 42, Tissue.SPINAL_CANAL)


def ribs(body: Body) -> Iterator[Layer]:
    """Ribs that descend from the spine to the front, so that a slice cuts several of them."""
    depth, width = body.half_depth - body.fat - 7, body.half_width - body.fat - 7
    for level in range(-1, 7):
        for side in (-1, 1):
            angles = np.linspace(1.15, -0.55 - 0.08 * level if level > 0 else 0.1, 14)
            z = 8 + 25 * level + np.linspace(18, -45, 14)
            path = np.stack([z, depth * np.sin(angles), side * width * np.cos(angles)], axis=1)
            pieces = chain(path, 5.0)
            for piece in pieces:
                yield Layer(piece, 600, Tissue.BONE)
            for piece in pieces:
                yield Layer(Grown(piece, -1.8), 240, Tissue.MARROW)
