"""What the study's page asks and is answered: requests as values, so that nothing here knows of sockets.

The page is never told which images belong to one case or arm, nor their names: it asks for them by trial and place, and all
answers that hold an image are alike in length and headers, and take the same work.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from demottle.errors import DemottleError, OutputError
from demottle.quality.to_plain import plain
from demottle.study.answers import Answers, alias_of, readers_of
from demottle.study.design import Study, order_for
from demottle.study.files import StudyFolder, read_study
from demottle.study.store import Store

_NUMBER = re.compile("[0-9]{1,6}")
JSON, CODES = "application/json; charset=utf-8", "application/octet-stream"
_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/questions.js": ("questions.js", "text/javascript; charset=utf-8"),
    "/saving.js": ("saving.js", "text/javascript; charset=utf-8"),
    "/images.js": ("images.js", "text/javascript; charset=utf-8"),
    "/viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
    "/study.css": ("study.css", "text/css; charset=utf-8"),
}


@dataclass(frozen=True)
class Response:
    """What is sent back."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def said(status: int, value: Mapping[str, Any]) -> Response:
    """Answer with JSON."""
    return Response(status, JSON, json.dumps(value, ensure_ascii=False).encode())


class Application:
    """One study as it is served. May be called from several threads."""

    def __init__(self, folder: Path) -> None:
        """Read the study, its images and all answers, so that damage is known before a reader begins.

        Raises:
            InputError: where the study, an image or an answers file cannot be read.
            OutputError: where there is no room to unpack the images.
        """
        self._files = StudyFolder(folder)
        self.study: Study = read_study(folder)
        self._images = Store(self._files, self.study)
        self._trials = {trial.name: trial for trial in self.study.trials}
        self._lock = threading.Lock()
        self._readers = {one.reader: one for one in readers_of(self._files.answers, self.study)}

    @property
    def progress(self) -> dict[str, int]:
        """Number of trials each reader has finished."""
        with self._lock:
            return {
                name: sum(given.complete(self.study) for given in one.given.values())
                for name, one in self._readers.items()
            }

    def get(self, path: str) -> Response:
        """Answer a GET."""
        if path in _PAGE:
            name, kind = _PAGE[path]
            return Response(200, kind, (files("demottle.study") / "web" / name).read_bytes())
        if path == "/api/study":
            questions = plain(self.study.questions)
            count = len(self.study.trials)
            return said(
                200, {"title": self.study.title, "design": self.study.design, "questions": questions, "count": count}
            )
        if path.startswith("/api/image/"):
            return self._image(path.removeprefix("/api/image/").split("/"))
        return said(404, {"error": "There is no such page."})

    def post(self, path: str, body: Mapping[str, Any]) -> Response:
        """Answer a POST."""
        try:
            if path == "/api/reader":
                return self._reader(alias_of(str(body.get("reader", ""))))
            if path == "/api/answers":
                return self._answers(body)
        except OutputError as error:
            return said(507, {"error": str(error)})
        except DemottleError as error:
            return said(400, {"error": str(error)})
        return said(404, {"error": "There is no such page."})

    def _image(self, parts: list[str]) -> Response:
        trial = self._trials.get(parts[0])
        if trial is None or len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts[1:]):
            return said(404, {"error": "There is no such image."})
        place, number = (int(part) for part in parts[1:])
        if place >= len(trial.images) or number >= self.study.cases[trial.case].slices:
            return said(404, {"error": "There is no such image."})
        return Response(200, CODES, self._images.slice(trial.images[place], number))

    def _reader(self, alias: str) -> Response:
        one = self._reader_named(alias)
        trials = []
        for trial in order_for(self.study, alias):
            geometry = plain(self.study.cases[trial.case])
            trials.append({"name": trial.name, "images": len(trial.images), **geometry})
        with self._lock:
            given = {name: dict(trial.answers) for name, trial in one.given.items()}
        return said(200, {"reader": alias, "trials": trials, "given": given})

    def _answers(self, body: Mapping[str, Any]) -> Response:
        one = self._reader_named(alias_of(str(body.get("reader", ""))))
        answers = body.get("answers")
        with self._lock:
            given = one.add(
                str(body.get("trial")), answers if isinstance(answers, dict) else {}, body.get("seconds", float("nan"))
            )
            return said(200, {"given": dict(given.answers), "complete": given.complete(self.study)})

    def _reader_named(self, alias: str) -> Answers:
        with self._lock:
            if alias not in self._readers:
                self._readers[alias] = Answers(self._files.answers, alias, self.study)
            return self._readers[alias]
