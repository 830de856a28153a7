"""Classical filters: nothing is learned, in the plane or over time."""
