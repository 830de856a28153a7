"""Which modality an image is treated as: what its header states, what it is stored as, or what the user says of it."""

from collections.abc import Sequence
from dataclasses import replace

from pydicom.uid import UID

from demottle.errors import InputError
from demottle.io.dicom.slice_header import OTHER, SliceHeader

_UNSAID = "The header does not say whether this is CT or MR (its modality is OT, other)"


def said_modality(slices: Sequence[SliceHeader], given: str | None) -> tuple[list[SliceHeader], tuple[str, ...]]:
    """Return the images of a series as what the user says they are, and a remark where the header says something else.

    Args:
        slices: the images of one series.
        given: "CT", "MR", "XA" or "RF"; None: the user says nothing.

    Raises:
        InputError: the header states another modality.
    """
    first = slices[0]
    if given is not None and first.modality != given:
        if first.modality != OTHER:
            raise InputError(
                f"The modality of the series is {first.modality}, by its headers, so it cannot be read as {given}; leave the "
                "modality out, or choose another series."
            )
        remark = f"The header does not say which modality this is ({OTHER}, other): read as {given}, as requested."
        return [replace(header, modality=given) for header in slices], (remark,)
    if first.modality == OTHER:
        return list(slices), (f"{_UNSAID}; values are taken as they are, in no particular unit.",)
    if first.modality != first.stated_modality:
        stated = f"states the modality {first.stated_modality}" if first.stated_modality else "states no modality"
        return list(slices), (
            f"The header {stated}; stored as {UID(first.sop_class).name}, it is read as {first.modality}.",
        )
    return list(slices), ()
