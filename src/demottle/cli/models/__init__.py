"""`demottle models`."""
