"""What networks learn from: scans found, split by patient, kept on disk, and cut into patches."""
