"""Suite speed: how fast and with how much memory whole commands, live runs and trained models work."""
