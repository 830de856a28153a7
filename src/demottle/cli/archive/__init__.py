"""`demottle archive`: a whole archive at once. Each command has a file of its own."""
