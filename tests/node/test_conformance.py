"""The conformance statement names what the node takes, and nothing else."""

import re
from pathlib import Path

from pydicom.uid import UID

from demottle.node.network.receiving import CLASSES
from demottle.node.network.transport import CONNECTIONS, LARGEST_PDU

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8").split("## 11. The node")[1]


def test_every_class_that_is_taken_is_named_and_no_other() -> None:
    rows = re.findall(r"^\| (?:Storage)? ?\| (.*?) \| SCP, SCU \|$", PAGE, flags=re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")}
    assert named == {UID(one).name for one in CLASSES} and len(named) == 10


def test_the_numbers_are_those_of_the_program() -> None:
    assert f"{CONNECTIONS} in, " in PAGE and f"{LARGEST_PDU >> 20} MiB" in PAGE
