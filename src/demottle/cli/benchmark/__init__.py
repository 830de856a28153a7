"""`demottle benchmark`."""
