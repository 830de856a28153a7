"""Promises to a scan: how sharp its edges stay, how little its CT numbers move, how much noise goes."""
