"""The noise of MR magnitude images."""
