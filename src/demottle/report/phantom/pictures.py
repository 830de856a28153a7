"""Slices of a phantom with the places drawn that were measured, as PNG inside the page."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Module
from demottle.quality.phantoms.found import Found, in_slice
from demottle.quality.phantoms.rods import CORE
from demottle.quality.phantoms.uniform import NOISE_MM, ROI_MM, SIDES

_SIDE = 520  # pixels of a picture
_RODS, _RESIN = (-250.0, 450.0), 25.0
_LINE = (180, 200, 92)  # blue, green, red
_MARGIN_MM = 6.0
_TITLES = {"rods": "rods", "uniform": "uniform", "low contrast": "low contrast", "line pairs": "line pairs"}


@dataclass(frozen=True)
class Picture:
    """A picture of the page: title, what is shown, and the image before and after as data URLs; after: empty for none."""

    title: str
    detail: str
    before: str
    after: str


def pictures_of(before: Image, after: Image | None, found: Found) -> list[Picture]:
    """One picture for each module that is measured and lies in the scan."""
    made = []
    for module in found.layout.modules:
        z = float(found.pose.at((0.0, 0.0), module.middle)[2])
        index = round(z / before.spacing[0])
        if module.role == "other" or not 0 <= index < before.shape[0]:
            continue
        around = _slices(before, module, index)
        low, high = _window(module)
        told = f"slices {around[0]} to {around[-1]}" if len(around) > 1 else f"slice {index}"
        detail = f"{told}, window {low:.0f} to {high:.0f} HU"
        urls = ["" if image is None else _url(image, found, module, around, (low, high)) for image in (before, after)]
        made.append(Picture(f"{module.name}: {_TITLES[module.role]}", detail, urls[0], urls[1]))
    return made


def _slices(image: Image, module: Module, index: int) -> list[int]:
    """The slices whose mean is shown: of faint targets several, so that one sees them."""
    reach = int(0.25 * module.height / image.spacing[0]) if module.role == "low contrast" else 0
    return list(range(max(index - reach, 0), min(index + reach, image.shape[0] - 1) + 1))


def _window(module: Module) -> tuple[float, float]:
    if module.role in ("rods", "line pairs"):
        return _RODS
    return module.hu - _RESIN, module.hu + _RESIN


def _url(image: Image, found: Found, module: Module, slices: list[int], window: tuple[float, float]) -> str:
    plane = image.voxels[slices].mean(axis=0)
    middle = slices[len(slices) // 2]
    row, column = in_slice(image, found.pose, (0.0, 0.0), middle)
    half = (found.body.radius + _MARGIN_MM) / image.spacing[1]
    grow = _SIDE / (2 * half)
    move = np.array([[grow, 0, grow * (half - column)], [0, grow, grow * (half - row)]])
    shown = cv2.warpAffine(plane, move, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderValue=-1000.0)
    gray = np.clip((shown - window[0]) / (window[1] - window[0]) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    _draw(picture, image, found, module, middle, move, grow)
    done, data = cv2.imencode(".png", picture)
    assert done
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def _draw(
    picture: NDArray[np.uint8],
    image: Image,
    found: Found,
    module: Module,
    index: int,
    move: NDArray[np.float64],
    grow: float,
) -> None:
    """Circles around what was measured."""
    circles = [(rod.place, rod.diameter / 2 * CORE) for rod in module.rods]
    if module.role == "uniform":
        ring = found.layout.edge_ring
        turned = [np.radians(angle) for angle in SIDES.values()]
        circles += [((float(ring * np.cos(a)), float(ring * np.sin(a))), ROI_MM) for a in turned]
        circles += [((0.0, 0.0), ROI_MM), ((0.0, 0.0), NOISE_MM)]
    for place, radius in circles:
        row, column = in_slice(image, found.pose, place, index)
        x, y = move @ np.array([column, row, 1.0])
        shift = 4
        center = round(x * 2**shift), round(y * 2**shift)
        size = round(radius / image.spacing[1] * grow * 2**shift)
        cv2.circle(picture, center, size, _LINE, 1, cv2.LINE_AA, shift)
