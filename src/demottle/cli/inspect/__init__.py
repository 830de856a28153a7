"""`demottle inspect`."""
