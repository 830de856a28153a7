"""The configuration of a node, read from its TOML file and checked in one place: each mistake is one sentence with its key."""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Any

from demottle.errors import DemottleError, InputError
from demottle.node.configuration import (
    GLOBS,
    RANGES,
    SENT,
    Conditions,
    Configuration,
    Destination,
    Range,
    Rule,
    Sender,
    Tls,
    Web,
)
from demottle.node.toml_table import Table

_REQUEST = ("method", "model", "settings", "strength", "seed", "minutes", "steps", "texture")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_YEAR = 365.0


def read_configuration(path: Path) -> Configuration:
    """Read the configuration of a node.

    Raises:
        InputError: the file cannot be read or is not TOML, or a value is missing, unknown or wrong; one sentence.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The configuration {path} cannot be read ({error.strerror}); name a TOML file.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The configuration {path} is not valid TOML: {error}.") from error
    top = Table(values, "", path)
    node = top.table("node")
    tls = _tls(top.table("tls")) if top.has("tls") else None
    web = _web(top.table("web"), tls) if top.has("web") else None
    senders = tuple(_sender(one) for one in top.tables("sender"))
    destinations = tuple(_destination(one, tls) for one in top.tables("destination"))
    rules = tuple(_rule(one, number, destinations) for number, one in enumerate(top.tables("rule"), 1))
    top.finish()
    _refuse_twice(top, "destination", [one.name for one in destinations])
    _refuse_twice(top, "rule", [one.name for one in rules])
    if not senders:
        raise top.wrong("sender", 'is missing; write [[sender]] with title = "..." and address = "..." for each AE')
    if not rules:
        raise top.wrong("rule", 'is missing; write [[rule]] with to = ["..."] at least')
    return _node(node, tls, web, senders, destinations, rules)


def _node(table: Table, tls: Tls | None, web: Web | None, senders: Any, destinations: Any, rules: Any) -> Configuration:
    made = Configuration(
        folder=table.path("folder"),
        title=table.title(default="DEMOTTLE"),
        address=_address(table, "127.0.0.1"),
        port=table.port(default=11112, least=0),
        quiet=table.number("quiet", 60.0, 0.1, 24 * 3600),
        keep=table.number("keep", 14.0, 0, 100 * _YEAR),
        reserve=table.number("reserve", 1024.0, 0, 1e9),
        tls=tls,
        web=web,
        senders=senders,
        destinations=destinations,
        rules=rules,
    )
    table.finish()
    return made


def _tls(table: Table) -> Tls:
    made = Tls(table.file("certificate"), table.file("key"), table.file("authorities"))
    table.finish()
    return made


def _web(table: Table, tls: Tls | None) -> Web:
    made = Web(
        address=_address(table, "127.0.0.1"),
        port=table.port(default=8080, least=0),
        hosts=table.texts("hosts"),
        tls=table.flag("tls"),
        largest=table.number("largest", 4096.0, 1, 1e6),
    )
    table.finish()
    if made.tls and tls is None:
        raise table.wrong("tls", "needs certificates; write [tls] with certificate, key and authorities")
    if not made.tls and made.address not in ("127.0.0.1", "::1", "localhost"):
        raise table.wrong("address", f"is {made.address!r}, and passwords would go there unencrypted; write tls = true")
    return made


def _sender(table: Table) -> Sender:
    made = Sender(table.title(), _address(table, networks=True), table.port(least=1) if table.has("port") else None)
    table.finish()
    return made


def _destination(table: Table, tls: Tls | None) -> Destination:
    made = Destination(
        name=table.name(),
        title=table.title(),
        address=_address(table),
        port=table.port(),
        tls=table.flag("tls"),
        commitment=table.flag("commitment"),
        days=table.number("days", 7.0, 0, _YEAR),
    )
    table.finish({"url": "is for DICOMweb, which this version does not send to; write title, address and port"})
    if made.tls and tls is None:
        raise table.wrong("tls", "needs certificates; write [tls] with certificate, key and authorities")
    return made


def _address(table: Table, default: str | None = None, networks: bool = False) -> str:
    """An address, a host's name or, where that makes sense, a network."""
    text = table.text("address", default)
    try:
        ipaddress.ip_network(text, strict=False) if networks else ipaddress.ip_address(text)
    except ValueError:
        numeric = re.fullmatch(r"[\d./:]+", text)
        if numeric or not _HOST.fullmatch(text):
            more = ", a network such as 10.1.0.0/16" if networks else ""
            raise table.wrong("address", f"is {text!r}; write an address such as 10.1.2.3{more} or a name") from None
    return text


