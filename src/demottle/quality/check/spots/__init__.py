"""What was removed or added that is not noise: a map of the residual, and a list of places."""
