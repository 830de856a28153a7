"""The conformance statement names what the node takes, and nothing else."""

import re
from pathlib import Path

from pydicom.uid import UID

from demottle.node.network.lobby import SEATS, SEATS_OF_ONE
from demottle.node.network.receiving import BROKEN, CLASSES, MISMATCH, NO_ROOM, NOT_UNDERSTOOD
from demottle.node.network.transport import CONNECTIONS, CONNECTIONS_OF_ONE, GREETING, LARGEST_PDU
from demottle.node.web.dicomweb.query import MATCHED
from demottle.node.web.dicomweb.store import NO_CLASS, NO_SYNTAX

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8").split("## 11. The node")[1]


def test_every_class_that_is_taken_is_named_and_no_other() -> None:
    rows = re.findall(r"^\| (?:Storage)? ?\| (.*?) \| SCP, SCU \|$", PAGE, flags=re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")}
    assert named == {UID(one).name for one in CLASSES} and len(named) == 10


def test_the_numbers_are_those_of_the_program() -> None:
    assert f"{CONNECTIONS} in, {CONNECTIONS_OF_ONE} of them from one address" in PAGE
    assert f"of more than {SEATS} that have not ({SEATS_OF_ONE} of one address)" in PAGE and GREETING == 15
    assert f"{LARGEST_PDU >> 20} MiB" in PAGE


def test_the_keys_of_a_query_are_those_that_are_matched() -> None:
    (told,) = re.findall(r"^\*\*Keys\*\* .*?: (.*?)\. Capitals", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert told.replace("\n", " ").split(", ") == list(MATCHED)


def test_the_codes_of_refused_objects_are_those_of_the_program() -> None:
    told = re.search(r"FailureReason of what is refused: (.*?)\. 400", PAGE)
    assert told is not None
    codes = {int(code, 16) for code in re.findall(r"\b[0-9A-F]{4}\b", told[1])}
    assert codes == {NO_ROOM, MISMATCH, NOT_UNDERSTOOD, BROKEN, NO_CLASS, NO_SYNTAX}
