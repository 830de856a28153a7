"""Layouts of phantoms that are sold for quality assurance, one file each, where they lie, and images of them."""
