"""What a training leaves on disk for people: sample pictures, and files for TensorBoard. Imports no torch."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from demottle.errors import InputError, OutputError
from demottle.image import Voxels
from demottle.learning.observing import Report


class PictureFiles:
    """An observer that writes sample pictures as PNG, `NAME-STEP.png`."""

    def __init__(self, folder: Path) -> None:
        """Write into `folder`, which is made when there is something to write."""
        self._folder = folder

    def __call__(self, report: Report) -> None:
        """Write the pictures of a report."""
        for name, picture in report.pictures.items():
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._folder / f"{name}-{report.step:06d}.png"
            if not cv2.imwrite(str(file), _bytes(picture)):
                raise OutputError(f"The picture {file} cannot be written.")


class TensorBoardFiles:
    """An observer that writes files for TensorBoard; to be used as a context, which closes them."""

    def __init__(self, folder: Path) -> None:
        """Write into `folder`.

        Raises:
            InputError: where the package `tensorboardX` is not installed.
        """
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise InputError(
                "Files for TensorBoard need the package tensorboardX; install demottle[training], or leave them out."
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def __call__(self, report: Report) -> None:
        """Write losses, rate, criterion and pictures of a report."""
        # A part counts its own steps: under the same names its values would lie across those of the training.
        before = f"{report.part}/" if report.part else ""
        for name, value in report.losses.items():
            self._writer.add_scalar(before + name, value, report.step)
        self._writer.add_scalar(before + "rate", report.rate, report.step)
        if report.validation is not None:
            self._writer.add_scalar("criterion", report.validation, report.step)
        for name, picture in report.pictures.items():
            self._writer.add_image(name, _bytes(picture), report.step, dataformats="HW")


def _bytes(picture: Voxels) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
