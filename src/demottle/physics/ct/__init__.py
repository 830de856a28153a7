"""How a CT scanner measures and reconstructs, and the noise that this leaves."""
