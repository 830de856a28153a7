"""One round: read, denoise, hold against the gate, write aside, and publish together with what has to be sent."""

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom

from demottle.errors import DemottleError, InputError
from demottle.io.dicom.headers.marks import ROUND
from demottle.node.configuration import FAST, Configuration, Rule
from demottle.node.disk import sync_file, sync_folder, sync_tree
from demottle.node.log import complain, tell
from demottle.node.queue import rounds
from demottle.node.queue.rounds import Made, Round, result_folder
from demottle.node.queue.store import Queue, States
from demottle.node.work.shared import SharedModels

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result

FULL = (OSError, sqlite3.OperationalError)
"""What a full disk raises: the system for results, SQLite for the queue."""


@dataclass(frozen=True)
class _Volume:
    """One denoised volume of a series; `result` is None for phase images, which are written as they are."""

    image: "Image"
    result: "Result | None"
    failed: str = ""


def work_on(told: Configuration, queue: Queue, round: Round, models: SharedModels) -> None:
    """Do one round; whatever happens, it ends in a state with a reason.

    Raises:
        OSError, sqlite3.OperationalError: the disk is full or fails (`FULL`): the round is to be begun again.
    """
    rule = next((one for one in told.rules if one.name == round.rule), None)
    if rule is None:
        return _failed(queue, round, f"the configuration has no rule '{round.rule}' any longer")
    place = told.folder / "work" / str(round.id)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        _publish(told, queue, round, rule, _denoised(told, round, rule, place, models), place)
    except DemottleError as error:
        _failed(queue, round, _plainly(error, told.folder))
    except MemoryError:
        _failed(queue, round, "there is not enough memory for this series")
    except FULL:
        raise
    except Exception as error:  # a bug that one series wakes must not cost the others
        complain(f"{round}: a bug, {type(error).__name__}")
        rounds.ended(queue, round.id, States.FAILED, f"this is a bug in demottle ({type(error).__name__}: {error})")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _failed(queue: Queue, round: Round, reason: str) -> None:
    complain(f"{round}: not denoised: {reason}")
    rounds.ended(queue, round.id, States.FAILED, reason)


def _plainly(error: DemottleError, folder: Path) -> str:
    """A sentence for page and log: without the node's folder, which is of no help there, and without what a header says.

    Messages of pydicom may quote a broken element, which may hold a name; its kind of error stands in their place.
    """
    sentence, cause = str(error), error.__cause__
    if isinstance(cause, Exception) and str(cause) and not isinstance(cause, DemottleError):
        from demottle.io.dicom.files import in_short

        sentence = sentence.replace(in_short(cause), type(cause).__name__)
    return sentence.replace(f"{folder}{os.sep}", "")


def _denoised(told: Configuration, round: Round, rule: Rule, place: Path, models: SharedModels) -> list[_Volume]:
    """Denoise every volume of the series."""
    from demottle import io

    scan = place / "scan"
    scan.mkdir()
    for number, file in enumerate(round.files, 1):
        (scan / f"{number:06d}.dcm").hardlink_to(told.folder / file)
    opened = io.open_scan(scan)
    request = request_of(rule, round.wanted)
    if len(opened.volumes) < 2:
        return [_treated(opened.read(None), request, round, rule, models)]
    done = []
    for part in opened.volumes:
        image = opened.read(part.number)
        done.append(_unchanged(image) if part.phase else _treated(image, request, round, rule, models))
    return done


def request_of(rule: Rule, wanted: Mapping[str, Any]) -> "Request":
    """What the rule asks for, unless a person asked for another method or model, which brings its own settings.

    Args:
        rule: the rule that the series meets.
        wanted: arguments of a `Request` that a person asked for, of this round.
    """
    from demottle.pipeline.preset import with_preset
    from demottle.pipeline.request import Request

    kept = dict(rule.request)
    if {"method", "model"} & wanted.keys():
        kept = {name: value for name, value in kept.items() if name in ("strength", "seed")}
    request = Request(**{**kept, **wanted})
    if rule.preset in ("", FAST) or {"strength", "texture"} & wanted.keys():
        return request
    return with_preset(request, rule.preset)


def _treated(image: "Image", request: Any, round: Round, rule: Rule, models: SharedModels) -> _Volume:
    from demottle import io

    io.check_output(image, Path("result"), "dicom")  # before the work
    result, verdict = models.run(image, request, rule)
    made = _of_round(result.image, round.number)
    failed = "" if verdict is None or verdict.passed else verdict.reasons
    if failed:
        from demottle.io.refused import marked_refused

        made = marked_refused(made, failed)
    gate = None if verdict is None else verdict.to_dict()
    record = {**result.record, **({} if gate is None else {"gate": gate, "refused": bool(failed)})}
    return _Volume(made, replace(result, image=made, record=record), failed)


