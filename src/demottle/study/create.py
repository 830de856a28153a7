"""From the folders of several arms to a blinded study."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.errors import InputError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.io.formats import stem_of
from demottle.io.output import publishing, refuse_existing, refuse_inputs
from demottle.io.scans import find_scans
from demottle.quality.to_plain import plain
from demottle.study.design import SINGLE, CaseGeometry, Key, Study, draw_images, draw_trials
from demottle.study.files import ANSWERS, StudyFolder, new_key_file, pad_slices, write_key, write_slice, write_study
from demottle.study.pictures import (
    codes_of,
    draw_stacks,
    filled,
    geometry_of,
    refuse_other_geometry,
    refuse_other_object,
    stacks_at,
)
from demottle.study.questions import questions_for

Read = Callable[[Path], Image]
_SHARE_REPEATED = 0.2
_EPOCH = 946684800  # of all files: the order in which they were written tells nothing


@dataclass(frozen=True)
class Plan:
    """What a study is to be.

    Attributes:
        design: `SINGLE`, one image at a time, or `PAIRS`, the reference beside another arm.
        slices: slices of each case, to scroll through; 1 for one slice.
        per_scan: number of cases drawn from each scan.
        at: slices (from 1) to show of each scan in place of drawn ones.
        repeats: number of trials shown twice; None: a fifth of them.
        seed: the same seed and scans give the same study; None draws one that nobody knows, which the key keeps. Whoever knows
            it and has the scans can tell the arms.
        title: shown to readers, so it must not tell what is compared.
    """

    design: str = SINGLE
    slices: int = 9
    per_scan: int = 1
    at: tuple[int, ...] = ()
    repeats: int | None = None
    seed: int | None = None
    title: str = "Reader study"


@dataclass(frozen=True)
class _Case:
    geometry: CaseGeometry
    stacks: dict[str, Voxels]
    source: dict[str, str | int]


def match_scans(arms: Mapping[str, Path]) -> list[dict[str, Path]]:
    """Return for each scan its path in every arm: by name, or, where each arm holds one scan, whatever it is called.

    Raises:
        InputError: for fewer than two arms, a folder without scans, or arms that do not hold the same scans.
    """
    if len(arms) < 2:
        raise InputError("A study compares two or more arms; name each with its folder.")
    found = {arm: {_name(scan, path): scan for scan in find_scans(path)} for arm, path in arms.items()}
    if all(len(scans) == 1 for scans in found.values()):
        return [{arm: next(iter(scans.values())) for arm, scans in found.items()}]
    (first, names), *others = found.items()
    for arm, scans in others:
        missing, added = sorted(names.keys() - scans.keys()), sorted(scans.keys() - names.keys())
        if missing or added:
            lacking, name, count = (arm, missing[0], len(missing)) if missing else (first, added[0], len(added))
            more = f" and {count - 1} more" if count > 1 else ""
            raise InputError(
                f"Arm {lacking} holds no scan '{name}'{more}, which arm {first if missing else arm} holds; give the scans of "
                "all arms the same names."
            )
    return [{arm: scans[name] for arm, scans in found.items()} for name in sorted(names)]


def create(
    arms: Mapping[str, Path],
    output: Path,
    read: Read,
    plan: Plan | None = None,
    key: Path | None = None,
    listener: Listener = silent,
) -> tuple[Study, Path]:
    """Write a study, and return it with the place of its key.

    Args:
        arms: folder or scan by name of the arm; the first is the reference.
        output: folder of the study; must not exist, and appears only when complete.
        read: reads one scan.
        plan: what the study is to be.
        key: where the key goes; None: beside the folder, `STUDY-key.json`.
        listener: told about progress, stage "study".

    Raises:
        InputError: for arms that do not match, scans that cannot be read, or a plan that cannot be.
        OutputError: where it cannot be written.
    """
    plan = plan or Plan()
    seed = secrets.randbits(63) if plan.seed is None else plan.seed
    rng = np.random.default_rng(seed)
    scans = match_scans(arms)
    place = key or new_key_file(output)
    refuse_inputs((output, key), arms.values())
    refuse_existing((output, place), never="studies")
    repeats = _repeats(plan, len(scans), len(arms))
    seen = hashlib.sha256()  # of all that is shown: the same images make the same study wherever they lie
    inside = place.resolve().is_relative_to(output.resolve())
    with publishing([output, None if inside else place]) as at:
        folder = at[output]
        cases: list[CaseGeometry] = []
        sources: list[dict[str, str | int]] = []
        kept = folder.parent / "arms"  # outside of what is published, until names are drawn
        for number, paths in enumerate(scans):
            listener(Progress(Stage.STUDY, number, len(scans), counted(len(cases), "case")))
            for case in _cases_of(paths, read, plan, rng):
                for arm, stack in case.stacks.items():
                    for plane in _keep(stack, case.geometry, kept / f"{len(cases)}-{list(arms).index(arm)}"):
                        seen.update(plane)
                cases.append(case.geometry)
                sources.append(case.source)
        rng = np.random.default_rng([seed, int(seen.hexdigest(), 16)])  # who guesses the seed still lacks the images
        images = draw_images(len(cases), tuple(arms), rng)
        trials = draw_trials(images, tuple(arms), plan.design, repeats, rng)
        seen.update(json.dumps([plain(trials), plain(images)], sort_keys=True).encode())
        name = seen.hexdigest()[:16]
        study = Study(name, plan.title, plan.design, questions_for(plan.design != SINGLE), tuple(cases), trials)
        found = Key(name, tuple(arms), images, tuple(sources), seed)
        part = folder / place.resolve().relative_to(output.resolve()) if inside else at[place]
        _publish(study, found, kept, folder, part)
        listener(Progress(Stage.STUDY, len(scans), len(scans), counted(len(cases), "case")))
    return study, place


def _cases_of(paths: Mapping[str, Path], read: Read, plan: Plan, rng: np.random.Generator) -> list[_Case]:
    """Read one scan, arm by arm: only the slices that are shown stay in memory."""
    arms = list(paths)
    reference = read(paths[arms[0]])
    count, what = reference.shape[0], str(paths[arms[0]])
    if plan.at:
        stacks = stacks_at(count, plan.slices, plan.at, what)
    else:
        stacks = draw_stacks(count, plan.slices, plan.per_scan, rng, what)
    shown = {arms[0]: [filled(reference, *stack) for stack in stacks]}
    for arm in arms[1:]:
        other = read(paths[arm])
        what = f"{paths[arm]} (arm {arm})"
        refuse_other_geometry(reference, other, what)
        shown[arm] = [filled(other, *stack) for stack in stacks]
        for first, second in zip(shown[arms[0]], shown[arm], strict=True):
            refuse_other_object(first, second, what)
    made = []
    for place, (start, _) in enumerate(stacks):
        of_case = {arm: shown[arm][place] for arm in arms}
        source: dict[str, str | int] = {**{arm: str(paths[arm]) for arm in arms}, "first slice": start + 1}
        made.append(_Case(geometry_of(reference, list(of_case.values())), of_case, source))
    return made


def _repeats(plan: Plan, scans: int, arms: int) -> int:
    """How many showings come twice; refused before scans are read if there are not that many."""
    cases = scans * (len(plan.at) or plan.per_scan)
    showings = cases * (arms if plan.design == SINGLE else arms - 1)
    repeats = round(_SHARE_REPEATED * showings) if plan.repeats is None else plan.repeats
    if repeats > showings:
        raise InputError(
            f"{repeats} repeats were asked for, but there are only {showings} images to repeat; ask for fewer."
        )
    return repeats


def _keep(stack: Voxels, geometry: CaseGeometry, folder: Path) -> Iterator[bytes]:
    for number, plane in enumerate(stack):
        codes = codes_of(plane, geometry)
        write_slice(codes, folder / f"{number:03d}.gz")
        yield codes.tobytes()


def _publish(study: Study, key: Key, kept: Path, folder: Path, key_file: Path) -> None:
    """Give the images the names drawn for them, one size and one date, and write what is shown; the key is written apart.

    They are written anew in the order of their names, since the numbers that a file system gives to files follow that of writing.
    """
    folder.mkdir()
    files = StudyFolder(folder)
    targets = {}
    for image, what in sorted(key.images.items()):
        for path in sorted((kept / f"{what.case}-{key.arms.index(what.arm)}").iterdir()):
            targets[path] = files.slice_file(image, 0).with_name(path.name)
    pad_slices(targets)
    for target in targets.values():
        os.utime(target, (_EPOCH, _EPOCH))
    for image in key.images:
        os.utime(files.slice_file(image, 0).parent, (_EPOCH, _EPOCH))
    shutil.rmtree(kept)
    (folder / ANSWERS).mkdir()
    write_study(study, folder)
    key_file.parent.mkdir(parents=True, exist_ok=True)
    write_key(key, key_file)


def _name(scan: Path, root: Path) -> str:
    """What a scan is called in its arm: its path without the ending of a format, so that formats may differ."""
    if scan == root:
        return ""
    relative = scan.relative_to(root)
    return (relative.with_name(stem_of(relative)) if scan.is_file() else relative).as_posix()
