"""What a scan's header says about how it was made, with stated defaults where it is silent.

Only a DICOM header says any of this; every value keeps where it came from, so that the user can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from demottle.image import Image
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.payload import DicomPayload, quiet_pydicom
from demottle.io.dicom.slice_header import number
from demottle.io.payload import payload_of

KVP, SOURCE_TO_AXIS_MM, SOURCE_TO_DETECTOR_MM, SCAN_DIAMETER_MM = 120.0, 570.0, 1040.0, 500.0
MODULATION = 0.5
"""Angular modulation where it was on: the current follows the square root of the attenuation, which is the least dose for a
noise level (M. Gies et al., Dose reduction in CT by anatomically adapted tube current modulation, Med Phys 26, 1999)."""

# DICOM keyword, smallest and largest believable value, default
_VALUES = {
    "kvp": ("KVP", 40, 200, KVP),
    "source_to_axis_mm": ("DistanceSourceToPatient", 300, 1200, SOURCE_TO_AXIS_MM),
    "source_to_detector_mm": ("DistanceSourceToDetector", 500, 2000, SOURCE_TO_DETECTOR_MM),
    "scan_diameter_mm": ("DataCollectionDiameter", 100, 1000, SCAN_DIAMETER_MM),
}
_KEYWORDS = (
    *(entry[0] for entry in _VALUES.values()),
    "XRayTubeCurrent",
    "ExposureModulationType",
    "ConvolutionKernel",
)
_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
# Where an Enhanced CT object has the same
_GROUPS = {
    "KVP": ("CTXRayDetailsSequence", "KVP"),
    "DistanceSourceToPatient": ("CTGeometrySequence", "DistanceSourceToDataCollectionCenter"),
    "DistanceSourceToDetector": ("CTGeometrySequence", "DistanceSourceToDetector"),
    "DataCollectionDiameter": ("CTAcquisitionDetailsSequence", "DataCollectionDiameter"),
    "XRayTubeCurrent": ("CTExposureSequence", "XRayTubeCurrentInmA"),
    "ExposureModulationType": ("CTExposureSequence", "ExposureModulationType"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
}
# kVp, and the energy in keV of a monochromatic beam that a body attenuates as much
_EFFECTIVE = ((70.0, 80.0, 100.0, 120.0, 140.0), (50.0, 54.0, 62.0, 70.0, 77.0))
# Attenuation of water in 1/mm at energies in keV (NIST XCOM)
_WATER = ((40.0, 50.0, 60.0, 80.0, 100.0), (0.02683, 0.02269, 0.02059, 0.01837, 0.01707))


@dataclass(frozen=True)
class Acquisition:
    """How a scan was made.

    Attributes:
        kvp: tube voltage.
        source_to_axis_mm, source_to_detector_mm: distances in mm of the gantry.
        scan_diameter_mm: field that the fan covers, which the bow-tie is made for.
        modulation: strength of the angular tube-current modulation: current ~ exp(modulation * line integral).
        tube_current: in mA for each slice; None where the header does not say.
        kernel: the scanner's name of its reconstruction kernel; empty where unknown.
        origin: for each of these names "header" or "default".
    """

    kvp: float = KVP
    source_to_axis_mm: float = SOURCE_TO_AXIS_MM
    source_to_detector_mm: float = SOURCE_TO_DETECTOR_MM
    scan_diameter_mm: float = SCAN_DIAMETER_MM
    modulation: float = MODULATION
    tube_current: tuple[float, ...] | None = None
    kernel: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def water(self) -> float:
        """Attenuation of water in 1/mm for this voltage."""
        energy = np.interp(self.kvp, *_EFFECTIVE)
        return float(np.exp(np.interp(np.log(energy), np.log(_WATER[0]), np.log(_WATER[1]))))


def acquisition_of(image: Image) -> Acquisition:
    """Read the header of an image that came from DICOM; all defaults for any other."""
    headers = _headers(image)
    values: dict[str, float] = {}
    origin = dict.fromkeys([*_VALUES, "modulation", "tube_current", "kernel"], "default")
    for name, (keyword, low, high, default) in _VALUES.items():
        found = number(headers[0], keyword) if headers else None
        if found is not None and low <= found <= high:
            values[name], origin[name] = found, "header"
        else:
            values[name] = default
    modulation = _modulation(headers[0]) if headers else None
    current = _tube_current(headers)
    kernel = _kernel(headers[0]) if headers else ""
    for name, known in (("modulation", modulation is not None), ("tube_current", current), ("kernel", kernel)):
        origin[name] = "header" if known else "default"
    return Acquisition(
        **values,
        modulation=MODULATION if modulation is None else modulation,
        tube_current=current,
        kernel=kernel,
        origin=origin,
    )


def _headers(image: Image) -> list[Dataset]:
    """The few elements needed, of every slice; a frame of an Enhanced object gets those of its functional groups."""
    payload = payload_of(image)
    if not isinstance(payload, DicomPayload):
        return []
    multi_frame = any(header.frame is not None for header in payload.slices)
    tags = [*_KEYWORDS, _SHARED, _PER_FRAME] if multi_frame else list(_KEYWORDS)
    files: dict[FileRef, Dataset] = {}
    found: list[Dataset] = []
    with quiet_pydicom():
        for header in payload.slices:
            if header.file not in files:
                with header.file.open() as stream:
                    files[header.file] = pydicom.dcmread(
                        stream, stop_before_pixels=True, specific_tags=tags, force=True
                    )
            whole = files[header.file]
            found.append(whole if header.frame is None else _of_frame(whole, header.frame))
    return found


def _of_frame(whole: Dataset, frame: int) -> Dataset:
    """What the functional groups say of one frame, by the names of a classic slice; its own group before the shared one."""
    shared, per_frame = whole.get(_SHARED) or [], whole.get(_PER_FRAME) or []
    groups = [*per_frame[frame : frame + 1], *shared[:1]]
    found = Dataset()
    for keyword, (sequence, name) in _GROUPS.items():
        for items in (group.get(sequence) for group in groups):
            if items and items[0].get(name) not in (None, ""):
                element = items[0][name]
                found.add_new(Tag(keyword), element.VR, element.value)
                break
        else:
            if keyword in whole:
                found[keyword] = whole[keyword]
    return found


def _modulation(header: Dataset) -> float | None:
    """0 where the current was the same from all sides, `MODULATION` where it was not, None where nothing is said."""
    kind = str(header.get("ExposureModulationType") or "").upper().strip()
    if not kind:
        return None
    return 0.0 if kind in ("NONE", "Z", "Z_EC", "LONGITUDINAL", "OFF") else MODULATION


def _tube_current(headers: list[Dataset]) -> tuple[float, ...] | None:
    currents = [number(header, "XRayTubeCurrent") for header in headers]
    known = tuple(current for current in currents if current is not None and current > 0)
    return known if known and len(known) == len(currents) else None


def _kernel(header: Dataset) -> str:
    value = header.get("ConvolutionKernel") or ""
    return str(value if isinstance(value, str) else "/".join(str(part) for part in value))[:64]
