"""Headers that demottle writes: derived from a source's own, or new."""
