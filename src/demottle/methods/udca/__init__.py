"""UDCA: a student for runs of frames, taught by the run itself."""
