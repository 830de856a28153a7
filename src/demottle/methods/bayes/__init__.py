"""Estimates from groups of similar cubes, told the noise that was measured on the scan; nothing is learned."""
