"""What can be said of a result without a truth."""
