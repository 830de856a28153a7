"""Geometry of formats that hold one grid: where their slices lie, which axis they are, and what such a grid cannot hold."""