def _of_round(image: "Image", number: int) -> "Image":
    """The image of a series that is done again says so, and gets UIDs of its own by that."""
    if number == 1:
        return image
    step = image.history[-1]
    return replace(image, history=(*image.history[:-1], replace(step, settings={**step.settings, ROUND: number})))


def _unchanged(image: "Image") -> _Volume:
    from demottle import __version__
    from demottle.image import ProcessingStep
    from demottle.io.dicom.headers.marks import UNCHANGED

    step = ProcessingStep(UNCHANGED, __version__, {"reason": "phase images"})
    return _Volume(image.with_voxels(image.voxels, step), None)


def _publish(told: Configuration, queue: Queue, round: Round, rule: Rule, done: Sequence[_Volume], place: Path) -> None:
    """Write all results, and enter them where they pass the gate; results that fail stay for people to look at."""
    results = [one.result for one in done if one.result is not None]
    if not results:
        raise InputError("The series holds phase images alone, which are not denoised.")
    new = place / "results"
    sources = [told.folder / file for file in round.files]
    made = _written(new, done, results, sources, rule)
    failed = "; ".join(one.failed for one in done if one.failed)
    if failed:
        made = _refusal(new, results, sources, failed) if rule.tell else []
    sync_tree(new)
    final = result_folder(told.folder, round.id)
    shutil.rmtree(final, ignore_errors=True)
    new.rename(final)
    sync_folder(final.parent)
    method, gate = results[0].record["method"], results[0].record.get("gate", {})
    named = [replace(one, file=f"results/{round.id}/{one.file}") for one in made]
    state, reason = (States.REFUSED, f"the result fails the gate: {failed}") if failed else (States.SENDING, "")
    if not rounds.published(queue, round.id, named, rule.to, method=method, gate=gate, state=state, reason=reason):
        shutil.rmtree(final, ignore_errors=True)
        return tell(f"{round}: more of it came, it is done again")
    more = ", a report says so" if made else ""
    sent = f"denoised with {method}, {len(made)} objects to send"
    tell(f"{round}: " + (f"the result fails the gate and is not sent{more}: {failed}" if failed else sent))
    _draw_pages(final, results, round)


def _draw_pages(folder: Path, results: Sequence["Result"], round: Round) -> None:
    """Draw the page of each volume. The result is on its way by now: what goes wrong here costs a page, and no more."""
    for number, result in enumerate(results, 1):
        try:
            aside = folder / f".page-{number}.html"
            result.save_page(aside, result.record)
            sync_file(aside)
            aside.rename(folder / f"report{_numbered(number, results)}.html")
        except Exception as error:
            complain(f"{round}: its page could not be drawn ({type(error).__name__})")
    if folder.is_dir():
        sync_folder(folder)


def _numbered(number: int, results: Sequence["Result"]) -> str:
    """What the name of a file of one volume ends with, where there are several."""
    return "" if len(results) == 1 else f"-{number}"


def _refusal(folder: Path, results: Sequence["Result"], sources: Sequence[Path], reasons: str) -> list[Made]:
    from demottle.node.work.belonging import write_refusal

    write_refusal(results, sources, folder / "images", folder / "refusal", reasons)
    return _made(folder, "refusal")


def _written(
    folder: Path, done: Sequence[_Volume], results: Sequence["Result"], sources: Sequence[Path], rule: Rule
) -> list[Made]:
    """Write images, map, documents and record below a folder; return what of it is to be sent."""
    from demottle import io
    from demottle.node.work.belonging import write_documents, write_map_of

    folder.mkdir()
    io.write([one.image for one in done], folder / "images", format="dicom")
    for number, result in enumerate(results, 1):
        told = json.dumps(result.record, indent=2, default=str) + "\n"
        (folder / f"run{_numbered(number, results)}.json").write_text(told, encoding="utf-8")
    if "map" in rule.send:
        write_map_of(results, folder / "map")
    write_documents(results, sources, folder / "images", folder, rule.send)
    return [one for kind in rule.send for one in _made(folder, kind)]


def _made(folder: Path, kind: str) -> list[Made]:
    found = []
    for path in sorted((folder / kind).rglob("*.dcm")) if (folder / kind).is_dir() else [folder / kind]:
        if path.is_file():
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID", "SOPClassUID"])
            syntax = str(header.file_meta.TransferSyntaxUID)
            name = str(path.relative_to(folder))
            found.append(Made(header.SOPInstanceUID, header.SOPClassUID, syntax, kind, name, path.stat().st_size))
    return found
