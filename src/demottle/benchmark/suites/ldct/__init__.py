"""Suite ldct: pairs of scans of the user's own, as of AAPM and Mayo Clinic."""
