"""What all pages need: configuration, queue, sessions, audit log; and who is asking."""

from dataclasses import dataclass, field
from threading import Event

from fastapi import HTTPException, Request

from demottle.node import audit
from demottle.node.audit import Audit
from demottle.node.configuration import Configuration, Web
from demottle.node.log import complain, plain
from demottle.node.network.transport import lies_in
from demottle.node.queue.store import Queue
from demottle.node.web.sessions import COOKIE, Brake, Session, Sessions
from demottle.node.web.users import NOBODY, Role


@dataclass
class Site:
    """A node as its web pages know it."""

    told: Configuration
    web: Web
    queue: Queue
    sessions: Sessions
    audit: Audit
    brake: Brake = field(default_factory=Brake)
    stopping: Event = field(default_factory=Event)

    def session(self, request: Request, needed: Role = Role.TECHNOLOGIST) -> Session:
        """Who is logged in.

        Raises:
            HTTPException: 401 nobody; 403 the role is not enough, which is logged.
        """
        found = self.sessions.of(request.cookies.get(COOKIE))
        if found is None:
            raise HTTPException(401, "Log in first.")
        if not found.user.role.may(needed):
            said = f"{request.url.path} needs the role {needed}"
            self.audit.note(
                "access refused", audit.EXECUTE, found.user.name, address_of(request), outcome=audit.MINOR, said=said
            )
            raise HTTPException(403, f"This needs the role {needed}; yours is {found.user.role}.")
        return found

    def sees_patients(self, session: Session) -> bool:
        """True where somebody may see who a patient is."""
        least = self.web.patients
        return least != NOBODY and session.user.role.may(Role(least))

    def sender(self, request: Request) -> str:
        """AE title of the listed sender at the address that asks.

        Raises:
            HTTPException: 403, logged: no sender is listed there.
        """
        host = address_of(request)
        for one in self.told.senders:
            if lies_in(host, one.address):
                return one.title
        complain(f"refused a DICOMweb request from {plain(host)}: is not listed")
        self.audit.note(
            "access refused", audit.EXECUTE, "unknown", host, outcome=audit.MINOR, said="DICOMweb: is not listed"
        )
        raise HTTPException(403, "This address is not in the list of senders.")

    def reader(self, request: Request) -> str:
        """Who may read objects over DICOMweb: somebody who is logged in and sees patients, or a listed sender.

        Raises:
            HTTPException: 403, logged.
        """
        found = self.sessions.of(request.cookies.get(COOKIE))
        return found.user.name if found is not None and self.sees_patients(found) else self.sender(request)


def address_of(request: Request) -> str:
    """The address that a request comes from."""
    return "0.0.0.0" if request.client is None else request.client.host
