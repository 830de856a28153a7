"""Is the node alive, can it work, and its numbers for Prometheus. No UIDs, nothing of patients."""

import time
from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from demottle.node.disk import has_room, room
from demottle.node.queue.shown import counts
from demottle.node.queue.store import States
from demottle.node.web.site import Site


class _Numbers:
    """Reads the queue when Prometheus asks."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        found = counts(self._site.queue)
        yield GaugeMetricFamily("demottle_objects_held", "Objects received and held", value=found["objects"])
        yield GaugeMetricFamily("demottle_bytes_held", "Bytes of objects received and held", value=found["bytes"])
        series = GaugeMetricFamily("demottle_series", "Series by state", labels=["state"])
        for state in States:
            series.add_metric([str(state)], found["series"].get(str(state), 0))
        yield series
        sends = GaugeMetricFamily("demottle_sends", "Objects to send", labels=["destination", "state"])
        for one in self._site.told.destinations:
            for step in ("waiting", "sent", "arrived", "failed"):
                sends.add_metric([one.name, step], found["sends"].get(one.name, {}).get(step, 0))
        yield sends
        age = 0.0 if found["oldest"] is None else max(0.0, time.time() - found["oldest"])
        yield GaugeMetricFamily("demottle_oldest_waiting_seconds", "Age of the oldest series not yet done", value=age)


def health(site: Site) -> APIRouter:
    """Return /healthz, /readyz and /metrics."""
    routes, registry = APIRouter(), CollectorRegistry()
    registry.register(_Numbers(site))
    ProcessCollector(registry=registry)

    @routes.get("/healthz")
    def healthz() -> JSONResponse:
        return JSONResponse({"alive": True})

    @routes.get("/readyz")
    def readyz() -> JSONResponse:
        wrong = []
        try:
            site.queue.row("SELECT 1")
        except Exception:  # whatever SQLite or the disk say: objects cannot be taken
            wrong.append("the queue cannot be read")
        if not has_room(site.told.folder, site.told.reserve):
            wrong.append(f"the disk is nearly full: {room(site.told.folder, site.told.reserve)}")
        return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
