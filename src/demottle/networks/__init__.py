"""Plain PyTorch modules, one architecture per file."""
