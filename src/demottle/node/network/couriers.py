"""Which courier goes to which destination."""

from demottle.node.configuration import AnyDestination, Configuration, WebDestination
from demottle.node.network.courier import Courier
from demottle.node.network.sending import DicomCourier
from demottle.node.network.web_sending import WebCourier
from demottle.node.queue.store import Queue


def courier_to(told: Configuration, queue: Queue, destination: AnyDestination) -> Courier:
    """Return what sends to a destination; it has not begun."""
    if isinstance(destination, WebDestination):
        return WebCourier(told, queue, destination)
    return DicomCourier(told, queue, destination)
