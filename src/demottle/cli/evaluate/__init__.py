"""`demottle evaluate`."""
