"""The training loop, and what it needs: patches, schedules, averaged weights."""
