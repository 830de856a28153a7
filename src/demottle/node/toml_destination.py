"""One [[destination]] of a node's configuration, DICOM or DICOMweb, read and checked; and addresses."""

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from demottle.node.configuration import AnyDestination, Destination, Tls, WebDestination
from demottle.node.toml_certificates import refuse_unreadable
from demottle.node.toml_table import Table

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_YEAR = 365.0
_HERE = ("127.0.0.1", "::1", "localhost")
_OF_DICOM = ("title", "address", "port", "tls", "commitment")
_OF_WEB = ("authorities", "certificate", "key", "user", "password_file", "token_file")


def read_destination(table: Table, tls: Tls | None) -> AnyDestination:
    """Read one [[destination]].

    Args:
        table: the table.
        tls: certificates of [tls], for DICOM destinations with tls = true.

    Raises:
        InputError: a value is missing, unknown or wrong; one sentence.
    """
    return _web(table) if table.has("url") else _dicom(table, tls)


def _dicom(table: Table, tls: Tls | None) -> Destination:
    made = Destination(
        name=table.name(),
        title=table.title(),
        address=address_of(table),
        port=table.port(),
        tls=table.flag("tls"),
        commitment=table.flag("commitment"),
        days=table.number("days", 7.0, 0, _YEAR),
    )
    table.finish(dict.fromkeys(_OF_WEB, 'goes with url = "https://..." and a DICOMweb server; leave it out'))
    if made.tls and tls is None:
        raise table.wrong("tls", "needs certificates; write [tls] with certificate, key and authorities")
    return made


def _web(table: Table) -> WebDestination:
    files = {key: table.file(key) for key in ("authorities", "certificate", "key") if table.has(key)}
    secrets = {key: _secret(table, key) for key in ("password_file", "token_file") if table.has(key)}
    user = table.text("user") if table.has("user") else None
    made = WebDestination(
        name=table.name(), url=_url(table), days=table.number("days", 7.0, 0, _YEAR), user=user, **files, **secrets
    )
    told = "stands beside 'url', and a destination is one of DICOM or of DICOMweb; leave one of them out"
    for key in _OF_WEB:
        table.raw(key)
    table.finish(
        {
            **dict.fromkeys(_OF_DICOM, told),
            "tls": "stands beside 'url'; write https:// in place of it, and authorities for a certificate of your own",
            "commitment": "stands beside 'url', where each answer says what was stored; leave it out",
        }
    )
    _refuse_half(table, made)
    refuse_unreadable(table, made.authorities, made.certificate, made.key)
    return made


def _refuse_half(table: Table, made: WebDestination) -> None:
    """Refuse what is of use only together, and secrets that would be read on the way."""
    if (made.certificate is None) != (made.key is None):
        raise table.wrong("certificate", "and 'key' belong together; write both or none")
    if (made.user is None) != (made.password_file is None):
        raise table.wrong("user", "and 'password_file' belong together; write both or none")
    if made.user is not None and ":" in made.user:
        raise table.wrong("user", "holds a colon, which HTTP does not allow in the name of a user; take another")
    if made.user is not None and made.token_file is not None:
        raise table.wrong("token_file", "stands beside 'user', and there is one way to log in; leave one of them out")
    url = urlsplit(made.url)
    if url.scheme == "https":
        return
    if made.authorities or made.certificate:
        raise table.wrong("url", f"is {made.url!r}, which uses no certificates; write https://")
    if (made.user or made.token_file) and url.hostname not in _HERE:
        raise table.wrong("url", f"is {made.url!r}, and the log-in would go there unencrypted; write https://")


def _url(table: Table) -> str:
    text = table.text("url")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port  # a port that is no number raises here
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise table.wrong("url", "holds a log-in, which would show in messages; write user and password_file")
    printable = all("!" <= one <= "~" for one in text)
    if parts.scheme not in ("http", "https") or not host or not printable or parts.query or parts.fragment:
        raise table.wrong("url", f'is {text!r}; write where /studies begins, such as "https://pacs.example/dicom-web"')
    if parts.path.rstrip("/").endswith("/studies"):
        raise table.wrong("url", f"is {text!r}; leave out /studies, which the node adds")
    return text.rstrip("/")


def _secret(table: Table, key: str) -> Path:
    """A file with one secret in it."""
    file = table.file(key)
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise table.wrong(key, f"names {file}, which cannot be read; let the node's user read it") from None
    if not found or len(found.split("\n")) > 1 or (key == "token_file" and not found.isascii()):
        raise table.wrong(key, f"names {file}, which has to hold one line, the secret, and nothing else")
    return file


def address_of(table: Table, default: str | None = None, networks: bool = False) -> str:
    """Read the key `address`: an address, a host's name or, where that makes sense, a network.

    Raises:
        InputError: it is none of these.
    """
    text = table.text("address", default)
    try:
        ipaddress.ip_network(text, strict=False) if networks else ipaddress.ip_address(text)
    except ValueError:
        numeric = re.fullmatch(r"[\d./:]+", text)
        if numeric or not _HOST.fullmatch(text):
            more = ", a network such as 10.1.0.0/16" if networks else ""
            raise table.wrong("address", f"is {text!r}; write an address such as 10.1.2.3{more} or a name") from None
    return text
