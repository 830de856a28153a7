"""A whole archive as one data set: what is in it, what is to be done with each series, and what was done."""
