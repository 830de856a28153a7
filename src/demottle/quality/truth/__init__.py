"""What can be said of a result where the truth is known."""
