"""Learning from one scan of slices: its own neighboring slices are the targets, and what must not change stays."""
