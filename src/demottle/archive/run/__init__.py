"""What is done with the series of an archive: the state of a run, its engines, its results."""
