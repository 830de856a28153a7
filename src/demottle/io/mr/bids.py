"""Names after BIDS, the Brain Imaging Data Structure: the phase that belongs to a magnitude, and what results are called."""

import re
from pathlib import Path

_MAGNITUDE, _PHASE = "_part-mag", "_part-phase"
_MR = frozenset(
    [
        *(
            "bold",
            "sbref",
            "dwi",
            "epi",
            "cbv",
            "asl",
            "m0scan",
            "T1w",
            "T2w",
            "T2star",
            "T2starw",
            "FLAIR",
            "PDw",
            "PDT2",
        ),
        *("inplaneT1", "inplaneT2", "angio", "MEGRE", "MESE", "VFA", "MPM", "MP2RAGE"),
    ]
)
_ENDINGS = (".nii.gz", ".nii")
_IS_BIDS = re.compile(r"sub-[A-Za-z0-9]+_.*_?[A-Za-z0-9]+$")


def phase_beside(path: Path) -> Path | None:
    """Return the phase of a magnitude: part-phase beside part-mag, or NAME_ph beside NAME (dcm2niix); None: there is none."""
    stem, ending = parted(path)
    if not ending:
        return None
    names = [path.name.replace(_MAGNITUDE, _PHASE)] if _MAGNITUDE in path.name else [f"{stem}_ph{ending}"]
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)


def is_phase_of_another(path: Path) -> bool:
    """True for a phase whose magnitude lies beside it: no scan of its own."""
    stem, ending = parted(path)
    if not ending:
        return False
    if _PHASE in path.name:
        return path.with_name(path.name.replace(_PHASE, _MAGNITUDE)).is_file()
    return stem.endswith("_ph") and path.with_name(stem.removesuffix("_ph") + ending).is_file()


def is_bids(path: Path) -> bool:
    """True for a NIfTI file named sub-LABEL_..._SUFFIX."""
    stem, ending = parted(path)
    return bool(ending) and bool(_IS_BIDS.fullmatch(stem))


def modality_by_name(path: Path) -> str | None:
    """Return "MR" for a file whose BIDS suffix is that of MR images (bold, dwi, T1w, ...); None for other names."""
    stem, _ = parted(path)
    return "MR" if is_bids(path) and stem.rpartition("_")[2] in _MR else None


def derivative(path: Path, folder: Path) -> Path:
    """Return what the result for a NIfTI file is called in a folder of derivatives.

    sub-01/func/sub-01_task-rest_bold.nii.gz becomes FOLDER/sub-01/func/sub-01_task-rest_desc-denoised_bold.nii.gz; of other names
    NAME.nii.gz becomes FOLDER/NAME_desc-denoised.nii.gz.
    """
    stem, ending = parted(path)
    if not is_bids(path):
        return folder / f"{stem}_desc-denoised{ending}"
    *entities, suffix = [part for part in stem.split("_") if not part.startswith("desc-")]
    return folder / _subject_folders(path, entities[0]) / "_".join([*entities, "desc-denoised", suffix + ending])


def parted(path: Path) -> tuple[str, str]:
    """Return the name without the ending of NIfTI, and the ending; an empty ending for other files."""
    ending = next((end for end in _ENDINGS if path.name.lower().endswith(end)), "")
    return path.name[: len(path.name) - len(ending)], path.name[len(path.name) - len(ending) :]


def _subject_folders(path: Path, subject: str) -> Path:
    """The folders from that of the subject on, where the file lies in such."""
    parents = path.absolute().parent.parts
    at = max((index for index, part in enumerate(parents) if part == subject), default=None)
    return Path() if at is None else Path(*parents[at:])
