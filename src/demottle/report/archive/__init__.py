"""One page and one table about thousands of series."""
