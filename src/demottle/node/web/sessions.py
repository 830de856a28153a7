"""Sessions in signed cookies. The key lives as long as the process: whoever is logged in logs in again after a restart."""

import hashlib
import hmac
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from demottle.node.web.users import User, user_of

COOKIE = "demottle"
HOURS = 8.0
_TRIES, _WINDOW, _MOST = 5, 300.0, 10000


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in; `csrf` has to come with everything that changes something."""

    user: User
    id: str
    csrf: str


class Sessions:
    """All sessions of a node."""

    def __init__(self, folder: Path) -> None:
        """Begin without sessions; `folder` holds the users."""
        self._folder, self._key = folder, secrets.token_bytes(32)
        self._ended: dict[str, float] = {}

    def begin(self, user: User, now: float | None = None) -> str:
        """Return the cookie of a new session."""
        end = int((time.time() if now is None else now) + HOURS * 3600)
        text = f"{user.name}:{user.stamp}:{end}:{secrets.token_urlsafe(12)}"
        return f"{text}:{self._sign('session', text)}"

    def of(self, cookie: str | None, now: float | None = None) -> Session | None:
        """The session of a cookie; None where it is forged, over, or the user is gone or has another password or role."""
        text, _, sign = (cookie or "").rpartition(":")
        parts = text.split(":")
        if len(parts) != 4 or not hmac.compare_digest(sign.encode(), self._sign("session", text).encode()):
            return None
        name, stamp, end, id = parts
        if int(end) < (time.time() if now is None else now) or id in self._ended:
            return None
        user = user_of(self._folder, name)
        if user is None or user.stamp != stamp:
            return None
        return Session(user, id, self._sign("csrf", id))

    def end(self, session: Session) -> None:
        """Log out: the cookie is of no use any longer, wherever it is."""
        now = time.time()
        self._ended = {id: until for id, until in self._ended.items() if until > now}
        self._ended[session.id] = now + HOURS * 3600

    def _sign(self, what: str, text: str) -> str:
        return hmac.new(self._key, f"{what}:{text}".encode(), hashlib.sha256).hexdigest()


class Brake:
    """Failed log-ins: after five within five minutes, of an address or of a name, nothing is tried for it."""

    def __init__(self) -> None:
        """Begin without any."""
        self._failed: dict[str, list[float]] = defaultdict(list)
        self._lock = Lock()

    def closed(self, *keys: str) -> bool:
        """True where one of the keys has failed too often."""
        now = time.monotonic()
        with self._lock:
            return any(sum(at > now - _WINDOW for at in self._failed.get(key, ())) >= _TRIES for key in keys)

    def failed(self, *keys: str) -> None:
        """Count a failed log-in."""
        now = time.monotonic()
        with self._lock:
            if len(self._failed) > _MOST:
                self._failed.clear()
            for key in keys:
                self._failed[key] = [*self._failed[key][-_TRIES:], now]
