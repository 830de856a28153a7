"""Suite node: a whole node as a process of its own, beside scanners and archives of others."""
