"""What others learn from a scan, for comparison: one file per paper, all on one network, in one budget."""
