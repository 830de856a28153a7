"""QA phantoms in real scans: which one it is, how it lies, and what it says of the scanner."""
