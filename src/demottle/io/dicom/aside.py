"""What lies beside a scan: files that cannot be read, and objects that are not scans; and what is said of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID

from demottle.errors import InputError, counted
from demottle.io.dicom.files import FileRef, hidden_with_dicom
from demottle.io.foreign import foreign
from demottle.io.formats import format_of

_ROOT = "1.2.840.10008.5.1.4.1.1."
_KINDS = {
    "66.4": "segmentation (SEG)",
    "66.7": "segmentation (SEG)",
    "66.5": "surface (SEG)",
    "66.8": "segmentation (SEG)",
    "481.1": "portal image (RTIMAGE)",
    "481.2": "dose distribution (RTDOSE)",
    "481.3": "structure set (RTSTRUCT)",
    "481.5": "treatment plan (RTPLAN)",
    "481.8": "treatment plan (RTPLAN)",
    "88.59": "key object selection (KO)",
    "30": "parametric map",
    "66": "raw data object",
    "66.1": "registration (REG)",
    "66.2": "fiducials object",
    "66.3": "registration (REG)",
    "67": "real world value mapping",
    "4.2": "spectrum (MR spectroscopy)",
    "104.1": "PDF document",
}
_FAMILIES = {
    "88.": "report (SR)",
    "11.": "presentation state (PR)",
    "9.": "waveform",
    "104.": "document",
    "481.": "radiotherapy record",
}
_DIRECTORY = "1.2.840.10008.1.3.10"
_NAMED = 3  # files in one remark
_ARCHIVES = (b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class Aside:
    """A file that gives no slice.

    Attributes:
        file: the file.
        kind: what it is, as a noun; empty for a file that is not DICOM.
        broken: the sentence that refuses it; empty for a file that can be read and is something else.
        series_uid: SeriesInstanceUID, as far as it could be read.
        archive: it may hold scans once it is unpacked.
    """

    file: FileRef
    kind: str = ""
    broken: str = ""
    series_uid: str = ""
    archive: bool = False


def is_archive(head: bytes) -> bool:
    """True for the first bytes of a zip, gzip, bzip2, xz, 7z, rar, zstd or tar file."""
    return head.startswith(_ARCHIVES) or head[257:262] == b"ustar"


def kind_of_no_scan(sop_class: str) -> str:
    """Return what an object is that is not a scan, whether or not it holds pixels; empty for all others."""
    if sop_class == _DIRECTORY:
        return "table of contents (DICOMDIR)"
    if not sop_class.startswith(_ROOT):
        return ""
    ending = sop_class.removeprefix(_ROOT)
    family = next((name for prefix, name in _FAMILIES.items() if ending.startswith(prefix)), "")
    return _KINDS.get(ending) or family


def kind_without_image(sop_class: str) -> str:
    """Return what an object without rows and columns is; empty for one that ought to be an image, and so is broken."""
    name = UID(sop_class).name
    return "" if "Image Storage" in name else "object without an image"


def refuse_nothing_read(path: Path, aside: Sequence[Aside]) -> None:
    """Raise the sentence for an input in which no slice was found."""
    sentence = foreign(path) if path.is_file() else ""
    if sentence:
        raise InputError(sentence)
    broken = [one for one in aside if one.broken]
    if broken:
        more = f" {counted(len(broken) - 1, 'more file')} cannot be read either." if len(broken) > 1 else ""
        raise InputError(broken[0].broken + more)
    others = [one for one in aside if one.kind]
    if others:
        raise InputError(f"{path} holds no scan, only {_listed(others)}; name a DICOM folder with slices or frames.")
    packed = [one for one in aside if one.archive]
    if packed and packed[0].file.path == path and not packed[0].file.member:
        raise InputError(f"{path} is an archive; unpack it first.")
    if packed:
        raise InputError(
            f"{path} holds no DICOM images but {counted(len(packed), 'archive')} ({_names(packed)}); unpack "
            f"{'it' if len(packed) == 1 else 'them'} first."
        )
    images = [one for one in aside if format_of(Path(one.file.member or one.file.path)) not in (None, "dicom")]
    if images and images[0].file.member:
        raise InputError(
            f"{path} is a zip without DICOM images, but with {_names(images)}; unpack it and name the image."
        )
    hidden = hidden_remark(hidden_with_dicom(path)) if path.is_dir() else ()
    if hidden:
        raise InputError(f"{path} holds no DICOM images that are not hidden. {hidden[0]}")
    raise InputError(f"{path} holds no DICOM images; name a DICOM folder, file, DICOMDIR or zip, or an image file.")


def refuse_broken_member(aside: Iterable[Aside], series_uid: str) -> None:
    """Raise InputError where a broken file belongs to the series that is read: a slice would be missing unseen."""
    for one in aside:
        if one.broken and one.series_uid == series_uid:
            raise InputError(f"{one.broken} It belongs to the series that is read.")


def maybe_missing(aside: Iterable[Aside]) -> str:
    """Return the sentence that names unreadable files where slices are missing; empty where there are none."""
    broken = [one for one in aside if one.broken]
    if not broken:
        return ""
    return f" {_names(broken)} cannot be read and may be what is missing."


def hidden_remark(hidden: Sequence[Path]) -> tuple[str, ...]:
    """Return what a user should know of hidden files and folders with DICOM images."""
    if not hidden:
        return ()
    names = ", ".join(one.name for one in hidden[:_NAMED]) + (", ..." if len(hidden) > _NAMED else "")
    return (
        f"Set aside what is hidden and holds DICOM images ({names}); give it a name without a dot in front to read it.",
    )


def remarks(aside: Sequence[Aside]) -> tuple[str, ...]:
    """Return what a user should know of the files set aside: the unreadable ones first."""
    broken, others = [one for one in aside if one.broken], [one for one in aside if one.kind and not one.broken]
    strange = [one for one in aside if not one.kind and not one.broken and not one.archive]
    images = [one for one in strange if format_of(Path(one.file.member or one.file.path)) is not None]
    strange = [one for one in strange if one not in images]
    packed = [one for one in aside if one.archive]
    said = []
    if broken:
        it_is, it = ("it is", "it") if len(broken) == 1 else ("they are", "them")
        said.append(
            f"Set aside {counted(len(broken), 'file')} that cannot be read ({_names(broken)}). If {it_is} from the top or the "
            f"bottom of this scan, the result lacks {it}."
        )
    if others:
        said.append(
            f"Set aside {counted(len(others), 'DICOM object')} that "
            f"{'is not a scan' if len(others) == 1 else 'are not scans'} ({_listed(others)})."
        )
    if packed:
        said.append(
            f"Set aside {counted(len(packed), 'archive')} ({_names(packed)}); unpack "
            f"{'it' if len(packed) == 1 else 'them'} to read what is inside."
        )
    if images:
        said.append(
            f"Set aside {counted(len(images), 'file')} of {'another format' if len(images) == 1 else 'other formats'} "
            f"({_names(images)}); {_to_read(images)}."
        )
    if strange:
        said.append(f"Set aside {counted(len(strange), 'file')} without a DICOM image ({_names(strange)}).")
    return tuple(said)


def _to_read(images: Sequence[Aside]) -> str:
    if images[0].file.member:
        return "unpack the zip and name one of its files to read it"
    return f"name {'it' if len(images) == 1 else 'one'} to read it"


def _listed(others: Sequence[Aside]) -> str:
    kinds: dict[str, list[Aside]] = defaultdict(list)
    for one in others:
        kinds[one.kind].append(one)
    return "; ".join(f"{kind}: {_names(some)}" for kind, some in sorted(kinds.items()))


def _names(some: Sequence[Aside]) -> str:
    files = [one.file for one in some]
    names = [f"{file.path.name}:{file.member}" if file.member else file.path.name for file in files]
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
