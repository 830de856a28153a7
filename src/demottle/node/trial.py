"""Which rule each series of a folder would meet: the rules of a node, tried before it goes live."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from demottle.errors import InputError
from demottle.node.configuration import Configuration, Rule
from demottle.node.facts import Facts, facts_of


@dataclass(frozen=True)
class Tried:
    """One series of a folder.

    Attributes:
        uid: SeriesInstanceUID.
        files: how many files it has.
        example: the name of one of them.
        facts: what rules ask of it.
        rule: name of the rule that it meets; None: there is none.
        said: what would be done with it, in a sentence.
    """

    uid: str
    files: int
    example: str
    facts: Facts
    rule: str | None
    said: str


def try_rules(told: Configuration, folder: Path, caller: str) -> list[Tried]:
    """Hold the rules against every series in a folder, as if `caller` sent it.

    Raises:
        InputError: there is no such folder, or no DICOM in it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; name one with DICOM files.")
    series: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, specific_tags=["SeriesInstanceUID"], stop_before_pixels=True)
        except (InvalidDicomError, OSError, ValueError, NotImplementedError):
            continue
        if header.get("SeriesInstanceUID"):
            series[str(header.SeriesInstanceUID)].append(file)
    if not series:
        raise InputError(f"There is no DICOM object in {folder}; name a folder with some.")
    found = []
    for uid, files in series.items():
        facts = facts_of(files[0], caller)
        rule = None if facts["own"] else told.rule_for(facts)
        said = "is demottle's own result: it would be received and left alone" if facts["own"] else said_of(rule)
        name = None if rule is None else rule.name
        found.append(Tried(uid, len(files), str(files[0].relative_to(folder)), facts, name, said))
    return found


def said_of(rule: Rule | None) -> str:
    """What is done with a series that meets a rule."""
    if rule is None:
        return "meets no rule: it would be received and left alone"
    if rule.leave:
        return f"meets '{rule.name}': it would be received and left alone"
    from demottle.quality.measures import in_words

    asked = rule.request
    how = str(asked.get("method") or asked.get("model") or "the method that the scan decides")
    how += f", preset {rule.preset}" if rule.preset else ""
    strength = f", strength {asked['strength']:g}" if "strength" in asked else ""
    gate = ", without the gate" if rule.limits is None else ", a report if it fails the gate" if rule.tell else ""
    return f"meets '{rule.name}': {how}{strength}{gate}; {in_words(rule.send)} to {in_words(rule.to)}"
