"""What a scan's own header says that a training has to know: whose scan it is, and its reconstruction kernel."""

import pydicom

from demottle.image import Image
from demottle.io.dicom.payload import DicomPayload, quiet_pydicom
from demottle.io.payload import payload_of


def patient_number(image: Image) -> str:
    """PatientID of a DICOM scan; empty where there is none. To be hashed at once, never stored or shown."""
    return _first(image, "PatientID")


def kernel_of(image: Image) -> str:
    """Name of the reconstruction kernel (ConvolutionKernel); empty where the file does not say."""
    return _first(image, "ConvolutionKernel")[:64]


def _first(image: Image, keyword: str) -> str:
    payload = payload_of(image)
    if not isinstance(payload, DicomPayload) or not payload.slices:
        return ""
    with quiet_pydicom(), payload.slices[0].file.open() as stream:
        header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=[keyword], force=True)
        value = header.get(keyword) or ""
    return str(value if isinstance(value, str) else "/".join(str(part) for part in value)).strip()
