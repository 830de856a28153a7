"""The tiles of one image: cut apart, and joined again."""

from typing import Any

from numpy.typing import NDArray


def cut(plane: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """Return the tiles of a mosaic, row by row: shape (count, rows, columns); `grid`: how many lie down and across."""
    down, across = grid
    rows, columns = plane.shape[0] // down, plane.shape[1] // across
    return plane.reshape(down, rows, across, columns).transpose(0, 2, 1, 3).reshape(down * across, rows, columns)


def join(tiles: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """Undo `cut`: one plane."""
    down, across = grid
    _, rows, columns = tiles.shape
    return tiles.reshape(down, across, rows, columns).transpose(0, 2, 1, 3).reshape(down * rows, across * columns)
