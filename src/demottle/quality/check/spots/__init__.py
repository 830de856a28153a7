"""What was removed or added that is no noise: a map of the residual, and a list of places."""
