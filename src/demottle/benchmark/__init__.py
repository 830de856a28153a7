"""The benchmark: every method and every rival on the same cases with a known truth, under one time budget."""
