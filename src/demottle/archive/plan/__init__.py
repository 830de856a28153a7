"""The plan of an archive: which series is treated how, which share a network, and how long that takes."""
