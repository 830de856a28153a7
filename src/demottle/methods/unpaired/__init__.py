"""Learning from sets of scans, unpaired or (for comparison) in pairs."""
