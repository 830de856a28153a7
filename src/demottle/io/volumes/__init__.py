"""Several volumes under one SeriesInstanceUID: how they are told apart, and which belong together over time."""
