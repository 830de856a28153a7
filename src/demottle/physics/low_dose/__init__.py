"""A real scan as it would have been at a lower dose."""
