"""Analytic phantoms: what is in them is known exactly."""
