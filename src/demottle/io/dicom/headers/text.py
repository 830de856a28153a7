"""Text of a header, byte by byte: what demottle adds is ASCII, and what stood there before stays as it was encoded.

Files often state another character set than they use, or none. Decoding a text and encoding it again would replace what does not
fit; so the bytes are kept, cut between two characters where they are too long, and ASCII is added behind them.
"""

from collections.abc import Iterator

import numpy as np
from pydicom.charset import convert_encodings, encode_string
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.tag import BaseTag, Tag

_ESCAPE = 0x1B
_ASCII = b"\x1b(B"
_TWO_BYTES = (b"$B", b"$@", b"$(")  # sets of ISO 2022 whose characters take two bytes
_PAIRS = ("GB18030", "GBK", "GB2312")
_UTF8 = "ISO_IR 192"
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of each word of what is not decoded."""
_TEXTS = ("LO", "LT", "PN", "SH", "ST", "UC", "UT")


def append_text(dataset: Dataset, keyword: str, told: str, *, most: int, between: str = " ") -> None:
    """Put ASCII text behind the text of an element, in place.

    Args:
        dataset: the header, as it was read.
        keyword: the element; made where it is not there.
        told: what to add, ASCII; it stays whole where it fits at all.
        most: bytes that the element may hold (the standard counts characters, many programs bytes); what was there before is
            cut to fit.
        between: what stands between the two.
    """
    tag = Tag(keyword)
    earlier = _bytes_of(dataset, tag)
    if not earlier:
        setattr(dataset, keyword, told[:most])
        return
    kept = _cut(earlier, max(0, most - len(told) - len(between)), _character_set(dataset))
    value = kept + (between + told).encode("ascii", "replace")
    old = dataset.get_item(tag)
    vr = old.VR if old is not None and old.VR else dataset[tag].VR
    dataset[tag] = RawDataElement(tag, vr, len(value), value + b" " * (len(value) % 2), 0, False, True)


def without_backslash(text: bytes, character_set: str) -> bytes:
    """Replace each backslash that is a character of its own (not the second byte of one) by "/"."""
    at, made = 0, bytearray(text)
    for length, double in _characters(text, character_set):
        if length == 1 and not double and made[at : at + 1] == b"\\":
            made[at] = ord("/")
        at += length
    return bytes(made)


def make_explicit(dataset: Dataset) -> None:
    """Make a data set ready to be written as Explicit VR Little Endian, in place, with every text as it was encoded.

    pydicom would decode all of another encoding and encode it again, texts of a wrong character set too.
    """
    if dataset.original_encoding in ((False, True), (None, None)) and not _is_implicit(dataset):
        return
    texts = [(holder, raw) for holder in _holders(dataset) for raw in _raw_texts(holder)]
    for holder in _holders(dataset):
        _swap_words(holder)
    for _ in dataset.iterall():  # all that has an order of bytes, or no type of its own, is decoded
        pass
    correct_ambiguous_vr(dataset, is_little_endian=True)
    for holder, raw in texts:
        holder[raw.tag] = raw
    for holder in _holders(dataset):
        if holder.original_encoding != (None, None):  # not one that was made here
            holder.set_original_encoding(False, True, holder.original_character_set)


def _is_implicit(dataset: Dataset) -> bool:
    """True for a file whose elements have no types although it says that they have."""
    raw = (dataset.get_item(tag) for tag in list(dataset.keys()))
    return any(isinstance(one, RawDataElement) and one.VR is None for one in raw)


def _holders(dataset: Dataset) -> Iterator[Dataset]:
    """The data set and all items of its sequences, at any depth."""
    yield dataset
    for tag in list(dataset.keys()):
        if (dataset.get_item(tag).VR or _known_vr(tag)) == "SQ":
            for item in dataset[tag].value or ():
                yield from _holders(item)


def _raw_texts(dataset: Dataset) -> list[RawDataElement]:
    found: list[RawDataElement] = []
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        vr = getattr(raw, "VR", None) or _known_vr(tag)
        if isinstance(raw, RawDataElement) and vr in _TEXTS and raw.value is not None:
            found.append(RawDataElement(tag, vr, len(raw.value), raw.value, 0, False, True))
    return found


def _swap_words(dataset: Dataset) -> None:
    """Turn words of a big-endian file round, in place: pydicom takes overlays and tables for bytes, which have no order."""
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if isinstance(raw, RawDataElement) and raw.VR in _WORDS and raw.value and not raw.is_little_endian:
            swapped = np.frombuffer(raw.value, f">u{_WORDS[raw.VR]}").astype(f"<u{_WORDS[raw.VR]}").tobytes()
            dataset[tag] = raw._replace(value=swapped)


def _known_vr(tag: BaseTag) -> str:
    return "LO" if tag.is_private_creator else dictionary_VR(tag) if dictionary_has_tag(tag) else ""


def _bytes_of(dataset: Dataset, tag: int) -> bytes:
    item = dataset.get_item(tag)
    if item is None or item.value is None:
        return b""
    if isinstance(item, DataElement):  # decoded already
        encodings = convert_encodings(dataset.get("SpecificCharacterSet") or "ISO_IR 6")
        return encode_string(str(item.value), encodings).strip(b" \0")
    return bytes(item.value).strip(b" \0")


def _character_set(dataset: Dataset) -> str:
    value = dataset.get("SpecificCharacterSet") or ""
    return str(value if isinstance(value, str) else value[0] if len(value) else "")


def _cut(text: bytes, most: int, character_set: str) -> bytes:
    """Return at most so many bytes, whole characters, with ASCII as the set in which whatever follows is read."""
    end, kept_double = 0, False
    for length, double in _characters(text, character_set):
        if end + length + (len(_ASCII) if double else 0) > most:
            break
        end, kept_double = end + length, double
    kept = text[:end].rstrip(b" ") if end < len(text) else text
    return kept + _ASCII if kept_double else kept


def _characters(text: bytes, character_set: str) -> Iterator[tuple[int, bool]]:
    """Yield for each character, or escape sequence, its bytes and whether a set of two bytes is in force behind it."""
    at, double, pairs_above = 0, False, character_set in _PAIRS
    while at < len(text):
        first, length = text[at], 1
        if first == _ESCAPE:
            rest = text[at + 1 : at + 3]
            length = 4 if rest[:1] == b"$" and rest[1:2] in b"()" else 3
            if rest == b"$)":
                pairs_above = True
            elif rest[:1] == b"$":
                double = rest in _TWO_BYTES
            elif rest[:1] == b"(":
                double = False
        elif first >= 0x80:
            length = _above_ascii(text[at:], character_set, pairs_above)
        elif double and first > 0x20:
            length = 2
        at += length
        yield length, double


def _above_ascii(text: bytes, character_set: str, pairs: bool) -> int:
    if character_set == _UTF8:
        expected = 2 if 0xC0 <= text[0] < 0xE0 else 3 if 0xE0 <= text[0] < 0xF0 else 4 if text[0] >= 0xF0 else 1
        following = next((k for k in range(1, expected) if k >= len(text) or text[k] & 0xC0 != 0x80), expected)
        return expected if following == expected else 1  # not UTF-8 after all
    if not pairs:
        return 1
    return 4 if character_set == "GB18030" and len(text) > 1 and 0x30 <= text[1] <= 0x39 else 2