def _rule(table: Table, number: int, destinations: tuple[Destination, ...]) -> Rule:
    name = table.name(default=f"rule {number}")
    when, leave = _conditions(table.table("when")), table.flag("leave")
    send, to = table.texts("send", ["images"]), table.texts("to")
    rule = Rule(
        name=name,
        when=when,
        leave=leave,
        request=_request(table),
        limits=_limits(table),
        send=send,
        to=to,
        urgent=table.flag("urgent"),
        share=table.flag("share"),
    )
    table.finish({"preset": "belongs to 'demottle train'; write the settings here, settings = { name = value }"})
    for what in send:
        if what == "report":
            raise table.wrong("send", "asks for a Structured Report, which is not built; write images, map or page")
        if what not in SENT:
            raise table.wrong("send", f"holds {what!r}; it may hold {', '.join(SENT)}")
    known = [one.name for one in destinations]
    for one in to:
        if one not in known:
            listed = f"is one of {', '.join(known)}" if known else "needs a [[destination]]"
            raise table.wrong("to", f"names {one!r}, and a destination {listed}")
    if not leave and not to:
        raise table.wrong("to", 'is missing; write to = ["NAME"] with the name of a destination, or leave = true')
    if rule.share and rule.request.get("model") is not None:
        raise table.wrong("share", "makes no sense beside 'model': a given model is used for all series; leave it out")
    return rule


def _conditions(table: Table) -> Conditions:
    globs = {key: table.texts(key) for key in GLOBS if table.has(key)}
    ranges = {key: _range(table, key) for key in RANGES if table.has(key)}
    for key in (*GLOBS, *RANGES):
        table.raw(key)
    table.finish()
    return Conditions(globs, ranges)


def _range(table: Table, key: str) -> Range:
    value = table.raw(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Range(float(value), float(value))
    parts = value.split("..") if isinstance(value, str) else []
    try:
        low, high = (float(part) if part.strip() else None for part in parts)
    except ValueError:
        low = high = None
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise table.wrong(key, f'is {value!r}; write a range such as "0.5..2", "..2" or "3.."')
    return Range(low, high)


def _request(table: Table) -> dict[str, Any]:
    """What is asked of denoising: checked by making the `Request` of it."""
    asked = {key: table.raw(key) for key in _REQUEST if table.has(key)}
    for key in _REQUEST:
        table.raw(key)
    if "model" in asked:
        asked["model"] = table.file("model")
    if not isinstance(asked.get("settings", {}), dict):
        raise table.wrong("settings", "has to be a table; write settings = { name = value }")
    for key in ("strength", "minutes"):
        if key in asked:
            asked[key] = table.number(key, None, 0, 1e6)
    for key in ("seed", "steps"):
        if key in asked and (not isinstance(asked[key], int) or isinstance(asked[key], bool)):
            raise table.wrong(key, f"is {asked[key]!r}; write a whole number")
    if "method" in asked:
        asked["method"] = table.text("method")
    from demottle.pipeline.request import Request

    try:
        Request(**asked)
    except DemottleError as error:
        raise InputError(f"{table.wrong('', 'asks for what cannot be done')} {error}") from error
    return asked


def _limits(table: Table) -> Any:
    """Limits of the gate: demottle's own, those of a file, those of a table, or none (false)."""
    from demottle.quality.limits import Limits, limits_from, read_limits

    value = table.raw("gate")
    if value is None or value is True:
        return Limits()
    if value is False:
        return None
    if isinstance(value, dict):
        return limits_from(value, str(table.wrong("gate", "")).rstrip(". "))
    if isinstance(value, str):
        return read_limits(table.file("gate"))
    raise table.wrong("gate", f"is {value!r}; write true, false, the path of a file, or {{ name = number }}")


def _refuse_twice(top: Table, key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise top.wrong(key, f"has the name {name!r} twice; give each a name of its own")
