"""Fluoroscopy: moving scenes with known motion, and how a noisy run of them comes about."""
