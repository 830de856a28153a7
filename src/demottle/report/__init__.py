"""Figures and one self-contained HTML page about one denoised image."""

from demottle.report.page import write_page

__all__ = ["write_page"]
