"""How tasks are run: one after the other, in worker processes, or by Ray."""
