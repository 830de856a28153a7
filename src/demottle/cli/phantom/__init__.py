"""`demottle phantom`."""
