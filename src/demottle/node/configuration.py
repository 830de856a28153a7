"""What a node is told, as frozen values. `demottle.node.toml_file` reads and checks them; nobody else makes them from text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demottle.quality.limits import Limits

SENT = ("images", "map", "page", "report", "capture")
"""What of a result can be sent: denoised images, the map of spots that are not noise (CT), the page as Encapsulated PDF, what the
gate found as a Structured Report, a picture as Secondary Capture."""

GLOBS = ("caller", "modality", "manufacturer", "model", "station", "kernel", "body_part", "protocol", "description")
"""Facts of a series that a rule compares with patterns such as "Br*"."""
RANGES = ("thickness", "dose", "kvp")
"""Facts that a rule compares with ranges: slice thickness in mm, CTDIvol in mGy, tube voltage in kV."""


@dataclass(frozen=True)
class Tls:
    """Certificates of both sides.

    Attributes:
        certificate, key: PEM files of this node.
        authorities: PEM file with the certificates that those of all others have to be signed by.
    """

    certificate: Path
    key: Path
    authorities: Path


@dataclass(frozen=True)
class Web:
    """The dashboard and DICOMweb.

    Attributes:
        address, port: where they listen.
        hosts: names that browsers and programs may call the node by, beside its address.
        tls: encrypt, with certificate and key of `Configuration.tls`; callers need no certificate.
        largest: MiB that one request may bring.
        patients: the lowest role that sees who patients are (patient ID and accession number, DICOMweb), or "nobody".
    """

    address: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    tls: bool = False
    largest: float = 4096.0
    patients: str = "technologist"


@dataclass(frozen=True)
class Sender:
    """Who may send.

    Attributes:
        title: its AE title.
        address: an address, a network such as 10.1.0.0/16, or a host's name.
        port: where its own server listens, for answers to storage commitment; None: they go back on the same association.
    """

    title: str
    address: str
    port: int | None = None


@dataclass(frozen=True)
class Destination:
    """A DICOM server that results go to.

    Attributes:
        name: what rules call it.
        title, address, port: of the server.
        tls: encrypt, with the certificates of `Configuration.tls`.
        commitment: ask for storage commitment, and count as arrived only what was committed.
        days: how long to try before a series counts as failed.
    """

    name: str
    title: str
    address: str
    port: int
    tls: bool = False
    commitment: bool = False
    days: float = 7.0


@dataclass(frozen=True)
class WebDestination:
    """A DICOMweb server that results go to by STOW-RS.

    Attributes:
        name: what rules call it.
        url: where its /studies begins, without a slash at the end.
        days: how long to try before a series counts as failed.
        authorities: PEM file with the certificates that the server's has to be signed by; None: those of this machine.
        certificate, key: PEM files that the node shows the server; None: it shows none.
        user, password_file: log-in by name, and the file that holds the password.
        token_file: the file that holds a bearer token.
    """

    name: str
    url: str
    days: float = 7.0
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None


AnyDestination = Destination | WebDestination


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; None: without that bound."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float | None) -> bool:
        """True for a number within; an unknown one is not."""
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Conditions:
    """When a rule is met: all of what is stated.

    Attributes:
        globs: patterns by fact (`GLOBS`), one of which has to match, capitals or not.
        ranges: ranges by fact (`RANGES`).
    """

    globs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def met_by(self, facts: Mapping[str, Any]) -> bool:
        """Hold what is known of a series (`demottle.node.facts`) against the conditions."""
        for name, patterns in self.globs.items():
            text = str(facts.get(name) or "").casefold()
            if not any(fnmatchcase(text, pattern.casefold()) for pattern in patterns):
                return False
        return all(wanted.holds(facts.get(name)) for name, wanted in self.ranges.items())


FAST = "fast"


@dataclass(frozen=True)
class Rule:
    """What to do with a series: the first rule that it meets decides.

    Attributes:
        name: what log, queue and `node check` call it.
        when: its conditions; empty: every series.
        leave: receive and keep such series, and do nothing with them.
        preset: how much noise stays (`demottle.pipeline.preset`); or "fast": CT volumes that would get the default method get a
            faster one (`demottle.node.work.shared`); or empty.
        request: arguments of `demottle.pipeline.request.Request`, checked.
        limits: limits of the gate; None: results are sent whatever they are.
        send: what is sent, of `SENT`.
        to: names of destinations.
        tell: where the result fails the gate, a report of that is sent in its place.
        longest: minutes that a series may take before the worker is ended; None: those of `Configuration`.
        keep: days that objects and results stay once all is done with them; None: those of `Configuration`.
        urgent: goes before others.
        share: keep the network that was fitted, and use it for the next series of the same protocol as long as its checks hold.
    """

    name: str
    when: Conditions = field(default_factory=Conditions)
    leave: bool = False
    preset: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    limits: "Limits | None" = None
    send: tuple[str, ...] = ("images",)
    to: tuple[str, ...] = ()
    tell: bool = False
    longest: float | None = None
    keep: float | None = None
    urgent: bool = False
    share: bool = False


@dataclass(frozen=True)
class Configuration:
    """All that a node is told.

    Attributes:
        folder: where queue, objects and results lie.
        title: AE title of the node, and the one that has to be called.
        address, port: where it listens.
        quiet: a series is complete when nothing of it has come for so many seconds.
        keep: days that objects and results stay on the disk once all is done with them.
        reserve: MiB that have to stay free on the disk: objects are refused (0xA700) below it.
        longest: minutes that a series may take before the worker is ended and the series counts as failed.
        tls: certificates; None: neither side encrypts.
        web: the dashboard and DICOMweb; None: there are none.
        senders, destinations, rules: as listed, rules in order.
    """

    folder: Path
    title: str = "DEMOTTLE"
    address: str = "127.0.0.1"
    port: int = 11112
    quiet: float = 60.0
    keep: float = 14.0
    reserve: float = 1024.0
    longest: float = 360.0
    tls: Tls | None = None
    web: Web | None = None
    senders: tuple[Sender, ...] = ()
    destinations: tuple[AnyDestination, ...] = ()
    rules: tuple[Rule, ...] = ()

    def destination(self, name: str) -> AnyDestination | None:
        """The destination of a name; None where it is no longer configured."""
        return next((one for one in self.destinations if one.name == name), None)

    @property
    def dicom_destinations(self) -> tuple[Destination, ...]:
        """Those that are reached by C-STORE."""
        return tuple(one for one in self.destinations if isinstance(one, Destination))

    def longest_of(self, rule: str) -> float:
        """Minutes that a series of a rule may take."""
        own = next((one.longest for one in self.rules if one.name == rule), None)
        return self.longest if own is None else own

    def keep_of(self, rule: str) -> float:
        """Days that a series of a rule stays once all is done with it."""
        own = next((one.keep for one in self.rules if one.name == rule), None)
        return self.keep if own is None else own

    def rule_for(self, facts: Mapping[str, Any]) -> Rule | None:
        """The first rule that a series meets; None: it is left alone."""
        return next((rule for rule in self.rules if rule.when.met_by(facts)), None)
