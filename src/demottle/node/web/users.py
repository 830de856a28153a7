"""Who may log in: a file beside the queue, with scrypt hashes of the passwords. Command line and page write it."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from demottle.errors import InputError
from demottle.node.disk import alone, sync_file, sync_folder

FILE = "users.json"
SHORTEST, LONGEST = 12, 256
_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
_COST = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 1 << 26}  # 32 MiB and about 0.1 s for each try
_ABSENT = {"salt": "00" * 16, "hash": "00" * 64}


NOBODY = "nobody"
"""In place of a role: none of them."""


class Role(StrEnum):
    """What a person may do; each may do what those before it may."""

    TECHNOLOGIST = "technologist"  # sees, sends again, makes urgent
    PHYSICIST = "physicist"  # also does again and rejects
    ADMIN = "admin"  # also purges, and looks after the users

    def may(self, needed: "Role") -> bool:
        """True where this role includes the needed one."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True)
class User:
    """Somebody who may log in; `stamp` changes with the password and with the role."""

    name: str
    role: Role
    stamp: str


def save_user(folder: Path, name: str, role: Role, password: str, *, new: bool = False) -> None:
    """Add a user, or give one another password and role; sessions of that name end.

    Args:
        folder: of the node.
        name, role, password: of the user.
        new: refuse a name that is there already.

    Raises:
        InputError: the name or the password cannot be used, or the name is there already.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be a name; use up to 32 letters, digits, dots, dashes and underscores.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"The password has {len(password)} characters; use {SHORTEST} to {LONGEST}.")
    salt = secrets.token_bytes(16)
    made = {"role": str(role), "salt": salt.hex(), "hash": _hash(password, salt)}
    with _changed(folder) as users:
        if new and name in users:
            raise InputError("There is a user of this name already; choose another one.")
        users[name] = made


def set_role(folder: Path, name: str, role: Role) -> None:
    """Give a user another role; sessions of that name end.

    Raises:
        InputError: there is no such user.
    """
    with _changed(folder) as users:
        if name not in users:
            raise InputError("There is no user of this name.")
        users[name] = {**users[name], "role": str(role)}


def remove_user(folder: Path, name: str) -> None:
    """Remove a user; sessions of that name end.

    Raises:
        InputError: there is no such user.
    """
    with _changed(folder) as users:
        if users.pop(name, None) is None:
            raise InputError("There is no user of this name.")


def all_users(folder: Path) -> list[User]:
    """All users, by name."""
    return [_user(name, one) for name, one in sorted(_read(folder).items())]


def user_of(folder: Path, name: str) -> User | None:
    """The user of a name."""
    found = _read(folder).get(name)
    return None if found is None else _user(name, found)


def checked(folder: Path, name: str, password: str) -> User | None:
    """The user whom name and password are right for. An unknown name takes as long as a wrong password."""
    found = _read(folder).get(name)
    known = found or _ABSENT
    right = secrets.compare_digest(_hash(password[:LONGEST], bytes.fromhex(known["salt"])), known["hash"])
    return _user(name, found) if right and found is not None else None


def _user(name: str, one: dict[str, str]) -> User:
    return User(name, Role(one["role"]), hashlib.sha256(f"{one['role']} {one['hash']}".encode()).hexdigest()[:16])


def _hash(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()


def _read(folder: Path) -> dict[str, dict[str, str]]:
    try:
        found: dict[str, dict[str, str]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / FILE} cannot be read; remove it and add the users again.") from error
    return found


@contextmanager
def _changed(folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Yield the users, and write what the block leaves; page and command line take turns."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder, "users", wait=True):
        users = _read(folder)
        yield users
        _write(folder, users)


def _write(folder: Path, users: dict[str, dict[str, str]]) -> None:
    aside = folder / f".{FILE}.{secrets.token_hex(4)}"
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(users, indent=2) + "\n", encoding="utf-8")
    sync_file(aside)
    aside.rename(folder / FILE)
    sync_folder(folder)
