"""Which kinds of compressed pixels can be read here: DICOM's transfer syntaxes, and who decodes them."""

from dataclasses import dataclass

from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

_KINDS = {
    uid.ImplicitVRLittleEndian: "Implicit VR Little Endian",
    uid.ExplicitVRLittleEndian: "Explicit VR Little Endian",
    uid.ExplicitVRBigEndian: "Explicit VR Big Endian",
    uid.DeflatedExplicitVRLittleEndian: "Deflated",
    uid.RLELossless: "RLE",
    uid.JPEGLossless: "JPEG Lossless",
    uid.JPEGLosslessSV1: "JPEG Lossless SV1",
    uid.JPEGLSLossless: "JPEG-LS lossless",
    uid.JPEGLSNearLossless: "JPEG-LS near-lossless",
    uid.JPEG2000Lossless: "JPEG 2000 lossless",
    uid.JPEG2000: "JPEG 2000",
    uid.HTJ2KLossless: "HTJ2K lossless",
    uid.HTJ2KLosslessRPCL: "HTJ2K lossless RPCL",
    uid.HTJ2K: "HTJ2K",
    uid.JPEGBaseline8Bit: "JPEG Baseline, 8 bits",
}


@dataclass(frozen=True)
class TransferSyntax:
    """One way in which DICOM stores pixels.

    Attributes:
        name: in short.
        uid: DICOM's.
        decoders: packages that can decode it here, by name; empty for pixels that are not compressed.
        readable: False where none of those it needs is installed.
    """

    name: str
    uid: str
    decoders: tuple[str, ...]
    readable: bool


def transfer_syntaxes() -> tuple[TransferSyntax, ...]:
    """All that demottle reads where everything is installed, with what is there. 12-bit JPEG Extended is read nowhere."""
    decoders = {kind: get_decoder(kind) for kind in _KINDS}
    return tuple(
        TransferSyntax(_KINDS[kind], str(kind), tuple(sorted(decoder.available_plugins)), decoder.is_available)
        for kind, decoder in decoders.items()
    )
