"""Objects of known place: contrast, sharpness, noise spectrum, observers."""
