"""Headers of objects held, for people who may see them. No file name is used twice, so they are remembered."""

from functools import lru_cache
from pathlib import Path

import pydicom

SHOWN = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "InstanceNumber"),
    *("SeriesNumber", "SeriesDescription", "StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID"),
    *("PatientBirthDate", "PatientSex", "StudyID", "StudyDescription", "Rows", "Columns", "NumberOfFrames"),
)


def described(file: Path) -> dict[str, str]:
    """Return what of `SHOWN` the header states, as texts; nothing for a file that is gone or unreadable."""
    try:
        return dict(_described(file))
    except Exception:  # pydicom raises many types; a header that cannot be read states nothing
        return {}


@lru_cache(maxsize=20000)
def _described(file: Path) -> tuple[tuple[str, str], ...]:
    header = pydicom.dcmread(file, specific_tags=list(SHOWN), stop_before_pixels=True)
    return tuple((name, str(header.get(name))[:200]) for name in SHOWN if header.get(name) is not None)
