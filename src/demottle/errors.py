"""What can go wrong, as sentences for a user: what is wrong, where, and what to do."""


class DemottleError(Exception):
    """Base of every error demottle raises on purpose; `str(error)` is one clear sentence for a user."""

    exit_code = 2


class InputError(DemottleError):
    """The input cannot be used: broken, ambiguous, or not what the operation needs."""


class UnsuitableError(InputError):
    """The image is readable, but does not meet the assumptions of the method asked for."""


class OutputError(DemottleError):
    """The result cannot be written; nothing was left under the final name."""
