"""`demottle stream`."""
