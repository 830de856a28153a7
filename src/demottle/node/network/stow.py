"""One DICOMweb server as a client sees it: objects stored by STOW-RS, and the question whether it holds one (QIDO-RS)."""

import base64
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demottle import __version__
from demottle.node.configuration import WebDestination

DICOM, JSON = "application/dicom", "application/dicom+json"
_GREETING, _PATIENCE = 15.0, 300.0  # seconds for a connection, and for an answer: a server may index before it answers
_LONGEST_REST = 86400.0
_PIECE, _LONGEST = 1 << 20, 16 << 20
_STORED, _FAILED, _UID, _REASON = "00081199", "00081198", "00081155", "00081197"


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        code: the status of HTTP; 0 where nothing was answered.
        why: why nothing was, in a few words.
        stored: SOP Instance UIDs that it says it has stored.
        later: seconds after which it wants to be asked again (Retry-After); 0 where it does not say.
        failed: those that it says it has not, with the failure reason of PS3.4 (0 where it gives none).
    """

    code: int
    why: str = ""
    stored: frozenset[str] = frozenset()
    failed: Mapping[str, int] = field(default_factory=dict)
    later: float = 0.0


class WebLine:
    """A connection to a DICOMweb server, opened when something is asked, and kept until `close`."""

    def __init__(self, to: WebDestination) -> None:
        """Read certificates and log-in, which may have changed since the last time.

        Raises:
            OSError: one of the files cannot be read, or holds no certificate (ssl.SSLError).
            ValueError: a file holds no text.
        """
        url, self._later = urlsplit(to.url), 0.0
        self._path = url.path
        self._headers = {"User-Agent": f"demottle/{__version__}", "Accept": JSON, **_login(to)}
        host = url.hostname or ""
        if url.scheme == "https":
            self._line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, url.port, timeout=_GREETING, context=_context(to)
            )
        else:
            self._line = http.client.HTTPConnection(host, url.port, timeout=_GREETING)

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def store(self, files: Sequence[Path]) -> Answer:
        """Store objects (DICOM Part 10) by one request.

        Raises:
            FileNotFoundError: one of them is gone.
        """
        boundary = f"demottle-{secrets.token_hex(16)}"
        length = sum(file.stat().st_size for file in files) + sum(map(len, _around(len(files), boundary)))
        headers = {
            "Content-Type": f'multipart/related; type="{DICOM}"; boundary={boundary}',
            "Content-Length": str(length),
        }
        code, why, body = self._asked("POST", "/studies", _body(files, boundary), headers)
        return Answer(code, why, *_named(body), self._later)

    def holds(self, uid: str) -> bool:
        """True where the server says that it holds an object."""
        code, _, body = self._asked("GET", f"/instances?SOPInstanceUID={uid}&limit=1", None, {})
        if code != 200:
            return False
        try:
            found = json.loads(body)
            return isinstance(found, list) and any(uid in one[_stand(one)].get("Value", []) for one in found)
        except (ValueError, KeyError, TypeError, AttributeError):
            return False

    def _connect(self) -> None:
        line: Any = self._line
        opened: Any = line.sock
        if opened is None:
            line.connect()
            opened = line.sock
            opened.settimeout(_PATIENCE)

    def _asked(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Status, why there is none, and body of an answer."""
        self._later = 0.0
        try:
            self._connect()
        except ssl.SSLCertVerificationError:
            return 0, "its certificate is not one to be trusted", b""
        except ssl.SSLError as error:
            return 0, f"TLS failed ({error.reason or 'no reason given'})", b""
        except OSError:
            return 0, "no connection", b""
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # who refuses before all has come may have said why
                self._line.request(method, self._path + path, body, {**self._headers, **headers})
            answer = self._line.getresponse()
            self._later = _seconds(answer.getheader("Retry-After", ""))
            return answer.status, "", answer.read(_LONGEST)
        except (OSError, http.client.HTTPException):
            self._line.close()
            return 0, "the connection broke off", b""


def _seconds(retry_after: str) -> float:
    """How long a Retry-After asks for, as seconds or as a date: a day at most, 0 where it makes no sense."""
    try:
        found = (
            float(retry_after)
            if retry_after.isdigit()
            else parsedate_to_datetime(retry_after).timestamp() - time.time()
        )
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(found, 0.0), _LONGEST_REST)


def _stand(one: Mapping[str, Any]) -> str:
    return "00080018" if "00080018" in one else _UID


def _login(to: WebDestination) -> dict[str, str]:
    if to.token_file is not None:
        return {"Authorization": f"Bearer {_line_of(to.token_file).encode('ascii').decode()}"}
    if to.user is None or to.password_file is None:
        return {}
    told = base64.b64encode(f"{to.user}:{_line_of(to.password_file)}".encode()).decode()
    return {"Authorization": f"Basic {told}"}


def _line_of(file: Path) -> str:
    found = file.read_text(encoding="utf-8").strip()
    if not found.isprintable():
        raise ValueError("a log-in of more than one line")
    return found


def _context(to: WebDestination) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=to.authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if to.certificate is not None and to.key is not None:
        context.load_cert_chain(to.certificate, to.key)
    return context


def _around(files: int, boundary: str) -> list[bytes]:
    """What stands before each file, and what stands after the last."""
    first = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    return [first, *[b"\r\n" + first] * (files - 1), f"\r\n--{boundary}--\r\n".encode()]


def _body(files: Sequence[Path], boundary: str) -> Iterator[bytes]:
    *before, last = _around(len(files), boundary)
    for head, file in zip(before, files, strict=True):
        yield head
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
    yield last


def _named(body: bytes) -> tuple[frozenset[str], dict[str, int]]:
    """UIDs that an answer (PS3.18 Store Instances Response) says are stored, and those that are not with their reasons."""
    try:
        told = json.loads(body)
        told = told[0] if isinstance(told, list) else told
        stored = {str(one[_UID]["Value"][0]) for one in told.get(_STORED, {}).get("Value", [])}
        items = told.get(_FAILED, {}).get("Value", [])
        failed = {str(one[_UID]["Value"][0]): int(one.get(_REASON, {}).get("Value", [0])[0]) for one in items}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return frozenset(), {}
    return frozenset(stored), failed
