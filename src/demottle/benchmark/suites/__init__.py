"""Suites: cases with a known truth, and how they are judged."""
