"""Which of the series in a folder is meant. Nothing is picked where there is a choice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demottle.errors import InputError
from demottle.io.dicom.kind import is_readable, is_run
from demottle.io.dicom.slice_header import SliceHeader

_FEW = 3
_SLICED = ("CT", "MR", "PT")
_LISTED = 20  # series in one message


@dataclass(frozen=True)
class SeriesInfo:
    """What a user needs to tell series apart.

    Attributes:
        uid: SeriesInstanceUID.
        number: SeriesNumber as written, may be empty.
        description: SeriesDescription, may be empty.
        modality: DICOM's word, "CT", "MR", ...
        slices: number of images (frames).
        matrix: rows and columns of the first image.
        own_output: True for a result of demottle.
        localizer: True where every image is a scout view.
        run: True where the images are X-ray frames over time.
        scattered: how many SeriesInstanceUIDs the slices of this one scan have, where it is one for each place; else 0.
    """

    uid: str
    number: str
    description: str
    modality: str
    slices: int
    matrix: tuple[int, int]
    own_output: bool = False
    localizer: bool = False
    run: bool = False
    scattered: int = 0

    def __str__(self) -> str:
        """One line for a list of series."""
        rows, columns = self.matrix
        kind = " (localizer)" if self.localizer else " (demottle's own output)" if self.own_output else ""
        title = f' "{self.description}"' if self.description else ""
        number = f", number {self.number}" if self.number else ""
        return f"{self.uid}: {self.modality}{title}{number}, {self.slices} x {rows} x {columns}{kind}"


Series = tuple[SeriesInfo, tuple[SliceHeader, ...]]


def group_series(slices: Sequence[SliceHeader]) -> list[Series]:
    """Group slices by SeriesInstanceUID, in order of series number; one UID for each place of a scan makes one series."""
    groups: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in slices:
        groups[header.series_uid].append(header)
    found = [(_info(group), tuple(group)) for group in groups.values()]
    return sorted(_gathered(found), key=lambda series: (_as_number(series[0].number), series[0].uid))


def _gathered(series: Sequence[Series]) -> list[Series]:
    """Put together what has a SeriesInstanceUID for each place, and one number, plane, matrix and Frame of Reference for all."""
    alike: dict[object, list[Series]] = defaultdict(list)
    for one in series:
        alike[scan_of(one)].append(one)
    found: list[Series] = []
    for key, group in alike.items():
        places = {members[0].position for _, members in group}
        if key is None or len(group) <= _FEW or len(places) < len(group):
            found += group
            continue
        uid = min(info.uid for info, _ in group)
        members = tuple(replace(header, series_uid=uid) for _, some in group for header in some)
        found.append((_info(members, len(group)), members))
    return found


def scan_of(series: Series) -> object:
    """What such series of one scan share; None where the images of one do not lie at one place, or are not slices."""
    info, members = series
    first = members[0]
    alone = all(header.position == first.position and header.frames == 1 for header in members)
    if (
        not alone
        or first.position is None
        or info.run
        or info.own_output
        or info.localizer
        or info.modality not in _SLICED
    ):
        return None
    size = first.rows, first.columns, first.pixel_spacing, first.orientation
    return *size, info.number, info.modality, len(members), first.frame_of_reference, first.study_uid, first.patient


def _info(group: Sequence[SliceHeader], scattered: int = 0) -> SeriesInfo:
    first = group[0]
    return SeriesInfo(
        uid=first.series_uid,
        number=first.number,
        description=first.description,
        modality=first.modality,
        slices=sum(1 if header.frame is not None else header.frames for header in group),
        matrix=(first.rows, first.columns),
        own_output=any(header.own for header in group),
        localizer=all(header.is_localizer for header in group),
        run=is_run(group),
        scattered=scattered,
    )


def _as_number(text: str) -> float:
    return float(text) if text.isdigit() else float("inf")


def choose(
    series: Sequence[Series], wanted: str | None, *, accept_own_output: bool = False
) -> tuple[Series, tuple[str, ...]]:
    """Return the one series to read, and warnings about others set aside.

    `wanted` is a SeriesInstanceUID, or a SeriesNumber that only one series has. Without it, results of demottle, localizers and
    what has neither slices nor frames (screen shots) are set aside, then exactly one series must remain.

    Raises:
        InputError: the series wanted is not there; several remain (they are listed); it is demottle's own output.
    """
    if wanted is not None:
        matching = [one for one in series if one[0].uid == wanted] or [one for one in series if one[0].number == wanted]
        if not matching:
            raise InputError(f"There is no series {wanted}; there are: {_listing(series)}.")
        if len(matching) > 1:
            raise InputError(f"{len(matching)} series have the number {wanted}; give the UID: {_listing(matching)}.")
        chosen = matching[0]
        aside: tuple[SeriesInfo, ...] = ()
    else:
        chosen, aside = _only_one(series, accept_own_output)
    refuse_several_people(chosen)
    if chosen[0].own_output and not accept_own_output:
        raise InputError(
            f"The series {chosen[0].uid} is demottle's own output, which should not be denoised again; "
            "name the original series.",
            remedy="accept_own_output",
        )
    return chosen, (*_scattered_remark(chosen[0]), *(f"Set aside the series {info}." for info in aside))


def _scattered_remark(info: SeriesInfo) -> tuple[str, ...]:
    if not info.scattered:
        return ()
    return (
        f"The slices have {info.scattered} SeriesInstanceUIDs, one for each place, and are alike in all else: they are read, and "
        "written, as one series.",
    )


def refuse_several_people(chosen: Series) -> None:
    """Refuse a series over several patients or studies: what is learned from one of them would go into the images of another."""
    info, members = chosen
    for what, values in (
        ("patients", {header.patient for header in members}),
        ("studies", {header.study_uid for header in members}),
    ):
        if len(values) > 1:
            advice = "put those of each into a folder of its own"
            if len(values) == len(members) > 2:
                advice = "each image names another one, as anonymization file by file leaves it; anonymize the series as a whole"
            raise InputError(f"The series {info.uid} holds images of {len(values)} {what}; {advice}.")


def _only_one(series: Sequence[Series], accept_own_output: bool) -> tuple[Series, tuple[SeriesInfo, ...]]:
    left = list(series)
    if not accept_own_output:
        left = [one for one in left if not one[0].own_output] or left
    left = [one for one in left if not one[0].localizer] or left
    left = [one for one in left if is_readable(one[1])] or left
    left = _without_short_scouts(left)
    if len(left) > 1:
        raise InputError(f"There are {len(series)} series; choose one of them: {_listing(series)}.", remedy="series")
    return left[0], tuple(info for info, _ in series if info.uid != left[0][0].uid)


def _without_short_scouts(series: list[Series]) -> list[Series]:
    """Leave out series of one to three images that lie in other planes than the only real volume."""
    long = [one for one in series if one[0].slices > 3]
    if len(long) != 1:
        return series
    planes = {_plane(header) for header in long[0][1]}
    return [one for one in series if one is long[0] or any(_plane(header) in planes for header in one[1])]


def _plane(header: SliceHeader) -> tuple[object, ...]:
    orientation = None if header.orientation is None else tuple(round(value, 1) + 0.0 for value in header.orientation)
    return orientation, header.modality


def _listing(series: Sequence[Series]) -> str:
    more = f"; and {len(series) - _LISTED} more" if len(series) > _LISTED else ""
    return "; ".join(str(info) for info, _ in series[:_LISTED]) + more
