"""`demottle study`."""
