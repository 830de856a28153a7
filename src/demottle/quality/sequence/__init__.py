"""The same measures for runs of frames and series of volumes."""
