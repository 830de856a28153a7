"""Live denoising: frames from a source through a bounded queue to a sink, in order, with measured latency."""

from demottle.stream.latency import Latency
from demottle.stream.live import LiveReport, run_live
from demottle.stream.waiting import Frame, WaitingLine

__all__ = ["Frame", "Latency", "LiveReport", "WaitingLine", "run_live"]
