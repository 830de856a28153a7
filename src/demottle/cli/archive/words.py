"""Sizes and times of a whole archive, in words."""


def size_of(number: float) -> str:
    """Bytes as a person reads them: 830 kB, 12.4 MB, 3.1 GB, 2.0 TB."""
    for unit, bytes_in in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= bytes_in:
            return f"{number / bytes_in:.1f} {unit}"
    return f"{number / 1e3:.0f} kB"


def hours_of(seconds: float) -> str:
    """Seconds as a person reads them: 40 s, 12 min, 3.4 h, 12 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.0f} days"
