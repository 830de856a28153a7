"""Do scan and result belong together: what was removed and what is left must be the scan's own, at its own place."""
