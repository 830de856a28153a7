"""The configuration of a node, read from its TOML file and checked in one place: each mistake is one sentence with its key."""

import tomllib
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from demottle.errors import InputError
from demottle.node.configuration import AnyDestination, Configuration, Sender, Tls, Web
from demottle.node.toml_certificates import refuse_unreadable
from demottle.node.toml_destination import address_of, read_destination
from demottle.node.toml_rule import KEEP, LONGEST, read_rule
from demottle.node.toml_table import Table
from demottle.node.web.users import NOBODY, Role


def read_configuration(path: Path) -> Configuration:
    """Read the configuration of a node.

    Raises:
        InputError: the file cannot be read or is not TOML, or a value is missing, unknown or wrong; one sentence.
    """
    top = _top(path)
    node = top.table("node")
    tls, web = top.table("tls"), top.table("web")  # asked for in any case, so that they are among the known keys
    certificates = _tls(tls) if top.has("tls") else None
    pages = _web(web, certificates) if top.has("web") else None
    senders = tuple(_sender(one) for one in top.tables("sender"))
    destinations = tuple(read_destination(one, certificates) for one in top.tables("destination"))
    rules = tuple(read_rule(one, number, destinations) for number, one in enumerate(top.tables("rule"), 1))
    top.finish()
    _refuse_twice(top, "destination", [one.name for one in destinations])
    _refuse_twice(top, "rule", [one.name for one in rules])
    if not senders:
        raise top.wrong("sender", 'is missing; write [[sender]] with title = "..." and address = "..." for each AE')
    if not rules:
        raise top.wrong("rule", 'is missing; write [[rule]] with to = ["..."] at least')
    made = _node(node, certificates, pages)
    _refuse_one_port(web, made)
    return replace(made, senders=senders, destinations=destinations, rules=rules)


def read_destination_of(path: Path, name: str | None) -> tuple[AnyDestination, str, Tls | None]:
    """Read one destination of a configuration, of which nothing else is looked at but [tls] and the title in [node].

    Args:
        path: the file.
        name: of the destination; None: the only one.

    Returns:
        The destination, the AE title of who sends, and the certificates.

    Raises:
        InputError: as `read_configuration`; or there is no such destination.
    """
    top = _top(path)
    certificates = _tls(top.table("tls")) if top.has("tls") else None
    title = top.table("node").title(default="DEMOTTLE") if top.has("node") else "DEMOTTLE"
    found = {one.name: one for one in (read_destination(table, certificates) for table in top.tables("destination"))}
    if not found:
        raise top.wrong("destination", "is missing; write [[destination]] with name, title, address and port, or url")
    if name is None and len(found) > 1:
        raise top.wrong("destination", f"is there {len(found)} times ({', '.join(found)}); say which one is meant")
    if name is not None and name not in found:
        raise top.wrong("destination", f"of the name {name!r} is missing; there is {', '.join(found)}")
    return found[name or next(iter(found))], title, certificates


def _top(path: Path) -> Table:
    """The file as a table."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The configuration {path} is not valid TOML: {error}.") from error
    return Table(values, "", path)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"There is no configuration {path}; name the TOML file of the node.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder; name the TOML file of the node in it.")
    if isinstance(error, PermissionError):
        return InputError(f"This user may not read the configuration {path}; give the right to, or name another file.")
    return InputError(f"The disk does not give the configuration {path} ({type(error).__name__}); look after it.")


def _node(table: Table, tls: Tls | None, web: Web | None) -> Configuration:
    made = Configuration(
        folder=_folder(table),
        title=table.title(default="DEMOTTLE"),
        address=address_of(table, "127.0.0.1"),
        port=table.port(default=11112, least=0),
        quiet=table.number("quiet", 60.0, 0.1, 24 * 3600),
        keep=table.number("keep", 14.0, *KEEP),
        reserve=table.number("reserve", 1024.0, 0, 1e9),
        longest=table.number("longest", 360.0, *LONGEST),
        tls=tls,
        web=web,
    )
    table.finish()
    return made


def _folder(table: Table) -> Path:
    """A folder that is there, or could be."""
    folder = table.path("folder")
    for path in (folder, *folder.parents):
        with suppress(PermissionError):  # the node's user may see what this one may not
            if not path.exists() or path.is_dir():
                continue
            below = "which is a file" if path == folder else f"and {path} is a file"
            raise table.wrong("folder", f"is {folder}, {below}; name a folder")
    return folder


def _refuse_one_port(table: Table, told: Configuration) -> None:
    """Refuse a dashboard that listens where the node does."""
    if told.web is None or told.port == 0 or told.web.port != told.port:
        return
    one, other = told.web.address, told.address
    if one == other or not (_apart(one) and _apart(other)):
        raise table.wrong("port", f"is {told.port}, where [node] listens; give one of them another port")


def _apart(address: str) -> bool:
    """True for one address of several that a machine may have, and not a name or all of them."""
    try:
        return not ip_address(address).is_unspecified
    except ValueError:
        return False


def _tls(table: Table) -> Tls:
    made = Tls(table.file("certificate"), table.file("key"), table.file("authorities"))
    table.finish()
    refuse_unreadable(table, made.authorities, made.certificate, made.key)
    return made


def _web(table: Table, tls: Tls | None) -> Web:
    made = Web(
        address=address_of(table, "127.0.0.1"),
        port=table.port(default=8080, least=0),
        hosts=table.texts("hosts"),
        tls=table.flag("tls"),
        largest=table.number("largest", 4096.0, 1, 1e6),
        patients=table.text("patients", "technologist"),
    )
    table.finish()
    if made.patients not in (*Role, NOBODY):
        raise table.wrong("patients", f"is {made.patients!r}; it can be {', '.join((*Role, NOBODY))}")
    if made.tls and tls is None:
        raise table.wrong("tls", "needs certificates; write [tls] with certificate, key and authorities")
    if not made.tls and made.address not in ("127.0.0.1", "::1", "localhost"):
        raise table.wrong("address", f"is {made.address!r}, and passwords would go there unencrypted; write tls = true")
    return made


def _sender(table: Table) -> Sender:
    made = Sender(table.title(), address_of(table, networks=True), table.port(least=1) if table.has("port") else None)
    table.finish()
    return made


def _refuse_twice(top: Table, key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise top.wrong("", f"two [[{key}]] have the name {name!r}; give each a name of its own")
