"""Which kinds of compressed pixels can be read here: DICOM's transfer syntaxes, and who decodes them."""

from dataclasses import dataclass

from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

_KINDS = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
    uid.JPEGBaseline8Bit,
)


@dataclass(frozen=True)
class TransferSyntax:
    """One way in which DICOM stores pixels.

    Attributes:
        name: DICOM's.
        uid: its number.
        decoders: packages that can decode it here, by name; empty for pixels that are not compressed.
        readable: False where none of those it needs is installed.
    """

    name: str
    uid: str
    decoders: tuple[str, ...]
    readable: bool


def transfer_syntaxes() -> tuple[TransferSyntax, ...]:
    """All that demottle reads where everything is installed, with what is there. 12-bit JPEG Extended is read nowhere."""
    found = []
    for kind in _KINDS:
        decoder = get_decoder(kind)
        found.append(
            TransferSyntax(kind.name, str(kind), tuple(sorted(decoder.available_plugins)), decoder.is_available)
        )
    return tuple(found)
