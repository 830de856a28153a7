"""Diffusion whose time is the dose: learned from full-dose scans alone."""
