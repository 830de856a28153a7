"""The images of a study, unpacked before the first reader begins, so that serving one says nothing of it.

Noise does not compress. Were images sent compressed, their lengths would tell a reader with the browser's list of requests which
were denoised, and packing or unpacking one at a time would take longer for a noisy one. So every answer is the bare codes of a
slice, filled up to the largest slice of the whole study and read from the same place.
"""

import mmap
import tempfile

from demottle.errors import OutputError
from demottle.study.design import Study
from demottle.study.files import StudyFolder, read_slice


class Store:
    """All slices of a study, each of `size` bytes. May be read from several threads."""

    def __init__(self, files: StudyFolder, study: Study) -> None:
        """Unpack all slices into a file without a name, which is gone when the program ends.

        Raises:
            InputError: where a slice is missing or damaged.
            OutputError: where there is no room for them.
        """
        cases = {image: study.cases[trial.case] for trial in study.trials for image in trial.images}
        self.size = max(2 * case.rows * case.columns for case in cases.values())
        self._places: dict[tuple[str, int], int] = {}
        try:
            with tempfile.TemporaryFile() as file:
                for image, case in sorted(cases.items(), key=lambda item: item[0]):
                    for number in range(case.slices):
                        codes = read_slice(files.slice_file(image, number), case)
                        self._places[image, number] = file.tell()
                        file.write(codes.ljust(self.size, b"\0"))
                file.flush()
                self._all = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise OutputError(
                f"The images of the study cannot be unpacked into {tempfile.gettempdir()} ({error.strerror}); free space there."
            ) from error

    def slice(self, image: str, number: int) -> bytes:
        """Return the codes of one slice, row by row, two bytes each (little-endian), then zeros up to `size`."""
        start = self._places[image, number]
        return self._all[start : start + self.size]
