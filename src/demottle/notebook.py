"""How values show themselves in a notebook: pictures and tables as HTML, without a network and without scripts."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

import numpy as np
from numpy.typing import NDArray

_WIDEST = 280
"""Pixels of a picture on the screen; larger planes are shrunk by the browser."""
_SHARES = (0.5, 99.5)


def window_of(plane: NDArray[np.float32], unit: str) -> tuple[float, float]:
    """Return the values shown black and white: soft tissue in CT (center 50, width 400 HU), else nearly all of the plane's."""
    if unit == "HU":
        return -150.0, 250.0
    finite = plane[np.isfinite(plane)]
    low, high = np.percentile(finite, _SHARES) if finite.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def picture(plane: NDArray[np.float32], window: tuple[float, float], caption: str, aspect: float = 1.0) -> str:
    """Return a plane (rows, columns) as an HTML figure.

    Args:
        plane: what to show.
        window: values shown black and white.
        caption: a word or two below.
        aspect: width over height of a pixel.
    """
    import cv2  # not before a picture is asked for: every use of `Image` would wait for it

    low, high = window
    gray = np.clip((np.nan_to_num(plane, nan=low) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".png", gray)
    source = base64.b64encode(data.tobytes()).decode("ascii")
    rows, columns = plane.shape
    width = min(_WIDEST, round(columns * max(aspect, 1.0)))
    height = round(width * rows / (columns * aspect))
    return (
        f'<figure style="margin:0"><img alt="{escape(caption)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{source}"><figcaption style="font-size:90%;opacity:0.75">{escape(caption)}</figcaption>'
        "</figure>"
    )


def paragraph(text: str) -> str:
    """Return text as an HTML paragraph."""
    return f"<p>{escape(text)}</p>"


def side_by_side(pictures: Iterable[str]) -> str:
    """Return pictures in a row, which breaks where the page is narrow."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(pictures)}</div>'


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Return rows of text as an HTML table."""
    made = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>"] if head else []
    made += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f"<table>{''.join(made)}</table>"


def sentences(told: Iterable[str]) -> str:
    """Return sentences as an HTML list; nothing where there are none."""
    items = "".join(f"<li>{escape(one)}</li>" for one in told)
    return f"<ul>{items}</ul>" if items else ""


def figure(value: float) -> str:
    """Return a number with one decimal, or with three digits where it is small; a dash for what was not measured."""
    if not isfinite(value):
        return "\u2013"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.3g}"
