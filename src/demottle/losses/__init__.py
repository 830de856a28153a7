"""Losses: plain functions, one idea per file."""
