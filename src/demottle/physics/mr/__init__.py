"""Noise of MR, and complex series with known truth."""
