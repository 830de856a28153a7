"""`demottle node` and `demottle serve`: the service between scanner and archive, from the command line."""
