"""Denoising beside a window: in a thread, with progress to look at, and an end when it is asked for. Needs no napari."""

from dataclasses import dataclass

from demottle.events import Progress
from demottle.image import Image
from demottle.pipeline.result import Result
from demottle.pipeline.run import denoise


class StoppedError(Exception):
    """The work was stopped before its end."""


@dataclass(frozen=True)
class Asked:
    """What is asked for in the window.

    Attributes:
        method: None: the scan decides.
        preset: of `demottle.denoise`; None: none.
        seed: makes the result repeatable.
    """

    method: str | None = None
    preset: str | None = None
    seed: int = 0


class Work:
    """One image that is denoised: `run` in a thread, the rest from any other.

    Attributes:
        words: what it is at.
        share: how much of that is done, 0 to 1.
    """

    def __init__(self, image: Image, asked: Asked) -> None:
        """Know what is to be done."""
        self.words, self.share = "Starting", 0.0
        self._image, self._asked, self._stopped = image, asked, False

    def run(self) -> Result:
        """Do it.

        Raises:
            StoppedError: `stop` was called.
            DemottleError: as of `demottle.denoise`.
        """
        asked = self._asked
        self._look()
        result: Result = denoise(
            self._image, method=asked.method, preset=asked.preset, seed=asked.seed, progress=False, listener=self._heard
        )
        self._look()
        return result

    def outcome(self) -> tuple[Result | None, Exception | None]:
        """Do it, and return what came of it, or what it raised: an exception that a thread raises ends the whole of Qt."""
        try:
            return self.run(), None
        except Exception as error:
            return None, error

    def stop(self) -> None:
        """Ask it to end, which it does at its next step."""
        self._stopped = True

    def _heard(self, event: Progress) -> None:
        self.words, self.share = event.stage.words, min(event.done / max(event.total, 1), 1.0)
        self._look()

    def _look(self) -> None:
        if self._stopped:
            raise StoppedError("Stopped before its end.")
