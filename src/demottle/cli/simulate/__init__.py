"""`demottle simulate`."""
