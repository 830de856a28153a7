"""PEM files that a configuration names, tried when it is read: later they would be complained of only when something is sent."""

import ssl
from pathlib import Path

from demottle.node.toml_table import Table


def refuse_unreadable(table: Table, authorities: Path | None, certificate: Path | None, key: Path | None) -> None:
    """Refuse files that hold no certificates or no key.

    Raises:
        InputError: names the key of the table.
    """
    if authorities is not None:
        _refuse_no_certificate(table, "authorities", authorities)
    if certificate is None or key is None:
        return
    _refuse_no_certificate(table, "certificate", certificate)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        wrong = f"names {key}, which does not hold the key of 'certificate' in PEM, without a password; write the file that does"
        raise table.wrong("key", wrong) from None


def _refuse_no_certificate(table: Table, key: str, file: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError:
        raise table.wrong(key, f"names {file}, which holds no certificates in PEM; write a file that does") from None
