"""`demottle train`."""
